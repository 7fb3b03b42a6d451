import type { Callback, Fit } from "../fit/callback.ts";
import { METRIC_SOURCES } from "../fit/metric-values.ts";
import type { MetricReference, TrackedMetrics } from "../fit/metric-values.ts";
import { jsonField, numberFromJson, numberToJson } from "../json.ts";
import type { Json } from "../json.ts";

/** The metric that a run is judged by, resolved among the metrics that it tracks. */
export interface Score {
  readonly metric: MetricReference;
  readonly largest: boolean;
}

/** The best score so far and all tracked values at that epoch. */
export interface BestScore {
  readonly value: number;
  /** -1: no score yet. */
  readonly epoch: number;
  /** Values and epochs in the order train, validation, extra. */
  readonly values: Float64Array;
  readonly epochs: Int32Array;
}

/** Remembers the best score (first on ties; NaN never wins) and the values of all metrics at that epoch. */
export function scoreTracker(
  score: Score,
  metrics: TrackedMetrics,
): Callback & { readonly best: BestScore } {
  const { group, index } = score.metric;
  const total = METRIC_SOURCES.reduce((sum, source) => sum + metrics[source].values.length, 0);
  const best = {
    value: score.largest ? -Infinity : Infinity,
    epoch: -1,
    values: new Float64Array(total).fill(Number.NaN),
    epochs: new Int32Array(total).fill(-1),
  };
  const snapshot = (): void => {
    let offset = 0;
    for (const source of METRIC_SOURCES) {
      best.values.set(metrics[source].values, offset);
      best.epochs.set(metrics[source].epochs, offset);
      offset += metrics[source].values.length;
    }
  };
  return {
    best,
    onEpochEnd(fit: Fit) {
      if (group.epochs[index] !== fit.epoch) return;
      const value = group.values[index]!;
      if (!Number.isFinite(value) || !(score.largest ? value > best.value : value < best.value))
        return;
      best.value = value;
      best.epoch = fit.epoch;
      snapshot();
    },
    state: () => ({
      value: numberToJson(best.value),
      epoch: best.epoch,
      values: Array.from(best.values, numberToJson),
      epochs: [...best.epochs],
    }),
    restoreState(state) {
      best.value = numberFromJson(jsonField(state, "value"));
      best.epoch = numberFromJson(jsonField(state, "epoch"));
      copyNumbers(jsonField(state, "values"), best.values);
      copyNumbers(jsonField(state, "epochs"), best.epochs);
    },
  };
}

/** Copies a JSON list of numbers; entries that are missing stay as they are. */
export function copyNumbers(from: Json | undefined, to: Float64Array | Int32Array): void {
  if (!Array.isArray(from)) return;
  const list = from as readonly Json[];
  for (let i = 0; i < Math.min(list.length, to.length); i++) to[i] = numberFromJson(list[i]);
}
