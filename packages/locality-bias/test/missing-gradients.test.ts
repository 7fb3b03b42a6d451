import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { registerMissingGradients, relu } from "../src/index.ts";
import { backends, useBackend } from "./backends.ts";
import { expectClose } from "./closeness.ts";
import { inner, normalTensor } from "./random-tensors.ts";

describe.each(backends)("on backend %s", (backend) => {
  beforeAll(async () => {
    await useBackend(backend);
    registerMissingGradients();
  });

  const softplusSlope = (x: number) => 1 / (1 + Math.exp(-x));
  const erfSlope = (x: number) => (2 / Math.sqrt(Math.PI)) * Math.exp(-x * x);

  /** Operation, first and second derivative. */
  const elementwise: readonly [
    string,
    (x: tf.Tensor) => tf.Tensor,
    (x: number) => number,
    (x: number) => number,
  ][] = [
    ["relu of ours", relu, (x) => (x > 0 ? 1 : 0), () => 0],
    ["relu", (x) => tf.relu(x), (x) => (x > 0 ? 1 : 0), () => 0],
    ["leakyRelu", (x) => tf.leakyRelu(x, 0.25), (x) => (x > 0 ? 1 : 0.25), () => 0],
    ["abs", (x) => tf.abs(x), Math.sign, () => 0],
    ["neg", (x) => tf.neg(x), () => -1, () => 0],
    ["square", (x) => tf.square(x), (x) => 2 * x, () => 2],
    ["log", (x) => tf.log(x), (x) => 1 / x, (x) => -1 / x ** 2],
    ["log1p", (x) => tf.log1p(x), (x) => 1 / (1 + x), (x) => -1 / (1 + x) ** 2],
    [
      "softplus",
      (x) => tf.softplus(x),
      softplusSlope,
      (x) => softplusSlope(x) * (1 - softplusSlope(x)),
    ],
    ["erf", (x) => tf.erf(x), erfSlope, (x) => -2 * x * erfSlope(x)],
    ["exp", (x) => tf.exp(x), Math.exp, Math.exp],
    ["expm1", (x) => tf.expm1(x), Math.exp, Math.exp],
    ["elu", (x) => tf.elu(x), (x) => (x > 0 ? 1 : Math.exp(x)), (x) => (x > 0 ? 0 : Math.exp(x))],
    ["sqrt", (x) => tf.sqrt(x), (x) => 0.5 * x ** -0.5, (x) => -0.25 * x ** -1.5],
    ["rsqrt", (x) => tf.rsqrt(x), (x) => -0.5 * x ** -1.5, (x) => 0.75 * x ** -2.5],
    ["reciprocal", (x) => tf.reciprocal(x), (x) => -(x ** -2), (x) => 2 * x ** -3],
    [
      "sigmoid",
      (x) => tf.sigmoid(x),
      (x) => softplusSlope(x) * (1 - softplusSlope(x)),
      (x) => softplusSlope(x) * (1 - softplusSlope(x)) * (1 - 2 * softplusSlope(x)),
    ],
    [
      "tanh",
      (x) => tf.tanh(x),
      (x) => 1 - Math.tanh(x) ** 2,
      (x) => -2 * Math.tanh(x) * (1 - Math.tanh(x) ** 2),
    ],
    [
      "x / (x + 2)",
      (x) => tf.div(x, tf.add(x, 2)),
      (x) => 2 / (x + 2) ** 2,
      (x) => -4 / (x + 2) ** 3,
    ],
    ["x · x - x", (x) => tf.sub(tf.mul(x, x), x), (x) => 2 * x - 1, () => 2],
    [
      "x > 1 ? x² : 3 x",
      (x) => tf.where(tf.greater(x, 1), tf.square(x), tf.mul(x, 3)),
      (x) => (x > 1 ? 2 * x : 3),
      (x) => (x > 1 ? 2 : 0),
    ],
  ];

  // x² is added, because tfjs refuses to differentiate what does not depend on x, such as a slope of 1.
  test.each(elementwise)(
    "%s has its first and second derivative",
    (_, operation, first, second) => {
      // Where logarithms and roots are defined, and below zero for the others.
      for (const points of [
        [0.3, 0.8, 1.7, 2.9],
        [-1.4, -0.6, 0.4, 1.1],
      ]) {
        const x = tf.tensor1d(points);
        if (operation(x).dataSync().some(Number.isNaN)) continue;
        const wanted = points.map((x) => first(x) + 2 * x);
        const wantedSecond = points.map((x) => second(x) + 2);
        const slope = tf.grad((x) => tf.add(operation(x), tf.square(x)));
        expectClose(slope(x).dataSync(), wanted, 2e-6);
        expectClose(
          tf
            .grad((x) => slope(x))(x)
            .dataSync(),
          wantedSecond,
          5e-6,
          1,
        );
      }
    },
  );

  /**
   * Linear operations. With A for the operation, the gradient of ⟨w, A x⟩ by x is Aᵀw, so ⟨Aᵀw, z⟩ must be
   * ⟨w, A z⟩ for every z; and the gradient of ⟨Aᵀw, z⟩ by w must be A z.
   */
  const linear: readonly [string, number[], (x: tf.Tensor) => tf.Tensor][] = [
    ["reshape", [2, 3, 4], (x) => tf.reshape(x, [4, 6])],
    ["expandDims", [2, 3], (x) => tf.expandDims(x, 1)],
    ["cast and clone", [2, 3], (x) => tf.clone(tf.cast(x, "float32"))],
    ["transpose", [2, 3, 4], (x) => tf.transpose(x, [2, 0, 1])],
    ["slice", [4, 5, 3], (x) => tf.slice(x, [1, 0, 1], [2, -1, 2])],
    [
      "pad",
      [2, 3],
      (x) =>
        tf.pad(x, [
          [1, 0],
          [2, 3],
        ]),
    ],
    [
      "concat",
      [2, 3, 2],
      (x) => tf.concat([x, tf.mul(x, 2), tf.slice(x, [0, 1, 0], [2, 1, 2])], 1),
    ],
    ["concat along a negative axis", [2, 3], (x) => tf.concat([x, tf.mul(x, -1)], -1)],
    ["sum", [2, 3, 4], (x) => tf.sum(x, [0, 2])],
    ["sum, axis kept", [2, 3, 4], (x) => tf.sum(x, 1, true)],
    ["mean", [2, 3, 4], (x) => tf.mean(x, [1, 2])],
    ["mean of all", [2, 3], (x) => tf.reshape(tf.mean(x), [1])],
    ["tile", [2, 3], (x) => tf.tile(x, [3, 2])],
    ["broadcastTo", [2, 1, 3], (x) => tf.broadcastTo(x, [2, 4, 3])],
    ["add, broadcast", [3], (x) => tf.add(tf.add(tf.zeros([2, 3]), x), tf.mul(x, 2))],
    ["sub, broadcast", [2, 1], (x) => tf.sub(tf.zeros([2, 3]), x)],
    ["avgPool, overlapping", [2, 7, 5, 3], (x) => tf.avgPool(x as tf.Tensor4D, 3, 2, "valid")],
    ["avgPool", [1, 6, 6, 2], (x) => tf.avgPool(x as tf.Tensor4D, 2, 2, "valid")],
    [
      "conv2d, stride 2",
      [2, 7, 6, 3],
      (x) => tf.conv2d(x as tf.Tensor4D, normalTensor<tf.Rank.R4>([3, 3, 3, 2], 5), 2, 1),
    ],
    [
      "conv2d by its filter",
      [3, 3, 2, 4],
      (filter) =>
        tf.conv2d(normalTensor<tf.Rank.R4>([2, 5, 5, 2], 6), filter as tf.Tensor4D, 1, "same"),
    ],
    ["matMul", [3, 4], (x) => tf.matMul(x as tf.Tensor2D, normalTensor<tf.Rank.R2>([4, 2], 7))],
    [
      "matMul, both transposed",
      [4, 3],
      (x) => tf.matMul(normalTensor<tf.Rank.R2>([4, 2], 8), x as tf.Tensor2D, true, false),
    ],
    [
      "matMul, left transposed",
      [4, 3],
      (x) => tf.matMul(x as tf.Tensor2D, normalTensor<tf.Rank.R2>([5, 4], 9), true, true),
    ],
    [
      "gradient of conv2d by its filter, by x",
      [1, 5, 5, 2],
      (x) => {
        const dy = normalTensor([1, 5, 5, 3], 10);
        const attributes = {
          strides: [1, 1],
          pad: 1,
          dataFormat: "NHWC",
          filterShape: [3, 3, 2, 3],
        };
        return tf.engine().runKernel(tf.Conv2DBackpropFilter, { x, dy }, attributes) as tf.Tensor;
      },
    ],
  ];

  describe.each(linear)("%s", (_, shape, operation) => {
    test("has its transpose for a gradient, which has the operation for its own", () => {
      const x = normalTensor(shape, 1);
      const z = normalTensor(shape, 2);
      const w = normalTensor(operation(x).shape, 3);
      const transposed = (w: tf.Tensor) => tf.grad((x) => inner(w, operation(x)))(x);
      const image = operation(z);
      const size = inner(tf.abs(w), tf.abs(image)).dataSync()[0];
      const wanted = inner(w, image).dataSync();
      expectClose(inner(transposed(w), z).dataSync(), wanted, 1e-6, size);
      const ofGradient = tf.grad((w) => inner(transposed(w), z))(w);
      expect(ofGradient.shape).toEqual(image.shape);
      expectClose(ofGradient.dataSync(), image.dataSync(), 2e-6);
    });
  });

  /** Others, by the derivative of ⟨w, f(x)⟩ along z from central differences in float32. */
  const smooth: readonly [string, number[], (x: tf.Tensor) => tf.Tensor][] = [
    ["softmax", [3, 4], (x) => tf.softmax(x)],
    ["squared max", [3, 4], (x) => tf.square(tf.max(x, 1))],
    ["product of a broadcast", [2, 1], (x) => tf.mul(normalTensor([2, 3], 4), tf.square(x))],
    [
      "batchNorm, by x",
      [2, 3, 3, 2],
      (x) => {
        const [mean, variance] = [tf.tensor1d([0.1, 0.2]), tf.tensor1d([0.5, 2])];
        const [offset, scale] = [tf.tensor1d([0, 1]), tf.tensor1d([1.5, -1])];
        return tf.square(tf.batchNorm4d(x as tf.Tensor4D, mean, variance, offset, scale));
      },
    ],
    [
      "batchNorm, by its statistics, scale and offset",
      [4, 2],
      (statistics) => {
        const [mean, variance, scale, offset] = [0, 1, 2, 3].map((row) =>
          tf.reshape<tf.Rank.R1>(tf.slice(tf.exp(statistics), [row, 0], [1, 2]), [2]),
        );
        const x = normalTensor<tf.Rank.R4>([2, 3, 3, 2], 4);
        return tf.batchNorm4d(x, mean, variance, offset, scale);
      },
    ],
  ];

  test.each(smooth)("%s agrees with finite differences, twice", (_, shape, operation) => {
    const x = normalTensor(shape, 1);
    const z = tf.mul(normalTensor(shape, 2), 1);
    const w = normalTensor(operation(x).shape, 3);
    const value = (x: tf.Tensor) => inner(w, operation(x));
    const slope = (x: tf.Tensor) => inner(tf.grad(value)(x), z);
    const step = 1e-2;
    for (const f of [value, slope]) {
      const [after, before] = [step, -step].map((h) => f(tf.add(x, tf.mul(z, h))).dataSync()[0]);
      const expected = (after - before) / (2 * step);
      const actual = inner(tf.grad((x) => f(x))(x), z).dataSync()[0];
      // Rounding of values of size 10 over the step, and the third derivative times its square.
      expect(Math.abs(actual - expected)).toBeLessThan(5e-3 * Math.max(1, Math.abs(expected)));
    }
  });

  test("gradients that are registered already stay, but for those that tfjs cannot differentiate", () => {
    const registered = [tf.Relu, tf.Exp].map((kernelName) => {
      const ours = tf.getGradient(kernelName);
      const another = { ...ours };
      tf.registerGradient(another);
      return { kernelName, ours, another };
    });
    registerMissingGradients();
    const [ofRelu, ofExp] = registered;
    expect(tf.getGradient(ofRelu.kernelName)).toBe(ofRelu.another);
    expect(tf.getGradient(ofExp.kernelName)).toBe(ofExp.ours);
  });

  test("tfjs's tape does leave out a term where a gradient is written in the result", () => {
    const ours = tf.getGradient(tf.Exp);
    tf.registerGradient({
      kernelName: tf.Exp,
      outputsToSave: [true],
      gradFunc: (dy, [y]) => ({ x: () => tf.mul(dy as tf.Tensor, y) }),
    });
    const second = () => tf.grad(tf.grad((x) => tf.add(tf.exp(x), tf.square(x))))(tf.scalar(0));
    expect(second().dataSync()[0]).toBe(2);
    tf.registerGradient(ours);
    expect(second().dataSync()[0]).toBe(3);
  });

  test("a dilated convolution is refused, not differentiated wrongly", () => {
    const filter = normalTensor<tf.Rank.R4>([2, 2, 1, 1], 1);
    const gradient = tf.grad((x: tf.Tensor) =>
      tf.sum(tf.conv2d(x as tf.Tensor4D, filter, 1, "valid", "NHWC", 2)),
    );
    expect(() => gradient(tf.ones([1, 5, 5, 1]))).toThrow(
      "no gradient of a convolution with dilations 2",
    );
  });
});
