import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { maxPool, type Pooling, registerMissingGradients } from "../src/index.ts";
import { backends, useBackend } from "./backends.ts";
import { expectClose } from "./closeness.ts";
import { inner, normalTensor } from "./random-tensors.ts";

describe.each(backends)("on backend %s", (backend) => {
  beforeAll(async () => {
    await useBackend(backend);
    registerMissingGradients();
  });

  /** For each entry of the result where its value is in x: the first maximum, row by row. */
  function winners(x: tf.Tensor4D, { size, stride, padding }: Pooling): number[] {
    const [samples, height, width, channels] = x.shape;
    const values = x.dataSync();
    const [rows, columns] = [height, width].map(
      (n) => Math.floor((n + 2 * padding - size) / stride) + 1,
    );
    const found: number[] = [];
    for (let n = 0; n < samples; n++)
      for (let row = 0; row < rows; row++)
        for (let column = 0; column < columns; column++)
          for (let c = 0; c < channels; c++) {
            let winner = -1;
            for (let i = 0; i < size; i++)
              for (let j = 0; j < size; j++) {
                const [h, w] = [row * stride - padding + i, column * stride - padding + j];
                if (h < 0 || w < 0 || h >= height || w >= width) continue;
                const index = ((n * height + h) * width + w) * channels + c;
                if (winner < 0 || values[index] > values[winner]) winner = index;
              }
            found.push(winner);
          }
    return found;
  }

  const poolings = fc.record({
    samples: fc.integer({ min: 1, max: 2 }),
    height: fc.integer({ min: 3, max: 8 }),
    width: fc.integer({ min: 3, max: 8 }),
    channels: fc.integer({ min: 1, max: 3 }),
    size: fc.integer({ min: 1, max: 3 }),
    stride: fc.integer({ min: 1, max: 3 }),
    padding: fc.integer({ min: 0, max: 1 }),
    seed: fc.nat(1000),
    // Few values, so that many are equal, or many.
    rounded: fc.boolean(),
  });

  describe.each([
    ["maxPool of ours", maxPool],
    [
      "tf.maxPool",
      (x: tf.Tensor4D, { size, stride, padding }: Pooling) => tf.maxPool(x, size, stride, padding),
    ],
  ])("%s", (_, pool) => {
    test("value, gradient and both gradients of the gradient pick the first maximum", () => {
      fc.assert(
        fc.property(
          poolings.filter(({ size, padding }) => padding < size),
          ({ samples, height, width, channels, seed, rounded, ...pooling }) => {
            tf.tidy(() => {
              const normal = normalTensor<tf.Rank.R4>([samples, height, width, channels], seed);
              const x = rounded ? tf.round(normal) : normal;
              const places = winners(x, pooling);
              const values = x.dataSync();
              const y = pool(x, pooling);
              expect([...y.dataSync()]).toEqual(places.map((place) => values[place]));

              const dy = normalTensor(y.shape, seed + 1);
              const scatter = (dy: tf.Tensor) =>
                tf.grad((x) => inner(dy, pool(x as tf.Tensor4D, pooling)))(x);
              const wanted = new Float64Array(x.size);
              dy.dataSync().forEach((value, i) => (wanted[places[i]] += value));
              expectClose(scatter(dy).dataSync(), wanted, 1e-6);

              const z = normalTensor(x.shape, seed + 2);
              const gathered = tf.grad((dy) => inner(z, scatter(dy)))(dy);
              const zs = z.dataSync();
              expectClose(
                gathered.dataSync(),
                places.map((place) => zs[place]),
                1e-6,
              );

              // Once more: the gradient of gathering is scattering again.
              const gather = (z: tf.Tensor) => tf.grad((dy) => inner(z, scatter(dy)))(dy);
              const scattered = tf.grad((z) => inner(dy, gather(z)))(z);
              expectClose(scattered.dataSync(), wanted, 1e-6);
            });
          },
        ),
        { numRuns: 60 },
      );
    });

    test("a second derivative through the pooled values", () => {
      const x = normalTensor<tf.Rank.R4>([1, 6, 6, 2], 3);
      const z = normalTensor<tf.Rank.R4>([1, 6, 6, 2], 4);
      const pooling = { size: 3, stride: 2, padding: 1 };
      // Σ y³ / 6 has the Hessian diag(y) in y.
      const value = (x: tf.Tensor) => {
        const y = pool(x as tf.Tensor4D, pooling);
        return tf.div(tf.sum(tf.mul(y, tf.square(y))), 6);
      };
      const actual = tf.grad((x) => inner(z, tf.grad(value)(x)))(x);
      const [values, zs] = [x.dataSync(), z.dataSync()];
      const wanted = new Float64Array(x.size);
      for (const place of winners(x, pooling)) wanted[place] += values[place] * zs[place];
      expectClose(actual.dataSync(), wanted, 1e-6);
    });
  });
});
