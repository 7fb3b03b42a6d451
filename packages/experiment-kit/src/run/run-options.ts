import type { Trainable } from "../experiment.ts";
import type { Callback } from "../fit/callback.ts";
import type { SharedFlags } from "../flags/shared-flags.ts";
import type { OutputMode, OutputStream } from "../output/console.ts";
import type { Outcome, RunSummary } from "../run-folder/summary-file.ts";

/** How a run is run: what is printed, and what ends it. */
export interface RunOptions {
  /** What is printed; default "text" (or "quiet" with `--disable_console_log`). */
  readonly output?: OutputMode;
  /** Also prints the configuration and the metadata of the model, which else go to the log file only. */
  readonly verbose?: boolean;
  /** Where; default `process.stdout`. */
  readonly stdout?: OutputStream;
  /**
   * Whether SIGINT, SIGTERM and SIGHUP end the run after its epoch with a checkpoint (default), a second
   * one at once. Without, use `signal`.
   */
  readonly handleSignals?: boolean;
  /** Aborting it does what Ctrl-C does. */
  readonly signal?: AbortSignal;
  /** The command that resumes a run, for messages. */
  readonly resumeCommand?: (folder: string) => string;
  /** The run folder, which must not hold a run yet; default: a new one in `--outputs_dir`, named by time. */
  readonly folder?: string;
  /** Further callbacks by name, for example a learning-rate schedule. */
  readonly callbacks?: (
    flags: SharedFlags,
    trainable: Trainable,
  ) => Readonly<Record<string, Callback>>;
}

/** The summary of a run that was trained here, so that its duration is known. */
export type TrainedSummary = RunSummary & { readonly duration_seconds: number };

/** How a run ended, and its score. */
export interface RunResult {
  readonly folder: string;
  readonly outcome: Exclude<Outcome, "imported">;
  /** 0: completed or stopped by a rule; 1: diverged; 130: interrupted with a checkpoint saved. */
  readonly exitCode: 0 | 1 | 130;
  /** The last score, or the best with `--return_best_score`; null if there is none. */
  readonly score: number | null;
  readonly scoreName: string;
  readonly scoreEpoch: number;
  readonly summary: TrainedSummary;
}

export function defaultResumeCommand(folder: string): string {
  const quoted = /^[\w./-]+$/.test(folder)
    ? folder
    : `'${folder.replaceAll("'", String.raw`'\''`)}'`;
  return `implicit-rank runs resume ${quoted}`;
}
