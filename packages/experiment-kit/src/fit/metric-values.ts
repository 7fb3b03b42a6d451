import type { MetricInfo } from "../experiment.ts";

/** The latest values of some metrics, and the epoch (0-based) that each was last updated in; -1: never. */
export interface MetricValues {
  readonly infos: readonly MetricInfo[];
  readonly values: Float64Array;
  readonly epochs: Int32Array;
}

/**
 * Storage for the current values of metrics, NaN until they are set.
 *
 * @param infos the metrics; their order is that of the values.
 */
export function createMetricValues(infos: readonly MetricInfo[]): MetricValues {
  return {
    infos,
    values: new Float64Array(infos.length).fill(Number.NaN),
    epochs: new Int32Array(infos.length).fill(-1),
  };
}

/** One metric among all that a run tracks. */
export interface MetricReference {
  readonly name: string;
  readonly source: MetricSource;
  readonly group: MetricValues;
  readonly index: number;
}

/** Extra metrics are those that callbacks add. */
export type MetricSource = "train" | "validation" | "extra";

/** All metrics of a run, in the order train, validation, extra. */
export type TrackedMetrics = Readonly<Record<MetricSource, MetricValues>>;

export const METRIC_SOURCES: readonly MetricSource[] = ["train", "validation", "extra"];

/** Finds a metric by its name; names are unique over all sources. */
export function findMetric(metrics: TrackedMetrics, name: string): MetricReference | undefined {
  for (const source of METRIC_SOURCES) {
    const group = metrics[source];
    const index = group.infos.findIndex((info) => info.name === name);
    if (index >= 0) return { name, source, group, index };
  }
  return undefined;
}

/** The names of all metrics. */
export function metricNames(metrics: TrackedMetrics): readonly string[] {
  return METRIC_SOURCES.flatMap((source) => metrics[source].infos.map((info) => info.name));
}
