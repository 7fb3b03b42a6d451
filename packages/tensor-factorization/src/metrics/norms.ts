import type { Floats, ParameterLayout } from "../model/types.ts";

/** The Frobenius norm √(Σ v²) of values in any arrangement. */
export function frobeniusNorm(values: ArrayLike<number>): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) sum += values[i] * values[i];
  return Math.sqrt(sum);
}

/** Writes the Euclidean norm of each column of a parameter matrix to `norms`. */
export function columnNorms(values: Floats, layout: ParameterLayout, norms: Float64Array): void {
  const { rows, cols, offset } = layout;
  norms.fill(0, 0, cols);
  for (let i = 0; i < rows; i++) {
    const start = offset + i * cols;
    for (let c = 0; c < cols; c++) {
      const value = values[start + c];
      norms[c] += value * value;
    }
  }
  for (let c = 0; c < cols; c++) norms[c] = Math.sqrt(norms[c]);
}

/** Writes the Euclidean norm of each row of a parameter matrix to `norms`. */
export function rowNorms(values: Floats, layout: ParameterLayout, norms: Float64Array): void {
  const { rows, cols, offset } = layout;
  for (let i = 0; i < rows; i++) {
    const start = offset + i * cols;
    let sum = 0;
    for (let c = 0; c < cols; c++) {
      const value = values[start + c];
      sum += value * value;
    }
    norms[i] = Math.sqrt(sum);
  }
}
