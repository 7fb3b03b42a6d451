/** Sums over gray values, from which mean and deviation follow. */
export interface GrayMoments {
  sum: number;
  squares: number;
  count: number;
}

/** Exact: sums of whole bytes stay below 2⁵³. */
export function addGrayValues(moments: GrayMoments, bytes: Uint8Array): void {
  for (const byte of bytes) {
    moments.sum += byte;
    moments.squares += byte * byte;
  }
  moments.count += bytes.length;
}

/** Of pixels in [0, 1]; the deviation is the unbiased one (n - 1), as in PyTorch. */
export function meanAndDeviation({ sum, squares, count }: GrayMoments): {
  mean: number;
  std: number;
} {
  const variance = (squares - (sum * sum) / count) / (count - 1);
  return { mean: sum / count / 255, std: Math.sqrt(variance) / 255 };
}
