import { isUserError, RunError } from "../errors.ts";
import type { Experiment } from "../experiment.ts";
import type { OutputStream } from "../output/console.ts";
import { hasRunConfig } from "../run-folder/config-file.ts";
import { resumeRun } from "../run/resume-run.ts";
import { runExperiment } from "../run/run-experiment.ts";
import type { RunOptions, RunResult } from "../run/run-options.ts";
import { forgetFailure, recordFailure } from "./failure-file.ts";
import type { SweepTask } from "./sweep-task.ts";
import { readTaskStatus } from "./task-state.ts";
import { waitForLock } from "./wait-for-lock.ts";

/** How far a run has come, in epochs. */
export interface TaskProgress {
  readonly done: number;
  readonly planned: number;
}

/** What came of a run. */
export interface TaskReport {
  readonly state: "finished" | "diverged" | "interrupted" | "failed";
  readonly scoreName?: string;
  readonly score?: number | null;
  readonly seconds?: number;
  readonly epochs?: number;
  readonly message?: string;
}

/** How one run of a sweep is run. */
export interface RunTaskOptions {
  /** Aborting it ends the run after its epoch, with a checkpoint. */
  readonly signal?: AbortSignal;
  /** Called with how far the run is. */
  readonly onProgress?: (progress: TaskProgress) => void;
  /** Prints the lines of the run; default: nothing. */
  readonly verbose?: boolean;
}

/**
 * Brings one run of a sweep to its end: starts it, goes on with it from its last checkpoint, or leaves it
 * if it has ended. Another process that is at it is waited for. A failure is recorded in the folder of the sweep, and reported instead of thrown.
 */
export async function runTask(
  sweepFolder: string,
  task: SweepTask,
  experiments: readonly Experiment[],
  options: RunTaskOptions = {},
): Promise<TaskReport> {
  try {
    await waitForLock(task.folder, options.signal);
    if (options.signal?.aborted === true) return { state: "interrupted" };
    const { state, summary } = await readTaskStatus(sweepFolder, task);
    if ((state === "finished" || state === "diverged") && summary !== undefined)
      return {
        state,
        scoreName: summary.score_name,
        score: summary.score,
        seconds: summary.duration_seconds ?? 0,
        epochs: summary.epochs_run,
      };
    const result = await startOrResume(task, experiments, runOptions(options));
    await forgetFailure(sweepFolder, task);
    return reportOf(result);
  } catch (error) {
    const message = describe(error);
    await recordFailure(sweepFolder, task, message).catch(() => undefined);
    return { state: "failed", message };
  }
}

async function startOrResume(
  task: SweepTask,
  experiments: readonly Experiment[],
  options: RunOptions,
): Promise<RunResult> {
  if (await hasRunConfig(task.folder)) return resumeRun(task.folder, experiments, options);
  const experiment = experiments.find(({ name }) => name === task.experiment);
  if (experiment === undefined)
    throw new RunError(`${task.experiment}: there is no such experiment here`);
  return runExperiment(experiment, task.flags, { ...options, folder: task.folder });
}

function reportOf({ outcome, score, scoreName, summary }: RunResult): TaskReport {
  return {
    state:
      outcome === "completed" || outcome === "stopped"
        ? "finished"
        : outcome === "failed"
          ? "failed"
          : outcome,
    score,
    scoreName,
    seconds: summary.duration_seconds,
    epochs: summary.epochs_run,
  };
}

function runOptions({ signal, onProgress, verbose }: RunTaskOptions): RunOptions {
  return {
    handleSignals: false,
    ...(signal === undefined ? {} : { signal }),
    ...(verbose === true
      ? { output: "text" as const }
      : onProgress === undefined
        ? { output: "quiet" as const }
        : { output: "json" as const, stdout: progressStream(onProgress) }),
  };
}

/** Takes the events that a run prints in json mode. */
function progressStream(onProgress: (progress: TaskProgress) => void): OutputStream {
  let first = 0;
  let planned = 0;
  return {
    write(line) {
      const event = JSON.parse(line) as {
        event: string;
        epochs?: number;
        first_epoch?: number;
        epoch?: number;
      };
      if (event.event === "start") {
        first = event.first_epoch ?? 0;
        planned = first + (event.epochs ?? 0);
        onProgress({ done: first, planned });
      } else if (event.event === "progress" && event.epoch !== undefined) {
        onProgress({ done: event.epoch + 1, planned });
      }
    },
  };
}

function describe(error: unknown): string {
  if (isUserError(error)) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
