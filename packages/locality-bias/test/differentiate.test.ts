import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { addAlike, differentiate, registerMissingGradients, relu } from "../src/index.ts";
import { backends, useBackend } from "./backends.ts";
import { expectClose } from "./closeness.ts";
import { inner, normalTensor } from "./random-tensors.ts";

describe.each(backends)("on backend %s", (backend) => {
  beforeAll(async () => {
    await useBackend(backend);
    registerMissingGradients();
  });

  /** Branches that meet again, broadcasts, a result that is used twice, and an operation beside the way. */
  const network = (x: tf.Tensor2D, a: tf.Tensor2D, b: tf.Tensor1D): tf.Scalar => {
    const hidden = tf.tanh(tf.add(tf.matMul(x, a), b));
    tf.exp(hidden);
    const twice = addAlike(hidden, tf.mul(relu(hidden), hidden));
    return tf.sum(tf.mul(addAlike(twice, twice), hidden));
  };
  const operands = () => ({
    x: normalTensor<tf.Rank.R2>([3, 4], 1),
    a: normalTensor<tf.Rank.R2>([4, 5], 2),
    b: normalTensor<tf.Rank.R1>([5], 3),
  });

  test("gives tfjs's gradients", () => {
    const { x, a, b } = operands();
    const expected = tf.valueAndGrads((a, b) => network(x, a as tf.Tensor2D, b as tf.Tensor1D))([
      a,
      b,
    ]);
    const { value, gradients } = differentiate(() => network(x, a, b), [a, b]);
    expect(value.dataSync()).toEqual(expected.value.dataSync());
    gradients.forEach((gradient, i) =>
      expectClose(gradient!.dataSync(), expected.grads[i].dataSync(), 1e-6),
    );
  });

  test("gives tfjs's second gradients, in each other and in tfjs", () => {
    const { x, a, b } = operands();
    const z = normalTensor([4, 5], 4);
    const expected = tf.grads((x, a, b) => {
      const value = (a: tf.Tensor) => network(x as tf.Tensor2D, a as tf.Tensor2D, b as tf.Tensor1D);
      return inner(z, tf.grad(value)(a));
    })([x, a, b]);
    const alongZ = () => inner(z, differentiate(() => network(x, a, b), [a]).gradients[0]!);
    const nested = differentiate(alongZ, [x, a, b]).gradients;
    const withinTfjs = tf.grads((...xs: tf.Tensor[]) => {
      const [x, a, b] = xs as [tf.Tensor2D, tf.Tensor2D, tf.Tensor1D];
      return inner(z, differentiate(() => network(x, a, b), [a]).gradients[0]!);
    })([x, a, b]);
    expected.forEach((wanted, i) => {
      expectClose(nested[i]!.dataSync(), wanted.dataSync(), 2e-6);
      expectClose(withinTfjs[i].dataSync(), wanted.dataSync(), 2e-6);
    });
  });

  test("takes a value that is no scalar as the sum of its entries", () => {
    const x = tf.tensor1d([1, 2, 3]);
    const { value, gradients } = differentiate(() => tf.square(x), [x]);
    expect([...value.dataSync()]).toEqual([1, 4, 9]);
    expect([...gradients[0]!.dataSync()]).toEqual([2, 4, 6]);
  });

  test("has no gradient where the value does not depend on x", () => {
    const [x, y] = [tf.scalar(2), tf.scalar(3)];
    const { gradients } = differentiate(() => tf.square(x), [x, y]);
    expect(gradients[0]!.dataSync()[0]).toBe(4);
    expect(gradients[1]).toBeUndefined();
  });

  test("copes with a custom gradient that hands on dy itself, twice", () => {
    const sum = tf.customGrad((a, b) => ({
      value: tf.add(a as tf.Tensor, b as tf.Tensor),
      gradFunc: (dy) => [dy as tf.Tensor, dy as tf.Tensor],
    }));
    const [x, y] = [tf.scalar(2), tf.scalar(3)];
    const value = () => tf.mul(sum(sum(x, y), x), sum(y, y)) as tf.Scalar;
    // (2 x + y) · 2 y
    const [dx, dy] = differentiate(value, [x, y]).gradients;
    expect([dx!.dataSync()[0], dy!.dataSync()[0]]).toEqual([12, 20]);
  });

  test("an operation without a gradient is named", () => {
    const x = tf.tensor1d([0.1, 0.2]);
    expect(() => differentiate(() => tf.asinh(x), [x])).toThrow(
      "forward: no gradient of Asinh is registered; import @tensorflow/tfjs or register one",
    );
  });

  test("leaves no tensors behind, not even when it throws", () => {
    const { x, a, b } = operands();
    const once = () =>
      tf.tidy(() => {
        differentiate(() => network(x, a, b), [a, b]);
      });
    // Backend simd takes the operands onto its heap.
    once();
    const before = tf.memory();
    once();
    const fail = () =>
      differentiate(() => {
        const { gradients } = differentiate(() => network(x, a, b), [a]);
        tf.square(gradients[0]!);
        throw new Error("on purpose");
      }, [b]);
    expect(fail).toThrow("on purpose");
    expect(() => differentiate(() => tf.asinh(tf.square(b)), [b])).toThrow("Asinh");
    expect(tf.memory()).toEqual(before);
  });

  test("frees activations and their gradients on the way back", () => {
    const size = 1000;
    const onTheWayBack: number[] = [];
    const layer = tf.customGrad((x, save) => {
      const y = tf.mul(x as tf.Tensor, 0.9);
      (save as tf.GradSaveFunc)([y]);
      return {
        value: y,
        gradFunc: (dy, [y]) => {
          onTheWayBack.push(tf.memory().numBytes / (4 * size));
          return tf.mul(dy as tf.Tensor, y);
        },
      };
    });
    const x = normalTensor([size], 1);
    tf.tidy(() => {
      const deep = () => {
        let y: tf.Tensor = x;
        for (let depth = 0; depth < 20; depth++) y = layer(y);
        return tf.sum(y);
      };
      differentiate(deep, [x]);
    });
    // Each layer on the way back needs one activation less; its own gradient takes none of their room.
    const [first, last] = [onTheWayBack[0], onTheWayBack.at(-1)!];
    expect(onTheWayBack.length).toBe(20);
    expect(first - last).toBeGreaterThan(18);
  });
});
