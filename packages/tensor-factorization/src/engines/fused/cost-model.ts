/**
 * What the operations of a training step cost, in multiply-adds of a well-blocked matrix product.
 *
 * The weights say how many such multiply-adds one elementary operation of another kind is worth; they
 * were read off `benchmarks/kernels.ts` and only need to be right within a factor of two, since the
 * plans they choose between usually differ by far more.
 */
export const costWeights = {
  /** One multiply-add of a dot product or an axpy over gathered rows. */
  gathered: 2,
  /** One element of an elementwise product, scaling or copy. */
  elementwise: 3,
} as const;

/** Multiply-adds of an (m × k) by (k × n) product. */
export function productCost(m: number, n: number, k: number): number {
  return m * n * k;
}

/**
 * Cost of the bilinear form T = L · Rᵀ (left rows × right rows) over `width` columns, forward and
 * backward (dL = E · R, dR = Eᵀ · L), where every entry is computed.
 */
export function denseFormCost(leftRows: number, rightRows: number, width: number): number {
  return 3 * productCost(leftRows, rightRows, width);
}

/** The same where only `samples` entries are computed, row by row. */
export function sampledFormCost(samples: number, width: number): number {
  return 3 * costWeights.gathered * samples * width;
}
