/** Relative spacing of float32 numbers, 2^-23: the precision that parameters are trained in. */
export const float32Epsilon = 2 ** -23;

/** The nuclear norm Σ σ_i of a matrix with these singular values. */
export function nuclearNorm(singularValues: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < singularValues.length; i++) sum += singularValues[i];
  return sum;
}

/**
 * exp(-Σ p_i ln p_i) with p_i = σ_i / Σ σ, zeros left out (Roy and Vetterli 2007): 1 for a matrix of
 * rank one, n for n equal singular values. A zero matrix, having no terms, gives exp(0) = 1.
 */
export function effectiveRank(singularValues: Float64Array): number {
  const sum = nuclearNorm(singularValues);
  let entropy = 0;
  for (let i = 0; i < singularValues.length; i++) {
    if (singularValues[i] === 0) continue;
    const share = singularValues[i] / sum;
    entropy -= share * Math.log(share);
  }
  return Math.exp(entropy);
}

/** The number of singular values (descending) above max(rows, cols) · epsilon · σ_1. */
export function matrixRank(
  singularValues: Float64Array,
  rows: number,
  cols: number,
  epsilon: number = float32Epsilon,
): number {
  const threshold = Math.max(rows, cols) * epsilon * singularValues[0];
  let rank = 0;
  for (let i = 0; i < singularValues.length; i++) if (singularValues[i] > threshold) rank += 1;
  return rank;
}
