import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expectSums, randomTensor } from "./against-cpu.ts";
import { onCpu, useSimdBackend } from "./backends.ts";

useSimdBackend();

const size = fc.integer({ min: 1, max: 40 });
const cases = fc.record({
  m: size,
  n: size,
  k: size,
  outer: fc.constantFrom<[number[], number[]][]>(
    [[], []],
    [[3], [3]],
    [
      [2, 3],
      [2, 3],
    ],
    [[4], [1]],
    [[1], [4]],
    [
      [2, 3],
      [1, 1],
    ],
  ),
  transposeA: fc.boolean(),
  transposeB: fc.boolean(),
  seed: fc.nat(),
});

describe("matrix products", () => {
  test("equal the cpu backend's for any sizes, transpositions and stacks", async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ m, n, k, outer, transposeA, transposeB, seed }) => {
        const a = randomTensor(seed, [...outer[0], ...(transposeA ? [k, m] : [m, k])]);
        const b = randomTensor(seed + 1, [...outer[1], ...(transposeB ? [n, k] : [k, n])]);
        const context = JSON.stringify({ m, n, k, outer, transposeA, transposeB });
        const compute = (left: tf.Tensor, right: tf.Tensor): tf.Tensor =>
          tf.matMul(left, right, transposeA, transposeB);
        await expectSums(compute, [a, b], k, context);
        tf.dispose([a, b]);
      }),
      { numRuns: 60 },
    );
  });

  test("stacks that broadcast with one another go to the cpu kernel", () => {
    const a = tf.ones([2, 1, 3, 4]);
    expect(() => tf.matMul(a, tf.ones([1, 2, 4, 5])).dataSync()).not.toThrow();
  });

  test.each(["linear", "relu", "relu6", "elu", "sigmoid", "leakyrelu", "prelu"] as const)(
    "fused with a bias and %s",
    async (activation) => {
      const [a, b] = [randomTensor(1, [5, 12]), randomTensor(2, [7, 12])];
      const [bias, slope] = [randomTensor(3, [7]), randomTensor(4, [7])];
      const compute = (): Float32Array =>
        tf.tidy(() =>
          tf.fused
            .matMul({
              a,
              b,
              transposeA: false,
              transposeB: true,
              bias,
              activation,
              ...(activation === "prelu" ? { preluActivationWeights: slope } : {}),
            })
            .dataSync<"float32">(),
        );
      compute();
      const before = tf.memory();
      const actual = compute();
      expect(tf.memory()).toEqual(before);
      const expected = await onCpu(compute);
      // 12 terms of at most 1 and a bias: (2 · 13 + 10) · 2^-24 · 13.
      for (let i = 0; i < expected.length; i++) {
        expect(Math.abs(actual[i]! - expected[i]!)).toBeLessThan(3e-5);
      }
      tf.dispose([a, b, bias, slope]);
    },
  );
});
