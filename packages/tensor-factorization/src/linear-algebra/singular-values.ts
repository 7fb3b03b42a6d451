import type { NdArray } from "ndarray";
import type { Floats } from "../model/types.ts";
import { contiguous } from "../tensor/contiguous.ts";
import { multiplyTransposedRight } from "./products.ts";
import { createSymmetricEigensolver } from "./symmetric-eigenvalues.ts";

/** Computes singular values of matrices of one size on arrays made once. */
export interface SingularValueSolver {
  /** min(rows, cols). */
  readonly count: number;
  /** The matrix to decompose, rows × cols with rows ≤ cols, row-major: fill it, then `solve`. */
  readonly matrix: Float64Array;
  /** Descending; the returned array is reused. NaN for a matrix that is not finite. */
  solve(): Float64Array;
}

/**
 * σ_i = √λ_i(A Aᵀ), with A scaled to largest entry 1 so that nothing overflows or vanishes.
 *
 * In double precision λ is exact to ε λ_1, so σ is exact to about 1e-8 σ_1 at worst and to ε σ_1 for
 * values near σ_1. The parameters are float32, whose rounding already moves every σ by 6e-8 σ_1, and
 * ranks are counted above max(rows, cols) · 1.2e-7 σ_1: the Gram matrix loses nothing that was there.
 */
export function createSingularValueSolver(rows: number, cols: number): SingularValueSolver {
  const matrix = new Float64Array(rows * cols);
  const gram = new Float64Array(rows * rows);
  const eigensolver = createSymmetricEigensolver(rows);
  return {
    count: rows,
    matrix,
    solve() {
      const scale = largestSize(matrix);
      if (scale > 0) for (let i = 0; i < matrix.length; i++) matrix[i] /= scale;
      multiplyTransposedRight(matrix, matrix, gram, rows, rows, cols);
      if (!Number.isFinite(scale)) return gram.fill(NaN).subarray(0, rows);
      const values = eigensolver.solve(gram);
      for (let i = 0; i < rows; i++) values[i] = scale * Math.sqrt(Math.max(0, values[i]));
      return values;
    },
  };
}

/** max |x|, or NaN if any x is. */
function largestSize(values: Float64Array): number {
  let largest = 0;
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i]);
    if (!(size <= largest)) largest = size;
    if (Number.isNaN(size)) return NaN;
  }
  return largest;
}

/** The min(rows, cols) singular values of a matrix, descending. */
export function singularValues(matrix: NdArray<Floats>): Float64Array {
  const [rows, cols] = matrix.shape;
  const wide = rows <= cols ? matrix : matrix.transpose(1, 0);
  const solver = createSingularValueSolver(Math.min(rows, cols), Math.max(rows, cols));
  solver.matrix.set(contiguous(wide));
  return solver.solve();
}
