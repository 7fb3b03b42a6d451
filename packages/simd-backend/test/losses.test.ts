import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { LossKind } from "../src/index.ts";
import { accumulate, expectClose, integers, numbers, uniform } from "./reference.ts";
import { nameOf, testRuntimes, upload, uploadInts } from "./runtimes.ts";

const runtimes = testRuntimes();

const losses = fc.constantFrom<LossKind>("l2", "l1", "huber");
const threshold = 0.5;

function lossOf(kind: LossKind, d: number): number {
  if (kind === "l2") return d * d;
  if (kind === "l1") return Math.abs(d);
  return Math.abs(d) < threshold ? (d * d) / (2 * threshold) : Math.abs(d) - threshold / 2;
}

function derivativeOf(kind: LossKind, d: number, count: number): number {
  if (kind === "l2") return (2 * d) / count;
  if (kind === "l1" || Math.abs(d) >= threshold) return Math.sign(d) / count;
  return d / threshold / count;
}

/** The four sums, in the order of the kernels. */
function sumsOf(kind: LossKind, predictions: ArrayLike<number>, targets: ArrayLike<number>) {
  const sums = [0, 0, 0, 0];
  for (let s = 0; s < predictions.length; s++) {
    const d = predictions[s]! - targets[s]!;
    sums[0]! += lossOf(kind, d);
    sums[1]! += d * d;
    sums[2]! += Math.abs(predictions[s]!);
    sums[3] = Math.max(sums[3]!, Math.abs(predictions[s]!));
  }
  return sums;
}

/** Float64 sums of up to some ten thousand terms near 1. */
function expectSums(actual: Float64Array, expected: readonly number[]): void {
  expected.forEach((sum, i) =>
    expect(Math.abs(actual[i]! - sum)).toBeLessThanOrEqual(1e-11 * (1 + sum)),
  );
}

describe("residual", () => {
  test("writes the derivative at the indexed predictions only, and sums in float64", () => {
    const counts = fc.oneof(fc.integer({ min: 1, max: 60 }), fc.integer({ min: 9000, max: 20000 }));
    fc.assert(
      fc.property(counts, losses, fc.boolean(), fc.nat(), (count, loss, indexed, seed) => {
        const next = numbers(seed);
        const length = indexed ? 2 * count : count;
        const prediction = uniform(next, length);
        const targets = uniform(next, length);
        // Some predictions are right.
        for (let s = 0; s < length; s += 7) targets[s] = prediction[s]!;
        const index = Int32Array.from({ length: count }, (_, s) => (indexed ? 2 * s + 1 : s));
        const targetIndex = indexed ? integers(next, count, length) : index;
        const p = Array.from(index, (i) => prediction[i]!);
        const t = Array.from(targetIndex, (i) => targets[i]!);
        const expected = accumulate(length, (add) => {
          if (indexed) for (let i = 0; i < length; i += 2) add(i, 9);
          index.forEach((i, s) => add(i, derivativeOf(loss, p[s]! - t[s]!, count)));
        });
        let bits: Float64Array | undefined;
        for (const runtime of runtimes) {
          const mark = runtime.mark();
          const gradient = upload(runtime, new Float32Array(length).fill(9));
          const sums = runtime.allocate(32);
          const builder = runtime.program();
          builder.residual({
            prediction: upload(runtime, prediction),
            index: indexed ? uploadInts(runtime, index) : undefined,
            targets: upload(runtime, targets),
            targetIndex: indexed ? uploadInts(runtime, targetIndex) : undefined,
            count,
            loss,
            threshold,
            gradient,
            sums,
          });
          builder.compile().run();
          expectClose(runtime.floats(gradient, length), expected, 1, nameOf(runtime));
          const actual = runtime.doubles(sums, 4).slice();
          expectSums(actual, sumsOf(loss, p, t));
          // Scalar float64 arithmetic: the same bits from every variant and thread count.
          expect(actual).toEqual((bits ??= actual));
          runtime.release(mark);
        }
      }),
      { numRuns: 30 },
    );
  });

  test("not-a-number reaches the gradient and the sums", () => {
    for (const runtime of runtimes) {
      const mark = runtime.mark();
      const gradient = runtime.allocate(12);
      const sums = runtime.allocate(32);
      const builder = runtime.program();
      builder.residual({
        prediction: upload(runtime, [1, Number.NaN, 3]),
        targets: upload(runtime, [1, 1, 1]),
        count: 3,
        loss: "l1",
        gradient,
        sums,
      });
      builder.compile().run();
      expect(Array.from(runtime.floats(gradient, 3), Number.isNaN)).toEqual([false, true, false]);
      expect(Array.from(runtime.doubles(sums, 4), Number.isNaN)).toEqual([true, true, true, true]);
      runtime.release(mark);
    }
  });
});

describe("measure", () => {
  const sizes = fc.record({
    rows: fc.integer({ min: 1, max: 40 }),
    length: fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 600, max: 900 })),
    loss: losses,
    indexed: fc.boolean(),
    seed: fc.nat(),
  });

  test("equals predictions, residuals and their product with the inputs", () => {
    fc.assert(
      fc.property(sizes, ({ rows, length, loss, indexed, seed }) => {
        const next = numbers(seed);
        const stored = indexed ? 2 * rows : rows;
        const inputs = uniform(next, stored * length);
        const targets = uniform(next, stored);
        const weights = uniform(next, length);
        const index = indexed
          ? integers(next, rows, stored)
          : Int32Array.from({ length: rows }, (_, s) => s);
        const predictions = accumulate(rows, (add) => {
          for (let s = 0; s < rows; s++)
            for (let c = 0; c < length; c++) add(s, inputs[index[s]! * length + c]! * weights[c]!);
        });
        for (const runtime of runtimes) {
          const mark = runtime.mark();
          const gradient = upload(runtime, new Float32Array(length).fill(Number.NaN));
          const sums = runtime.allocate(32);
          const predicted = runtime.allocate(4 * rows);
          const builder = runtime.program();
          builder.measure({
            inputs: upload(runtime, inputs),
            length,
            rows,
            index: indexed ? uploadInts(runtime, index) : undefined,
            weights: upload(runtime, weights),
            targets: upload(runtime, targets),
            loss,
            threshold,
            gradient,
            sums,
            predictions: predicted,
          });
          const program = builder.compile();
          program.run();
          const p = runtime.floats(predicted, rows);
          expectClose(p, predictions, length, nameOf(runtime));
          // The rest is judged by the predictions as they were rounded: a loss may have a kink there.
          const t = Array.from(index, (i) => targets[i]!);
          expectSums(runtime.doubles(sums, 4), sumsOf(loss, p, t));
          const expected = accumulate(length, (add) => {
            for (let s = 0; s < rows; s++) {
              const derivative = derivativeOf(loss, p[s]! - t[s]!, rows);
              for (let c = 0; c < length; c++) add(c, derivative * inputs[index[s]! * length + c]!);
            }
          });
          const first = runtime.floats(gradient, length).slice();
          expectClose(first, expected, rows + 1, nameOf(runtime));
          program.run();
          expect(runtime.floats(gradient, length)).toEqual(first);
          runtime.release(mark);
        }
      }),
      { numRuns: 60 },
    );
  });
});
