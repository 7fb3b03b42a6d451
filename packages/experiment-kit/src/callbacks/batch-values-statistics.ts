import type { MetricInfo } from "../experiment.ts";
import type { Callback, Fit } from "../fit/callback.ts";
import { findMetric } from "../fit/metric-values.ts";
import type { MetricValues } from "../fit/metric-values.ts";

/** What is computed from the values that a metric had in the batches of an epoch. */
export type BatchStatistic = "mean" | "median" | "max" | "min" | "std";

/** Of which metrics which statistic becomes a metric of its own. */
export interface BatchValuesStatisticsOptions {
  /** All train metrics of the experiment. */
  readonly trainMetrics: readonly MetricInfo[];
  readonly statistic: BatchStatistic;
  /** Only these metrics; default: all. */
  readonly createOnlyFor?: readonly string[];
  readonly exclude?: readonly string[];
}

/**
 * Adds the metric `batch <name> <statistic>` for train metrics: a statistic over the values of one
 * epoch's batches (unweighted; `std` is the population's).
 */
export function batchValuesStatistics(options: BatchValuesStatisticsOptions): Callback {
  const { trainMetrics, statistic, createOnlyFor, exclude = [] } = options;
  const chosen = trainMetrics
    .map(({ name }, index) => ({ name, index }))
    .filter(
      ({ name }) =>
        (createOnlyFor === undefined || createOnlyFor.includes(name)) && !exclude.includes(name),
    );
  const metrics = chosen.map(({ name }) => ({ name: `batch ${name} ${statistic}` }));
  let histories: readonly Float64Array[] = [];
  let extra: MetricValues;
  let firstIndex = 0;
  return {
    metrics,
    onFitInitialization(fit: Fit) {
      histories = chosen.map(() => new Float64Array(fit.trainable.batchesPerEpoch));
      extra = fit.metrics.extra;
      firstIndex = metrics.length === 0 ? 0 : findMetric(fit.metrics, metrics[0]!.name)!.index;
    },
    onTrainBatchEnd(fit: Fit, batch: number) {
      for (let i = 0; i < chosen.length; i++)
        histories[i]![batch] = fit.batchValues[chosen[i]!.index]!;
    },
    onEpochTrainEnd(fit: Fit) {
      for (let i = 0; i < chosen.length; i++) {
        extra.values[firstIndex + i] = STATISTICS[statistic](histories[i]!);
        extra.epochs[firstIndex + i] = fit.epoch;
      }
    },
  };
}

const STATISTICS: Readonly<Record<BatchStatistic, (values: Float64Array) => number>> = {
  mean,
  median(values) {
    const sorted = values.toSorted();
    const middle = sorted.length >> 1;
    return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
  },
  max: (values) => values.reduce((a, b) => Math.max(a, b), -Infinity),
  min: (values) => values.reduce((a, b) => Math.min(a, b), Infinity),
  std(values) {
    const center = mean(values);
    return Math.sqrt(values.reduce((sum, value) => sum + (value - center) ** 2, 0) / values.length);
  },
};

function mean(values: Float64Array): number {
  return values.reduce((a, b) => a + b, 0) / values.length;
}
