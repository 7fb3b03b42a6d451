import type { ArrayFile } from "@implicit-rank/array-files";
import { checkpointing } from "../callbacks/checkpoint.ts";
import { metricsPlotter } from "../callbacks/metrics-plotter.ts";
import { copyNumbers } from "../callbacks/score-tracker.ts";
import type { BestScore, Score } from "../callbacks/score-tracker.ts";
import { isUserError, RunError } from "../errors.ts";
import type { StopRule, Trainable } from "../experiment.ts";
import type { Callback, Fit } from "../fit/callback.ts";
import { runFit } from "../fit/fit-loop.ts";
import { METRIC_SOURCES } from "../fit/metric-values.ts";
import type { TrackedMetrics } from "../fit/metric-values.ts";
import { StopRequest } from "../fit/stop-request.ts";
import type { SharedFlags } from "../flags/shared-flags.ts";
import { finiteOrNull } from "../json.ts";
import type { Json } from "../json.ts";
import type { RunConsole } from "../output/console.ts";
import { formatValue } from "../output/format.ts";
import type { RunLog } from "../output/run-log.ts";
import { createPlotThread } from "../plots/plot-thread.ts";
import { valuesForState } from "../run-folder/checkpoint-file.ts";
import type {
  Checkpoint,
  CheckpointState,
  RetainedCheckpoint,
} from "../run-folder/checkpoint-file.ts";
import { listCheckpoints, retain, storeCheckpoint } from "../run-folder/checkpoint-store.ts";
import type { RunRecord } from "../run-folder/config-file.ts";
import { runPaths } from "../run-folder/files.ts";
import { openMetricsWriter } from "../run-folder/metrics-writer.ts";
import type { MetricsWriter } from "../run-folder/metrics-writer.ts";
import { writeSummary } from "../run-folder/summary-file.ts";
import { watchInterruption } from "./interruption.ts";
import { defaultResumeCommand } from "./run-options.ts";
import type { RunOptions, RunResult } from "./run-options.ts";
import { sessionCallbacks } from "./session-callbacks.ts";
import { describeEnd, summarize } from "./summarize.ts";

/** A run that is ready to be trained: its folder is made and locked, its config written. */
export interface Session {
  readonly folder: string;
  readonly record: RunRecord;
  readonly flags: SharedFlags;
  readonly trainable: Trainable;
  readonly metrics: TrackedMetrics;
  readonly score: Score;
  readonly stops: readonly StopRule[];
  readonly added: ReadonlyMap<string, Callback>;
  readonly log: RunLog;
  readonly console: RunConsole;
  readonly options: RunOptions;
  /** The first epoch to run, unless `resumed` says more. */
  readonly firstEpoch: number;
  readonly lastEpoch: number;
  /** The checkpoint that the run goes on from; the trainable is restored already. */
  readonly resumed?: Checkpoint;
  readonly timesResumed: number;
}

/**
 * Trains a session to its end and writes its summary.
 *
 * @throws what a callback or the trainable threw; the summary then says "failed".
 */
export async function runSession(session: Session): Promise<RunResult> {
  const { folder, log, console, options, flags } = session;
  const resumeCommand = (options.resumeCommand ?? defaultResumeCommand)(folder);
  const writer = openMetricsWriter(runPaths(folder).metrics, session.metrics);
  const { callbacks, best } = sessionCallbacks({ ...session, writer });
  restoreCallbacks(callbacks, session.resumed);
  const retained: RetainedCheckpoint[] = [...(session.resumed?.state.retained ?? [])];
  const save = (fit: Fit): Promise<void> =>
    saveCheckpoint(session, fit, callbacks, writer, retained);
  const saveInterval = flags.save_every_num_val * flags.validate_every;
  const checkpoints = checkpointing({
    interval: flags.save_checkpoints ? saveInterval : 0,
    save,
    log,
  });
  const plotter = flags.save_metric_plots
    ? [
        metricsPlotter({
          thread: createPlotThread(folder),
          interval: saveInterval,
          log,
          flush: () => writer.flush(),
        }),
      ]
    : [];
  const watch = watchInterruption(
    { handleSignals: options.handleSignals ?? true, signal: options.signal },
    (reason) => {
      log.warning(
        `${reason}: finishing the epoch and saving a checkpoint; a second time ends at once`,
      );
    },
  );
  let fit: Fit | undefined;
  const keepFit: Callback = {
    onFitInitialization(state) {
      fit = state;
    },
  };
  try {
    console.event("start", {
      folder,
      epochs: session.lastEpoch - session.firstEpoch + 1,
      first_epoch: session.firstEpoch,
      seed: session.record.seed,
    });
    const ended = await fitSession(
      session,
      [keepFit, ...callbacks.values(), checkpoints, ...plotter],
      watch.interruption,
    );
    return await finish(session, ended, best, writer, resumeCommand);
  } catch (error) {
    await reportFailure(session, fit, best, writer, error);
    throw withRemedy(error, resumeCommand);
  } finally {
    watch.dispose();
    writer.close();
  }
}

/** A training that was over when its last checkpoint was written has only its end left to do. */
async function fitSession(
  session: Session,
  callbacks: readonly Callback[],
  interruption: { reason: string | undefined },
): Promise<Fit> {
  const { trainable, metrics, flags, resumed } = session;
  const over = resumed?.state.stop;
  return runFit({
    trainable,
    metrics,
    callbacks,
    firstEpoch: session.firstEpoch,
    lastEpoch: session.lastEpoch,
    validateEvery: flags.validate_every,
    elapsedBefore: resumed?.state.elapsedSeconds ?? 0,
    interruption,
    ...(over === null || over === undefined
      ? {}
      : { stopped: new StopRequest(over.kind, over.message) }),
  });
}

