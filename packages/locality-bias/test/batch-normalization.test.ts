import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, test } from "vitest";
import { batchNormalizationTraining, registerMissingGradients } from "../src/index.ts";
import { backends, useBackend } from "./backends.ts";
import { expectClose } from "./closeness.ts";
import { inner, normalTensor } from "./random-tensors.ts";

describe.each(backends)("on backend %s", (backend) => {
  beforeAll(async () => {
    await useBackend(backend);
    registerMissingGradients();
  });

  type Vector = Float64Array;

  /** Batch norm of rows × channels and its gradient by their definitions, in float64. */
  function reference(x: Vector, scale: Vector, dy: Vector, epsilon: number) {
    const channels = scale.length;
    const rows = x.length / channels;
    const [dx, dScale, dOffset] = [x.length, channels, channels].map((n) => new Float64Array(n));
    const y = new Float64Array(x.length);
    for (let c = 0; c < channels; c++) {
      const of = (v: Vector) => Array.from({ length: rows }, (_, row) => v[row * channels + c]);
      const mean = of(x).reduce((sum, v) => sum + v, 0) / rows;
      const variance = of(x).reduce((sum, v) => sum + (v - mean) ** 2, 0) / rows;
      const r = 1 / Math.sqrt(variance + epsilon);
      const hats = of(x).map((v) => (v - mean) * r);
      // The derivative of x̂ in row i by x in row j: r (δᵢⱼ - 1/N - x̂ᵢ x̂ⱼ / N).
      of(dy).forEach((cotangent, i) => {
        y[i * channels + c] = scale[c] * hats[i];
        dOffset[c] += cotangent;
        dScale[c] += cotangent * hats[i];
        for (let j = 0; j < rows; j++) {
          const slope = r * ((i === j ? 1 : 0) - 1 / rows - (hats[i] * hats[j]) / rows);
          dx[j * channels + c] += cotangent * scale[c] * slope;
        }
      });
    }
    return { y, dx, dScale, dOffset };
  }

  const dot = (a: Vector, b: Vector): number => a.reduce((sum, v, i) => sum + v * b[i], 0);

  describe.each([
    [[2, 3, 4, 3], 1e-5],
    [[1, 1, 3, 2], 1e-5],
    // An epsilon of the size of the variance: x̂ is far from unit variance.
    [[3, 2, 2, 4], 0.7],
  ] as const)("shape %o, epsilon %d", (shape, epsilon) => {
    const channels = shape[3];
    const tensor4d = (seed: number) => normalTensor<tf.Rank.R4>(shape, seed);
    const tensor1d = (seed: number) => normalTensor<tf.Rank.R1>([channels], seed);
    const double = (x: tf.Tensor) => Float64Array.from(x.dataSync());

    test("value and first gradients are those of the definition", () => {
      const [x, dy] = [tensor4d(1), tensor4d(2)];
      const [scale, offset] = [tensor1d(3), tensor1d(4)];
      const wanted = reference(double(x), double(scale), double(dy), epsilon);
      const { y } = batchNormalizationTraining(x, scale, offset, epsilon);
      expectClose(tf.sub(y, offset).dataSync(), wanted.y, 2e-6);
      const [dx, dScale, dOffset] = tf.grads((x, scale, offset) =>
        inner(dy, batchNormalizationTraining(x as tf.Tensor4D, scale, offset, epsilon).y),
      )([x, scale, offset]);
      expectClose(dx.dataSync(), wanted.dx, 5e-6);
      expectClose(dScale.dataSync(), wanted.dScale, 5e-6);
      expectClose(dOffset.dataSync(), wanted.dOffset, 5e-6);
    });

    test("the second gradients agree with finite differences in float64", () => {
      const [x, dy, ddx] = [tensor4d(1), tensor4d(2), tensor4d(5)];
      const [scale, offset, ddScale, ddOffset] = [3, 4, 6, 7].map(tensor1d);
      // L = ⟨ddx, dx⟩ + ⟨ddScale, dScale⟩ + ⟨ddOffset, dOffset⟩
      const ofGradients = tf.grads((dy, x, scale) => {
        const [dx, dScale, dOffset] = tf.grads((x, scale, offset) =>
          inner(dy, batchNormalizationTraining(x as tf.Tensor4D, scale, offset, epsilon).y),
        )([x, scale, offset]);
        return tf.add(inner(ddx, dx), tf.add(inner(ddScale, dScale), inner(ddOffset, dOffset)));
      });
      const actual = ofGradients([dy, x, scale]);
      const at = [dy, x, scale].map(double);
      const [cx, cScale, cOffset] = [ddx, ddScale, ddOffset].map(double);
      const lagrangian = ([dy, x, scale]: readonly Vector[]): number => {
        const { dx, dScale, dOffset } = reference(x, scale, dy, epsilon);
        return dot(cx, dx) + dot(cScale, dScale) + dot(cOffset, dOffset);
      };
      actual.forEach((gradient, argument) => {
        const wanted = at[argument].map((_, entry) => {
          const [after, before] = [1e-5, -1e-5].map((step) => {
            const moved = at.map((vector) => vector.slice());
            moved[argument][entry] += step;
            return lagrangian(moved);
          });
          return (after - before) / 2e-5;
        });
        // Float32 rounding; r is large where three values happen to be close.
        expectClose(gradient.dataSync(), wanted, 2e-5);
      });
    });

    test("the second gradients are those of autodiff through a composition", () => {
      const [x, dy, ddx] = [tensor4d(8), tensor4d(9), tensor4d(10)];
      const [scale, offset] = [tensor1d(11), tensor1d(12)];
      const secondGradients = (normalize: (x: tf.Tensor, scale: tf.Tensor) => tf.Tensor) =>
        tf.grads((x, scale, dy) => {
          const [dx, dScale] = tf.grads((x, scale) => inner(dy, normalize(x, scale)))([x, scale]);
          return tf.add(inner(ddx, dx), tf.sum(tf.square(dScale)));
        })([x, scale, dy]);
      const composed = secondGradients((x, scale) => {
        const centered = tf.sub(x, tf.mean(x, [0, 1, 2]));
        const variance = tf.mean(tf.square(centered), [0, 1, 2]);
        return tf.add(tf.mul(centered, tf.mul(scale, tf.rsqrt(tf.add(variance, epsilon)))), offset);
      });
      const ours = secondGradients(
        (x, scale) => batchNormalizationTraining(x as tf.Tensor4D, scale, offset, epsilon).y,
      );
      ours.forEach((gradient, i) => expectClose(gradient.dataSync(), composed[i].dataSync(), 5e-5));
    });
  });
});
