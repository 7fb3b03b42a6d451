import { isUserError } from "../errors.ts";
import { hasRunConfig } from "../run-folder/config-file.ts";
import { isRunning } from "../run-folder/lock.ts";
import { showRun } from "../run-folder/list-runs.ts";
import type { RunSummary } from "../run-folder/summary-file.ts";
import { readFailure } from "./failure-file.ts";
import type { SweepTask } from "./sweep-task.ts";

/**
 * finished: all epochs were run, or a rule has ended it; diverged: ended by numbers that are not finite;
 * interrupted: begun, not ended, and no process is at it; running: a live process is at it.
 */
export type TaskState = "pending" | "running" | "interrupted" | "finished" | "diverged" | "failed";

/** How far one run of a sweep is. */
export interface TaskStatus {
  readonly task: SweepTask;
  readonly state: TaskState;
  readonly summary?: RunSummary;
  /** Why it failed. */
  readonly problem?: string;
}

/** The state of one run of a sweep, from its folder and the records of failures. */
export async function readTaskStatus(sweepFolder: string, task: SweepTask): Promise<TaskStatus> {
  const failure = await readFailure(sweepFolder, task);
  const failed = (problem: string): TaskStatus => ({ task, state: "failed", problem });
  if (!(await hasRunConfig(task.folder))) {
    if (await isRunning(task.folder)) return { task, state: "running" };
    return failure === undefined ? { task, state: "pending" } : failed(failure.message);
  }
  try {
    const { status, summary } = await showRun(task.folder);
    const known = summary === undefined ? {} : { summary };
    if (status === "completed" || status === "stopped")
      return { task, state: "finished", ...known };
    if (status === "diverged" || status === "running") return { task, state: status, ...known };
    if (failure !== undefined) return failed(failure.message);
    if (status === "failed") return failed(summary?.stop_reason ?? "it failed");
    return { task, state: "interrupted", ...known };
  } catch (error) {
    if (isUserError(error)) return failed(error.message);
    throw error;
  }
}

/** The states of all runs, in the order of the tasks; a few files are read at a time. */
export async function readTaskStatuses(
  sweepFolder: string,
  tasks: readonly SweepTask[],
): Promise<readonly TaskStatus[]> {
  const statuses: TaskStatus[] = [];
  for (let start = 0; start < tasks.length; start += FILES_AT_ONCE) {
    const part = tasks.slice(start, start + FILES_AT_ONCE);
    statuses.push(...(await Promise.all(part.map((task) => readTaskStatus(sweepFolder, task)))));
  }
  return statuses;
}

const FILES_AT_ONCE = 32;

/** Whether a run is to be brought to its end: it has not ended, or has failed and `retry` is set. */
export function isDue({ state }: TaskStatus, retry: boolean): boolean {
  return state === "failed" ? retry : state !== "finished" && state !== "diverged";
}
