import { chmod } from "node:fs/promises";
import { basename, resolve } from "node:path";
import { writeFileAtomic } from "@implicit-rank/array-files";
import { lockSweep } from "../sweep/lock-sweep.ts";
import { forgetFailure } from "../sweep/failure-file.ts";
import { writeSweep } from "../sweep/sweep-file.ts";
import type { Sweep } from "../sweep/sweep-file.ts";
import type { SweepTask } from "../sweep/sweep-task.ts";
import { batchScript } from "./batch-script.ts";
import { readMaxArraySize, submitJob } from "./slurm-commands.ts";
import { sbatchLines } from "./slurm-options.ts";
import type { SlurmOptions } from "./slurm-options.ts";
import { readSlurmStatus } from "./slurm-status.ts";
import { createSubmission, recordJob, submissionPaths } from "./submission.ts";

/** How a sweep becomes a job array. */
export interface SubmitOptions {
  readonly slurm: SlurmOptions;
  /** The words of the command that runs an array task. */
  readonly taskCommand: readonly string[];
  /** Also submit what has failed. */
  readonly retry?: boolean;
}

/** A job array that Slurm has accepted. */
export interface SubmittedJob {
  readonly job: string;
  readonly folder: string;
  readonly tasks: number;
}

/**
 * Submits those runs of a sweep that are neither finished nor in Slurm's queue, as job arrays of at most
 * the cluster's size. Runs that failed are submitted again only with `retry`; those that were lost
 * (cancelled, out of time, with their node) always.
 */
export async function submitSweep(
  planned: Sweep,
  options: SubmitOptions,
): Promise<{ readonly sweep: Sweep; readonly jobs: readonly SubmittedJob[] }> {
  sbatchLines(options.slurm);
  const size = await readMaxArraySize();
  const lock = await lockSweep(planned.folder);
  try {
    const sweep = await writeSweep(planned);
    const due = await tasksToSubmit(sweep, options.retry ?? false);
    const jobs: SubmittedJob[] = [];
    for (let start = 0; start < due.length; start += size)
      jobs.push(await submitArray(sweep, due.slice(start, start + size), options));
    return { sweep, jobs };
  } finally {
    await lock.release();
  }
}

async function tasksToSubmit(sweep: Sweep, retry: boolean): Promise<readonly SweepTask[]> {
  const { statuses } = await readSlurmStatus(sweep);
  const due = statuses.filter(
    ({ state }) => state === "pending" || state === "interrupted" || (state === "failed" && retry),
  );
  for (const { task, state } of due)
    if (state === "failed") await forgetFailure(sweep.folder, task);
  return due.map(({ task }) => task);
}

async function submitArray(
  sweep: Sweep,
  tasks: readonly SweepTask[],
  { slurm, taskCommand }: SubmitOptions,
): Promise<SubmittedJob> {
  const folder = resolve(await createSubmission(sweep.folder, tasks));
  const { script } = submissionPaths(folder);
  const text = batchScript({
    jobName: basename(sweep.folder).replace(/[^\w.-]/g, "-"),
    submissionFolder: folder,
    tasks: tasks.length,
    slurm,
    taskCommand,
  });
  await writeFileAtomic(script, text);
  await chmod(script, 0o755);
  const job = await submitJob(script);
  await recordJob(folder, job);
  return { job, folder, tasks: tasks.length };
}