function restoreCallbacks(
  callbacks: ReadonlyMap<string, Callback>,
  resumed: Checkpoint | undefined,
): void {
  if (resumed === undefined) return;
  for (const [name, callback] of callbacks) {
    const state = resumed.state.callbacks[name];
    if (state !== undefined) callback.restoreState?.(state);
    const arrays = resumed.callbackArrays[name];
    if (arrays !== undefined) callback.restoreArrays?.(arrays);
  }
}

/** Puts the tracked values of a checkpoint back. */
export function restoreMetrics(metrics: TrackedMetrics, state: CheckpointState): void {
  for (const source of METRIC_SOURCES) {
    const saved = state.values[source];
    if (saved === undefined) continue;
    copyNumbers(saved.values, metrics[source].values);
    copyNumbers(saved.epochs, metrics[source].epochs);
  }
}

async function saveCheckpoint(
  session: Session,
  fit: Fit,
  callbacks: ReadonlyMap<string, Callback>,
  writer: MetricsWriter,
  retained: RetainedCheckpoint[],
): Promise<void> {
  const { flags, metrics, score, folder, record } = session;
  // The lines must be on the disk before a checkpoint relies on them.
  writer.flush({ durable: true });
  const model = await fit.trainable.save();
  refuseNotFinite(model, fit.epoch);
  const added = {
    epoch: fit.epoch,
    score: finiteOrNull(score.metric.group.values[score.metric.index]!),
  };
  const byScore = flags.save_checkpoints_by_score ? { byScore: { largest: score.largest } } : {};
  retained.splice(
    0,
    Infinity,
    ...retain(retained, added, { keep: flags.num_checkpoints, ...byScore }),
  );
  const states: Record<string, Json> = {};
  const callbackArrays: Record<string, ArrayFile> = {};
  for (const [name, callback] of callbacks) {
    const state = callback.state?.();
    if (state !== undefined) states[name] = state;
    const arrays = callback.arrays?.();
    if (arrays !== undefined) callbackArrays[name] = arrays;
  }
  const isOver = fit.stop !== undefined && fit.stop.kind !== "interrupted";
  const state: CheckpointState = {
    experiment: record.experiment,
    run: record.id,
    epoch: fit.epoch,
    elapsedSeconds: fit.elapsedSeconds(),
    timesResumed: session.timesResumed,
    metricsBytes: writer.bytes,
    metricsSha256: writer.sha256(),
    stop: isOver ? { kind: fit.stop.kind, message: fit.stop.message } : null,
    values: valuesForState(metrics),
    callbacks: states,
    retained: [...retained],
  };
  await storeCheckpoint(runPaths(folder).checkpoints, { state, model, callbackArrays });
}

/** Parameters that are NaN would make every later checkpoint worthless and could replace a good one. */
function refuseNotFinite(model: ArrayFile, epoch: number): void {
  for (const [name, { data }] of Object.entries(model.arrays)) {
    if (!(data instanceof Float32Array || data instanceof Float64Array)) continue;
    for (const value of data) {
      if (!Number.isFinite(value))
        throw new StopRequest("not-finite", `${name} is not finite any more after epoch ${epoch}`);
    }
  }
}

async function finish(
  session: Session,
  fit: Fit,
  best: BestScore,
  writer: MetricsWriter,
  resumeCommand: string,
): Promise<RunResult> {
  const { folder, log, console } = session;
  const end = describeEnd(fit.stop);
  const summary = summarize({ session, fit, best, ...end, metricsSha256: writer.sha256() });
  await writeSummary(folder, summary);
  const last = (await listCheckpoints(runPaths(folder).checkpoints))[0];
  if (end.outcome === "diverged")
    log.error(`The run diverged. Last good checkpoint: ${last?.path ?? "none was saved"}`);
  const epochOfScore = summary.score_epoch < 0 ? "" : ` at epoch ${summary.score_epoch}`;
  const scoreText = summary.score === null ? "none" : formatValue(summary.score);
  log.info(`Score: ${summary.score_name} ${scoreText}${epochOfScore}. Run folder: ${folder}`);
  if (end.outcome === "interrupted")
    log.info(`Interrupted after epoch ${fit.epoch}. To resume: ${resumeCommand}`);
  console.event("end", {
    folder,
    ...summary,
    ...(end.outcome === "interrupted" ? { resume_command: resumeCommand } : {}),
  });
  return {
    folder,
    outcome: end.outcome,
    exitCode: end.exitCode,
    score: summary.score,
    scoreName: summary.score_name,
    scoreEpoch: summary.score_epoch,
    summary,
  };
}

async function reportFailure(
  session: Session,
  fit: Fit | undefined,
  best: BestScore,
  writer: MetricsWriter,
  error: unknown,
): Promise<void> {
  const text =
    error instanceof Error && !isUserError(error)
      ? (error.stack ?? error.message)
      : String((error as Error).message);
  session.log.failure(`Exception while running experiment. ${text}`);
  if (fit === undefined) return;
  const message = error instanceof Error ? error.message : String(error);
  // The disk may be the reason; then there is no summary, and the run counts as killed.
  await writeSummary(
    session.folder,
    summarize({
      session,
      fit,
      best,
      outcome: "failed",
      reason: message,
      metricsSha256: hashOfWhole(writer),
    }),
  ).catch(() => undefined);
}

/** Undefined if the rest of the metrics cannot be written. */
function hashOfWhole(writer: MetricsWriter): string | undefined {
  try {
    writer.flush();
    return writer.sha256();
  } catch {
    return undefined;
  }
}

function withRemedy(error: unknown, resumeCommand: string): unknown {
  if (!isUserError(error) || error.exitCode === 2) return error;
  return new RunError(`${error.message}; then resume with: ${resumeCommand}`, { cause: error });
}
