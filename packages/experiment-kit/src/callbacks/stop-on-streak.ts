import { formatValue } from "../output/format.ts";
import type { Callback, Fit } from "../fit/callback.ts";
import type { MetricReference } from "../fit/metric-values.ts";
import { StopRequest } from "../fit/stop-request.ts";
import { jsonField, numberFromJson } from "../json.ts";
import { isCheckEpoch } from "./check-epoch.ts";

interface StreakOptions {
  readonly metric: MetricReference;
  readonly holds: (value: number) => boolean;
  readonly patience: number;
  readonly cooldown: number;
  readonly message: (value: number, checks: number) => string;
}

/** Stops when a condition on a metric holds at more than `patience` checks in a row. */
function stopOnStreak(options: StreakOptions): Callback {
  const { group, index } = options.metric;
  let streak = 0;
  return {
    onEpochEnd(fit: Fit) {
      if (!isCheckEpoch(fit, options.cooldown)) return;
      const value = group.values[index]!;
      streak = options.holds(value) ? streak + 1 : 0;
      if (streak > options.patience) throw new StopRequest("rule", options.message(value, streak));
    },
    state: () => ({ streak }),
    restoreState(state) {
      streak = numberFromJson(jsonField(state, "streak")) || 0;
    },
  };
}

/** Stops when the loss is below `tolerance` at more than `patience` checks in a row. */
export function stopOnZeroTrainLoss(options: {
  readonly metric: MetricReference;
  readonly tolerance?: number;
  readonly patience?: number;
  readonly cooldown?: number;
}): Callback {
  const { metric, tolerance = 1e-6, patience = 10, cooldown = 0 } = options;
  return stopOnStreak({
    metric,
    patience,
    cooldown,
    holds: (value) => value < tolerance,
    message: (value, checks) =>
      `${metric.name} was below ${formatValue(tolerance)} at ${checks} checks in a row (now ${formatValue(value)})`,
  });
}

/** Stops when the metric is ≥ `threshold` (`largest`) or ≤ it, at more than `patience` checks in a row. */
export function stopOnMetricValue(options: {
  readonly metric: MetricReference;
  readonly threshold: number;
  readonly largest: boolean;
  readonly patience?: number;
  readonly cooldown?: number;
}): Callback {
  const { metric, threshold, largest, patience = 10, cooldown = 0 } = options;
  return stopOnStreak({
    metric,
    patience,
    cooldown,
    holds: largest ? (value) => value >= threshold : (value) => value <= threshold,
    message: (value, checks) =>
      `${metric.name} was ${largest ? "at least" : "at most"} ${threshold} at ${checks} checks in a row (now ${formatValue(value)})`,
  });
}
