import { MisuseError } from "../errors.ts";
import type { Experiment } from "../experiment.ts";
import { runTask } from "../sweep/run-task.ts";
import type { TaskReport } from "../sweep/run-task.ts";
import { readTaskList } from "./submission.ts";

/**
 * Runs one array task of a submission. If another process is at the run (the same task before it was
 * requeued, on a node that does not answer), waits for its lock. SIGTERM, which Slurm sends before a time
 * limit and on requeue, ends the run after its epoch with a checkpoint.
 */
export async function runArrayTask(
  submissionFolder: string,
  index: number,
  experiments: readonly Experiment[],
): Promise<TaskReport & { readonly folder: string }> {
  const tasks = await readTaskList(submissionFolder);
  const submitted = tasks[index];
  if (submitted === undefined)
    throw new MisuseError(
      `${submissionFolder}: has the tasks 0 to ${tasks.length - 1} (got ${index})`,
    );
  const { sweep, ...task } = submitted;
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  const signals = ["SIGTERM", "SIGINT"] as const;
  for (const signal of signals) process.on(signal, onSignal);
  try {
    const report = await runTask(sweep, task, experiments, { signal: stop.signal, verbose: true });
    return { folder: task.folder, ...report };
  } finally {
    for (const signal of signals) process.off(signal, onSignal);
  }
}
