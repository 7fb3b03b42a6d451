import type { Curve } from "./report-data.ts";

/**
 * A curve with at most about `limit` points (at least 8). Of every stretch of equally many points the
 * first, lowest, highest and last are kept, and the first gap (NaN): no extreme is lost.
 */
export function thinCurve(curve: Curve, limit: number): Curve {
  const { epochs, values } = curve;
  const { length } = values;
  if (length <= Math.max(8, limit)) return curve;
  const stretches = Math.max(2, Math.floor(limit / 4));
  const kept: number[] = [];
  for (let s = 0; s < stretches; s++) {
    const start = Math.floor((s * length) / stretches);
    const end = Math.floor(((s + 1) * length) / stretches);
    keepExtremes(values, start, end, kept);
  }
  return {
    epochs: Float64Array.from(kept, (i) => epochs[i]!),
    values: Float64Array.from(kept, (i) => values[i]!),
  };
}

function keepExtremes(values: ArrayLike<number>, start: number, end: number, kept: number[]): void {
  let low = -1;
  let high = -1;
  let gap = -1;
  for (let i = start; i < end; i++) {
    const value = values[i]!;
    if (!Number.isFinite(value)) {
      if (gap < 0) gap = i;
      continue;
    }
    if (low < 0 || value < values[low]!) low = i;
    if (high < 0 || value > values[high]!) high = i;
  }
  const chosen = new Set([start, low, high, gap, end - 1].filter((i) => i >= 0));
  kept.push(...[...chosen].sort((a, b) => a - b));
}
