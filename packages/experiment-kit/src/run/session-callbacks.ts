import { earlyStopping } from "../callbacks/early-stopping.ts";
import { metricsStream } from "../callbacks/metrics-stream.ts";
import { progressLogger } from "../callbacks/progress-logger.ts";
import { scoreTracker } from "../callbacks/score-tracker.ts";
import type { BestScore, Score } from "../callbacks/score-tracker.ts";
import { stopOnMetricValue, stopOnZeroTrainLoss } from "../callbacks/stop-on-streak.ts";
import { stopOnTimeout } from "../callbacks/stop-on-timeout.ts";
import { terminateOnNaN } from "../callbacks/terminate-on-nan.ts";
import type { StopRule, Trainable } from "../experiment.ts";
import type { Callback } from "../fit/callback.ts";
import type { TrackedMetrics } from "../fit/metric-values.ts";
import type { SharedFlags } from "../flags/shared-flags.ts";
import type { RunConsole } from "../output/console.ts";
import type { RunLog } from "../output/run-log.ts";
import type { MetricsWriter } from "../run-folder/metrics-writer.ts";
import { tensorboard } from "../tensorboard/tensorboard.ts";
import { resolveRuleMetric } from "./resolve-metrics.ts";

export interface CallbackParts {
  /** The run folder. */
  readonly folder: string;
  readonly flags: SharedFlags;
  readonly trainable: Trainable;
  readonly metrics: TrackedMetrics;
  readonly score: Score;
  readonly stops: readonly StopRule[];
  /** Those of the experiment and of the caller. */
  readonly added: ReadonlyMap<string, Callback>;
  readonly writer: MetricsWriter;
  readonly log: RunLog;
  readonly console: RunConsole;
}

/**
 * The callbacks of a run in the order in which they are called: recording first, then what may stop the
 * run, then what was added, then reporting. Checkpoints, which save the state of all, come after these.
 */
export function sessionCallbacks(parts: CallbackParts): {
  readonly callbacks: ReadonlyMap<string, Callback>;
  readonly best: BestScore;
} {
  const { flags, metrics, score, stops, added, writer, log, console } = parts;
  const tracker = scoreTracker(score, metrics);
  const callbacks = new Map<string, Callback>([
    ["metrics_stream", metricsStream(writer, flags.epoch_log_interval)],
    ["score", tracker],
    ["terminate_on_nan", terminateOnNaN({ verifyBatches: parts.trainable.batchesPerEpoch > 1 })],
    ...stops.map((rule, i) => [ruleName(rule, i, stops), ruleCallback(rule, metrics)] as const),
  ]);
  if (flags.early_stop) {
    callbacks.set(
      "early_stop",
      earlyStopping({
        metric: score.metric,
        largest: score.largest,
        minDelta: flags.early_stop_min_delta,
        patience: flags.early_stop_patience,
        cooldown: flags.early_stop_cooldown,
        restoreBestWeights: flags.early_stop_restore_best,
      }),
    );
  }
  if (flags.timeout_seconds > 0)
    callbacks.set("stop_on_timeout", stopOnTimeout({ seconds: flags.timeout_seconds }));
  for (const [name, callback] of added) {
    if (callbacks.has(name)) throw new TypeError(`the callback name ${name} is taken by the kit`);
    callbacks.set(name, callback);
  }
  const { batchesPerEpoch } = parts.trainable;
  const batchInterval =
    flags.train_batch_log_interval <= batchesPerEpoch ? flags.train_batch_log_interval : 0;
  callbacks.set(
    "logging",
    progressLogger({
      log,
      console,
      score: score.metric,
      epochLogInterval: flags.epoch_log_interval,
      trainBatchLogInterval: batchesPerEpoch === 1 ? 0 : batchInterval,
      severalBatches: batchesPerEpoch > 1,
    }),
  );
  if (flags.use_tensorboard || flags.tensorboard) {
    const flush = (): void => writer.flush();
    callbacks.set("tensorboard", tensorboard({ folder: parts.folder, log, flush }));
  }
  return { callbacks, best: tracker.best };
}

function ruleName(rule: StopRule, index: number, rules: readonly StopRule[]): string {
  const name = rule.kind === "zero-train-loss" ? "stop_on_zero_train_loss" : "stop_on_metric_value";
  return rules.findIndex(({ kind }) => kind === rule.kind) === index ? name : `${name}_${index}`;
}

function ruleCallback(rule: StopRule, metrics: TrackedMetrics): Callback {
  const metric = resolveRuleMetric(rule, metrics);
  return rule.kind === "zero-train-loss"
    ? stopOnZeroTrainLoss({ ...rule, metric })
    : stopOnMetricValue({ ...rule, metric });
}
