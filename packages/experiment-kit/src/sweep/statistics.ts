/** Of the finite values of several runs. */
export interface Statistics {
  readonly count: number;
  readonly mean: number;
  /** Sample standard deviation √(Σ(x − mean)² / (n − 1)); null for a single value. */
  readonly deviation: number | null;
  readonly min: number;
  readonly max: number;
}

/** Undefined if no value is finite. */
export function statisticsOf(values: readonly (number | null)[]): Statistics | undefined {
  const finite = values.filter((value) => value !== null && Number.isFinite(value)) as number[];
  const count = finite.length;
  if (count === 0) return undefined;
  const mean = finite.reduce((sum, value) => sum + value, 0) / count;
  const squares = finite.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  return {
    count,
    mean,
    deviation: count === 1 ? null : Math.sqrt(squares / (count - 1)),
    min: Math.min(...finite),
    max: Math.max(...finite),
  };
}
