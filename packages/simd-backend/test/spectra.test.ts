import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { KernelFailureError } from "../src/index.ts";
import { numbers, uniform } from "./reference.ts";
import { nameOf, testRuntimes, upload } from "./runtimes.ts";

const runtimes = testRuntimes();

/** Classical Jacobi rotations: an independent and very accurate method. */
function jacobiEigenvalues(matrix: readonly number[][]): number[] {
  const a = matrix.map((row) => [...row]);
  const n = a.length;
  for (let sweep = 0; sweep < 40; sweep++) {
    for (let p = 0; p < n; p++) for (let q = p + 1; q < n; q++) rotate(a, p, q);
  }
  return a.map((row, i) => row[i]!).sort((x, y) => y - x);
}

function rotate(a: number[][], p: number, q: number): void {
  if (a[p]![q] === 0) return;
  const theta = (a[q]![q]! - a[p]![p]!) / (2 * a[p]![q]!);
  const t = (theta < 0 ? -1 : 1) / (Math.abs(theta) + Math.hypot(theta, 1));
  const c = 1 / Math.hypot(t, 1);
  const s = t * c;
  for (const row of a) {
    [row[p], row[q]] = [c * row[p]! - s * row[q]!, s * row[p]! + c * row[q]!];
  }
  for (let k = 0; k < a.length; k++) {
    [a[p]![k], a[q]![k]] = [c * a[p]![k]! - s * a[q]![k]!, s * a[p]![k]! + c * a[q]![k]!];
  }
}

function eigenvalues(runtime: (typeof runtimes)[number], matrix: readonly number[][]): number[] {
  const mark = runtime.mark();
  const n = matrix.length;
  const pointer = runtime.allocate(8 * n * n);
  const out = runtime.allocate(8 * n);
  runtime.doubles(pointer, n * n).set(matrix.flat());
  runtime.symmetricEigenvalues(pointer, n, out);
  const values = [...runtime.doubles(out, n)];
  runtime.release(mark);
  return values;
}

// Backward stable: within a small multiple of n · 2^-53 of the largest eigenvalue.
function expectEigenvalues(actual: readonly number[], expected: readonly number[]): void {
  const largest = Math.max(...expected.map(Math.abs));
  actual.forEach((value, i) =>
    expect(Math.abs(value - expected[i]!)).toBeLessThanOrEqual(
      8 * actual.length * 2 ** -53 * largest,
    ),
  );
}

describe("symmetricEigenvalues", () => {
  const symmetric = fc.tuple(
    fc.integer({ min: 1, max: 24 }),
    fc.nat(),
    fc.integer({ min: -9, max: 9 }),
  );

  test("equals Jacobi's method on random matrices of any scale", () => {
    fc.assert(
      fc.property(symmetric, ([n, seed, exponent]) => {
        const next = numbers(seed);
        const matrix = Array.from({ length: n }, () => new Array<number>(n).fill(0));
        for (let i = 0; i < n; i++) {
          for (let j = 0; j <= i; j++) {
            matrix[i]![j] = matrix[j]![i] = next() * 10 ** exponent;
          }
        }
        const expected = jacobiEigenvalues(matrix);
        for (const runtime of runtimes) expectEigenvalues(eigenvalues(runtime, matrix), expected);
      }),
      { numRuns: 60 },
    );
  });

  test("diagonal, zero, rank-one and repeated cases", () => {
    const ones = Array.from({ length: 7 }, () => new Array<number>(7).fill(1));
    const diagonal = [3, -1, 0, 2].map((value, i) =>
      [0, 0, 0, 0].map((_, j) => (i === j ? value : 0)),
    );
    for (const runtime of runtimes) {
      expectEigenvalues(eigenvalues(runtime, ones), [7, 0, 0, 0, 0, 0, 0]);
      expect(eigenvalues(runtime, diagonal)).toEqual([3, 2, 0, -1]);
      expect(
        eigenvalues(runtime, [
          [0, 0],
          [0, 0],
        ]),
      ).toEqual([0, 0]);
      expect(eigenvalues(runtime, [[5]])).toEqual([5]);
      expect(eigenvalues(runtime, [])).toEqual([]);
    }
  });

  test("the path graph's Laplacian of order 64 has the eigenvalues 2 - 2 cos(πk/64)", () => {
    const n = 64;
    const laplacian = Array.from({ length: n }, (_, i) =>
      Array.from({ length: n }, (_, j) => {
        if (i === j) return i === 0 || i === n - 1 ? 1 : 2;
        return Math.abs(i - j) === 1 ? -1 : 0;
      }),
    );
    const expected = Array.from(
      { length: n },
      (_, k) => 2 - 2 * Math.cos((Math.PI * (n - 1 - k)) / n),
    );
    for (const runtime of runtimes) expectEigenvalues(eigenvalues(runtime, laplacian), expected);
  });

  test("a Gram matrix of low rank, whose small entries are rounding noise, at any scale", () => {
    const [n, rank] = [64, 3];
    for (const scale of [1, 1e-12, 1e9]) {
      const next = numbers(17);
      const factor = Array.from({ length: rank }, () => Array.from({ length: n }, next));
      const gram = (rows: readonly number[][]) =>
        rows.map((x) =>
          rows.map((y) => scale * x.reduce((sum, value, i) => sum + value * y[i]!, 0)),
        );
      const columns = Array.from({ length: n }, (_, i) => factor.map((row) => row[i]!));
      // The other product of the factor has the same eigenvalues beside zeros.
      const expected = [...jacobiEigenvalues(gram(factor)), ...new Array<number>(n - rank).fill(0)];
      for (const runtime of runtimes)
        expectEigenvalues(eigenvalues(runtime, gram(columns)), expected);
    }
  });

  test("a matrix with NaN or infinity is refused instead of iterating forever", () => {
    for (const runtime of runtimes) {
      for (const bad of [Number.NaN, Infinity, -Infinity]) {
        for (const matrix of [
          [[bad]],
          [
            [1, bad],
            [bad, 1],
          ],
          [
            [bad, 1, 0],
            [1, 1, 1],
            [0, 1, 2],
          ],
        ]) {
          expect(() => eigenvalues(runtime, matrix)).toThrow(KernelFailureError);
        }
      }
    }
  });
});

describe("gramFloat64", () => {
  test("is the Gram matrix over the smaller side, in float64", () => {
    const sides = fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 30, max: 60 }));
    fc.assert(
      fc.property(sides, sides, fc.nat(4), fc.nat(), (rows, cols, slack, seed) => {
        const lda = cols + slack;
        const a = uniform(numbers(seed), rows * lda);
        const order = Math.min(rows, cols);
        const depth = Math.max(rows, cols);
        const entry = (i: number, p: number) => (rows <= cols ? a[i * lda + p]! : a[p * lda + i]!);
        for (const runtime of runtimes) {
          const mark = runtime.mark();
          const out = runtime.allocate(8 * order * order);
          const builder = runtime.program();
          builder.gramFloat64({ a: upload(runtime, a), rows, cols, lda, out });
          builder.compile().run();
          const gram = runtime.doubles(out, order * order);
          for (let i = 0; i < order; i++) {
            for (let j = 0; j < order; j++) {
              let sum = 0;
              for (let p = 0; p < depth; p++) sum += entry(i, p) * entry(j, p);
              const difference = Math.abs(gram[i * order + j]! - sum);
              // Exact products of float32 values, float64 sums.
              expect(difference, nameOf(runtime)).toBeLessThanOrEqual(depth * depth * 2 ** -52);
            }
          }
          runtime.release(mark);
        }
      }),
      { numRuns: 40 },
    );
  });
});
