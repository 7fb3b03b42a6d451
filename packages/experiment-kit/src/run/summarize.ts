import type { BestScore } from "../callbacks/score-tracker.ts";
import type { Fit } from "../fit/callback.ts";
import { METRIC_SOURCES } from "../fit/metric-values.ts";
import type { TrackedMetrics } from "../fit/metric-values.ts";
import type { StopRequest } from "../fit/stop-request.ts";
import { finiteOrNull } from "../json.ts";
import type { Outcome, TrackedValueSummary } from "../run-folder/summary-file.ts";
import type { RunResult, TrainedSummary } from "./run-options.ts";
import type { Session } from "./session.ts";

export interface End {
  readonly outcome: RunResult["outcome"];
  readonly reason: string;
  readonly exitCode: 0 | 1 | 130;
}

/** What the end of a fit means for the run. */
export function describeEnd(stop: StopRequest | undefined): End {
  if (stop === undefined)
    return { outcome: "completed", reason: "all epochs were run", exitCode: 0 };
  const { kind, message: reason } = stop;
  if (kind === "interrupted") return { outcome: "interrupted", reason, exitCode: 130 };
  if (kind === "not-finite") return { outcome: "diverged", reason, exitCode: 1 };
  return { outcome: "stopped", reason, exitCode: 0 };
}

export interface SummaryParts {
  readonly session: Session;
  readonly fit: Fit;
  readonly best: BestScore;
  readonly outcome: Outcome;
  readonly reason: string;
  /** SHA-256 of metrics.jsonl, if it is whole. */
  readonly metricsSha256?: string | undefined;
}

/** The content of summary.json; keys of the PyTorch counterpart, and what it left out. */
export function summarize({
  session,
  fit,
  best,
  outcome,
  reason,
  metricsSha256,
}: SummaryParts): TrainedSummary {
  const { record, flags, metrics, score } = session;
  const { group, index, name } = score.metric;
  const useBest = flags.return_best_score && best.epoch >= 0;
  const bestKeys = useBest
    ? { best_score_epoch: best.epoch, best_score_epoch_tracked_values: bestValues(metrics, best) }
    : {};
  return {
    version: 1,
    experiment: record.experiment,
    outcome,
    stop_reason: reason,
    ...(outcome === "completed" ? {} : { exception: reason }),
    score_name: name,
    score: finiteOrNull(useBest ? best.value : group.values[index]!),
    score_epoch: useBest ? best.epoch : group.epochs[index]!,
    score_largest: score.largest,
    last_epoch: fit.epoch,
    epochs_run: fit.epoch - record.first_epoch + 1,
    duration_seconds: fit.elapsedSeconds(),
    seed: record.seed,
    num_model_parameters: record.num_model_parameters,
    times_resumed: session.timesResumed,
    last_tracked_values: lastValues(metrics),
    ...(metricsSha256 === undefined ? {} : { metrics_sha256: metricsSha256 }),
    ...bestKeys,
  };
}

/** The last value of every metric, and its epoch. */
export function lastValues(metrics: TrackedMetrics): Record<string, TrackedValueSummary> {
  const tracked: Record<string, TrackedValueSummary> = {};
  for (const source of METRIC_SOURCES) {
    const { infos, values, epochs } = metrics[source];
    infos.forEach(({ name }, i) => {
      tracked[name] = { value: finiteOrNull(values[i]!), epoch: epochs[i]! };
    });
  }
  return tracked;
}

/** Values at the best epoch, each with the epoch that it was really measured in. */
function bestValues(metrics: TrackedMetrics, best: BestScore): Record<string, TrackedValueSummary> {
  const tracked: Record<string, TrackedValueSummary> = {};
  let offset = 0;
  for (const source of METRIC_SOURCES) {
    for (const { name } of metrics[source].infos) {
      tracked[name] = { value: finiteOrNull(best.values[offset]!), epoch: best.epochs[offset]! };
      offset++;
    }
  }
  return tracked;
}
