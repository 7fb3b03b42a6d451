import { availableParallelism } from "node:os";
import { MisuseError } from "../errors.ts";
import type { OutputStream } from "../output/console.ts";
import { lockSweep } from "./lock-sweep.ts";
import { createSweepDisplay } from "./sweep-display.ts";
import { writeSweep } from "./sweep-file.ts";
import type { Sweep } from "./sweep-file.ts";
import { createSweepProgress } from "./sweep-progress.ts";
import type { SweepTask } from "./sweep-task.ts";
import { isDue, readTaskStatuses } from "./task-state.ts";
import type { TaskState, TaskStatus } from "./task-state.ts";
import { runPool } from "./worker-pool.ts";

/** How a sweep is run. */
export interface SweepOptions {
  /** A module that calls `serveTasks` with all experiments of the sweep. */
  readonly workerModule: URL;
  /** Worker processes; default: one for each core. */
  readonly workers?: number;
  /** Also run what has failed in an earlier start. */
  readonly retry?: boolean;
  /** Where progress is shown; default: nowhere. */
  readonly stream?: OutputStream;
  /** Whether SIGINT, SIGTERM and SIGHUP stop the sweep: the first after the epoch, the second at once. */
  readonly handleSignals?: boolean;
  /** Aborting it does what the first signal does. */
  readonly signal?: AbortSignal;
}

/** A sweep after this start of it. */
export interface SweepResult {
  readonly sweep: Sweep;
  readonly statuses: readonly TaskStatus[];
  /** 0: all runs are finished; 1: some failed or diverged; 130: stopped, go on by starting it again. */
  readonly exitCode: 0 | 1 | 130;
}

/**
 * Runs what is not finished of a sweep in a pool of worker processes on this machine. Starting it again,
 * after whatever end, leaves finished runs alone and goes on with interrupted ones from their last
 * checkpoint, to the same bits as without the interruption.
 *
 * @throws RunError if another process is running the same sweep.
 */
export async function runSweep(planned: Sweep, options: SweepOptions): Promise<SweepResult> {
  const workers = options.workers ?? availableParallelism();
  if (!Number.isInteger(workers) || workers < 1)
    throw new MisuseError(`--workers: must be an integer of at least 1 (got ${workers})`);
  const lock = await lockSweep(planned.folder);
  try {
    const sweep = await writeSweep(planned);
    const before = await readTaskStatuses(sweep.folder, sweep.tasks);
    const stopped = await runDue(sweep, before, workers, options);
    const statuses = await readTaskStatuses(sweep.folder, sweep.tasks);
    const isOver = !stopped || statuses.every((status) => !isDue(status, false));
    return { sweep, statuses, exitCode: isOver ? exitCodeOf(statuses) : 130 };
  } finally {
    await lock.release();
  }
}

/** @returns whether it was stopped. */
async function runDue(
  sweep: Sweep,
  statuses: readonly TaskStatus[],
  workers: number,
  options: SweepOptions,
): Promise<boolean> {
  const due = statuses.filter((status) => isDue(status, options.retry ?? false));
  const count = (state: TaskState): number =>
    statuses.filter((status) => status.state === state && !due.includes(status)).length;
  const tasks = due.map(({ task }) => task);
  const progress = createSweepProgress({
    total: sweep.tasks.length,
    due: tasks,
    doneBefore: count("finished"),
    failedBefore: count("failed"),
    divergedBefore: count("diverged"),
    workers: Math.max(1, Math.min(workers, tasks.length)),
  });
  const display = createSweepDisplay(tasks.length === 0 ? undefined : options.stream, progress);
  const stops = watchStops(options, (line) => display.note(line));
  try {
    await runPool(tasks, {
      sweepFolder: sweep.folder,
      workers,
      workerModule: options.workerModule,
      stop: stops.stop,
      kill: stops.kill,
      onStart: (task) => progress.start(task),
      onProgress: (task, epochs) => progress.update(task, epochs),
      onDone(task: SweepTask, report) {
        progress.finish(task, report);
        display.ended(task, report);
      },
    });
  } finally {
    stops.dispose();
    display.close();
  }
  return stops.stop.aborted;
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

function watchStops(
  options: SweepOptions,
  note: (line: string) => void,
): { readonly stop: AbortSignal; readonly kill: AbortSignal; dispose(): void } {
  const stop = new AbortController();
  const kill = new AbortController();
  const onAbort = (): void => stop.abort();
  const onSignal = (name: NodeJS.Signals): void => {
    if (stop.signal.aborted) return kill.abort();
    const how = name === "SIGINT" ? "Ctrl-C" : name;
    note(
      `Stopping by ${how}: runs save a checkpoint after their epoch; a second time ends at once.`,
    );
    stop.abort();
  };
  if (options.signal?.aborted === true) onAbort();
  options.signal?.addEventListener("abort", onAbort);
  if (options.handleSignals ?? true) for (const name of SIGNALS) process.on(name, onSignal);
  return {
    stop: stop.signal,
    kill: kill.signal,
    dispose() {
      options.signal?.removeEventListener("abort", onAbort);
      for (const name of SIGNALS) process.off(name, onSignal);
    },
  };
}

/** 0 if every run is finished. */
export function exitCodeOf(statuses: readonly TaskStatus[]): 0 | 1 {
  return statuses.every(({ state }) => state === "finished") ? 0 : 1;
}
