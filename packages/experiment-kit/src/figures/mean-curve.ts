import type { MetricSeries } from "../run-folder/metrics-reader.ts";

/** A metric against the epoch: of one run, or the mean of several with its deviation. */
export interface MeanCurve {
  readonly epochs: Int32Array;
  readonly mean: Float64Array;
  /** Population deviation √(Σ(v − mean)²/n) over the runs; absent for one run. */
  readonly deviation?: Float64Array;
}

/**
 * The mean over runs and its population deviation, at the epochs that all runs have recorded (so that
 * every point is a mean of the same runs). NaN where a run has NaN.
 *
 * @param runs one metric of each run, at increasing epochs; at least one.
 */
export function meanCurve(runs: readonly Pick<MetricSeries, "epochs" | "values">[]): MeanCurve {
  if (runs.length === 1) return { epochs: runs[0]!.epochs, mean: runs[0]!.values };
  const epochs = commonEpochs(runs.map((run) => run.epochs));
  const mean = new Float64Array(epochs.length);
  const deviation = new Float64Array(epochs.length);
  const columns = runs.map((run) => valuesAt(run, epochs));
  for (let i = 0; i < epochs.length; i++) {
    let sum = 0;
    for (const column of columns) sum += column[i]!;
    mean[i] = sum / runs.length;
    let squares = 0;
    for (const column of columns) squares += (column[i]! - mean[i]!) ** 2;
    deviation[i] = Math.sqrt(squares / runs.length);
  }
  return { epochs, mean, deviation };
}

function commonEpochs(lists: readonly Int32Array[]): Int32Array {
  const [first, ...others] = lists;
  const sets = others.map((list) => new Set(list));
  return first!.filter((epoch) => sets.every((set) => set.has(epoch)));
}

function valuesAt(
  { epochs, values }: Pick<MetricSeries, "epochs" | "values">,
  wanted: Int32Array,
): Float64Array {
  let at = 0;
  return Float64Array.from(wanted, (epoch) => {
    while (epochs[at]! < epoch) at++;
    return values[at]!;
  });
}
