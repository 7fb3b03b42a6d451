import { createRandom } from "@implicit-rank/random";
import fc from "fast-check";
import { determinant as referenceDeterminant, Matrix, SingularValueDecomposition } from "ml-matrix";
import ndarray from "ndarray";
import { describe, expect, test } from "vitest";
import { determinant } from "../src/linear-algebra/determinant.ts";
import {
  multiply,
  multiplyTransposedLeft,
  multiplyTransposedRight,
} from "../src/linear-algebra/products.ts";
import { singularValues } from "../src/index.ts";
import { seeds } from "./arbitraries.ts";
import { expectClose } from "./closeness.ts";

const sizes = fc.integer({ min: 1, max: 11 });

function randomMatrix(rows: number, cols: number, seed: number): Matrix {
  const data = new Float64Array(rows * cols);
  createRandom(seed).fillNormal(data, 0, 1);
  return Matrix.from1DArray(rows, cols, data);
}

function flat(matrix: Matrix): Float64Array {
  return Float64Array.from(matrix.to1DArray());
}

function referenceSingularValues(matrix: Matrix): number[] {
  const options = { autoTranspose: true, computeLeftSingularVectors: false };
  return new SingularValueDecomposition(matrix, options).diagonal.toSorted((a, b) => b - a);
}

describe("products", () => {
  test("are those of ml-matrix for any sizes, and overwrite what was there", () => {
    fc.assert(
      fc.property(sizes, sizes, sizes, seeds, (n, k, m, seed) => {
        const a = randomMatrix(n, k, seed);
        const b = randomMatrix(k, m, seed + 1);
        const expected = flat(a.mmul(b));
        const out = new Float64Array(n * m).fill(NaN);
        multiply(flat(a), flat(b), out, n, k, m);
        expectClose(out, expected, 1e-13);
        multiplyTransposedLeft(flat(a.transpose()), flat(b), out.fill(NaN), k, n, m);
        expectClose(out, expected, 1e-13);
        multiplyTransposedRight(flat(a), flat(b.transpose()), out.fill(NaN), n, m, k);
        expectClose(out, expected, 1e-13);
      }),
    );
  });
});

describe("singular values", () => {
  test("are those of ml-matrix's SVD, to 1e-7 of the largest", () => {
    fc.assert(
      fc.property(sizes, sizes, seeds, (rows, cols, seed) => {
        const matrix = randomMatrix(rows, cols, seed);
        const values = singularValues(ndarray(flat(matrix), [rows, cols]));
        expectClose(values, referenceSingularValues(matrix), 1e-7);
      }),
    );
  });

  test("of a low-rank matrix the missing ones are below 1e-7 of the largest", () => {
    fc.assert(
      fc.property(sizes, sizes, sizes, seeds, (rows, cols, rank, seed) => {
        const matrix = randomMatrix(rows, rank, seed).mmul(randomMatrix(rank, cols, seed + 1));
        const values = singularValues(ndarray(flat(matrix), [rows, cols]));
        expectClose(values, referenceSingularValues(matrix), 1e-7);
        for (const value of values.slice(rank)) expect(value).toBeLessThan(1e-7 * values[0]);
      }),
    );
  });

  test("of 64×64, the size of the default problem, well separated ones to 1e-12", () => {
    const matrix = randomMatrix(64, 5, 1).mmul(randomMatrix(5, 64, 2));
    const values = singularValues(ndarray(flat(matrix), [64, 64]));
    expectClose(values.slice(0, 5), referenceSingularValues(matrix).slice(0, 5), 1e-12);
  });

  test("neither overflow nor vanish", () => {
    for (const scale of [1e-200, 1e200]) {
      const matrix = ndarray(Float64Array.of(3 * scale, 0, 0, 4 * scale), [2, 2]);
      expectClose(singularValues(matrix), [4 * scale, 3 * scale], 1e-12);
    }
  });

  test("of diagonal and zero matrices are their entries", () => {
    const diagonal = Matrix.diag([3, 0, 5, 0, 4]);
    expectClose(singularValues(ndarray(flat(diagonal), [5, 5])), [5, 4, 3, 0, 0], 1e-14);
    expect([...singularValues(ndarray(new Float64Array(20), [4, 5]))]).toEqual([0, 0, 0, 0]);
  });

  test("of zero are zero, and of what is not finite NaN", () => {
    expect([...singularValues(ndarray(new Float32Array(6), [2, 3]))]).toEqual([0, 0]);
    expect([...singularValues(ndarray(Float32Array.of(1, NaN, 2, 3), [2, 2]))]).toEqual([NaN, NaN]);
    expect([...singularValues(ndarray(Float64Array.of(1, Infinity), [1, 2]))]).toEqual([NaN]);
    expect([...singularValues(ndarray(Float64Array.of(1, 2, -Infinity, 0), [2, 2]))]).toEqual([
      NaN,
      NaN,
    ]);
  });
});

test("the determinant is that of ml-matrix", () => {
  fc.assert(
    fc.property(sizes, seeds, (n, seed) => {
      const matrix = randomMatrix(n, n, seed);
      expectClose([determinant(flat(matrix), n)], [referenceDeterminant(matrix)], 1e-9);
    }),
  );
  expect(determinant(Float64Array.of(1, 2, 2, 4), 2)).toBe(0);
  // Without the largest pivot of each column, 1 is lost beside 1e20.
  expect(determinant(Float64Array.of(1e-20, 1, 1, 1), 2)).toBe(-1);
  expect(determinant(Float64Array.of(2, 0, 0, 0, 1e-20, 1, 0, 1, 1), 3)).toBe(-2);
  expect(determinant(Float64Array.of(0, 1, 1, 0), 2)).toBe(-1);
});
