import type { RunValues } from "./run-values.ts";

/** The runs of a group that have the same x. */
export interface GroupPoint {
  readonly x: number | string;
  readonly mean: number;
  /** Population deviation √(Σ(y − mean)²/n); undefined for one run. */
  readonly deviation: number | undefined;
  readonly values: readonly number[];
}

/** Mean and population deviation of y over the runs of each x, in the order of x. */
export function groupPoints(runs: readonly RunValues[]): readonly GroupPoint[] {
  const byX = new Map<number | string, number[]>();
  for (const { x, y } of runs) byX.set(x, [...(byX.get(x) ?? []), y]);
  return [...byX].sort(([a], [b]) => compareX(a, b)).map(([x, values]) => pointOf(x, values));
}

function pointOf(x: number | string, values: readonly number[]): GroupPoint {
  const mean = values.reduce((sum, value) => sum + value / values.length, 0);
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2 / values.length, 0);
  return { x, mean, deviation: values.length > 1 ? Math.sqrt(variance) : undefined, values };
}

const collator = new Intl.Collator("en", { numeric: true });

/** Numbers inside texts count as such: `length_9` is before `length_11`. */
export function compareX(a: number | string, b: number | string): number {
  if (typeof a === "number" && typeof b === "number") return a - b;
  return collator.compare(String(a), String(b)) || (a < b ? -1 : Number(a > b));
}

/** All x values of the groups, sorted. */
export function xValuesOf(
  groups: readonly (readonly GroupPoint[])[],
): readonly (number | string)[] {
  const values = new Set(groups.flatMap((points) => points.map(({ x }) => x)));
  return [...values].sort(compareX);
}
