import { MisuseError } from "../errors.ts";
import type { Experiment, MetricInfo, StopRule, Trainable } from "../experiment.ts";
import { createMetricValues, findMetric, metricNames } from "../fit/metric-values.ts";
import type { MetricReference, TrackedMetrics } from "../fit/metric-values.ts";
import { nearest } from "../flags/nearest.ts";
import type { SharedFlags } from "../flags/shared-flags.ts";
import type { Score } from "../callbacks/score-tracker.ts";

/**
 * The places for all metrics of a run.
 *
 * @throws TypeError (a defect of the experiment) if two have one name.
 */
export function trackMetrics(trainable: Trainable, extra: readonly MetricInfo[]): TrackedMetrics {
  const metrics = {
    train: createMetricValues(trainable.trainMetrics),
    validation: createMetricValues(trainable.validationMetrics),
    extra: createMetricValues(extra),
  };
  const names = metricNames(metrics);
  const twice = names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new TypeError(`two metrics have the name ${twice}`);
  if (names.includes("epoch") || names.includes("time"))
    throw new TypeError("a metric cannot be named epoch or time");
  return metrics;
}

/**
 * The score that the flags ask for: the named metric (larger is better unless `--score_largest False`),
 * or the experiment's own with its own direction, which also holds if that one is named.
 *
 * @throws MisuseError if there is no such metric.
 */
export function resolveScore(
  experiment: Experiment,
  flags: SharedFlags,
  metrics: TrackedMetrics,
): Score {
  const { defaultScore } = experiment;
  const { score_metric_name: name, is_train_metric: isTrain, score_largest: largest } = flags;
  if (name === "") {
    const metric = findMetric(metrics, defaultScore.metric);
    if (metric === undefined)
      throw new TypeError(`the experiment's score ${defaultScore.metric} is not among its metrics`);
    return { metric, largest: defaultScore.largest };
  }
  const metric = requireMetric(metrics, name, "--score_metric_name");
  if (isTrain && metric.source !== "train") {
    throw new MisuseError(`--is_train_metric: ${name} is a validation metric; leave the flag out`);
  }
  return {
    metric,
    largest: largest ?? (name === defaultScore.metric ? defaultScore.largest : true),
  };
}

/** The metric of a stop rule. */
export function resolveRuleMetric(rule: StopRule, metrics: TrackedMetrics): MetricReference {
  const metric = findMetric(metrics, rule.metric);
  if (metric === undefined)
    throw new TypeError(
      `the stop rule's metric ${rule.metric} is not among the experiment's metrics`,
    );
  return metric;
}

function requireMetric(metrics: TrackedMetrics, name: string, flag: string): MetricReference {
  const metric = findMetric(metrics, name);
  if (metric !== undefined) return metric;
  const names = metricNames(metrics);
  const similar = nearest(name, names);
  const hint =
    similar === undefined ? `the metrics are ${list(names)}` : `did you mean ${similar}?`;
  throw new MisuseError(`${flag}: this experiment has no metric ${JSON.stringify(name)}; ${hint}`);
}

function list(names: readonly string[]): string {
  return names.length <= 12
    ? names.join(", ")
    : `${names.slice(0, 12).join(", ")} and ${names.length - 12} more`;
}
