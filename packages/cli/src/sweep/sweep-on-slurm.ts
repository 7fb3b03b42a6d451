import {
  exitCodeOf,
  type SlurmStatus,
  submitSweep,
  type Sweep,
  type SweepTask,
  waitForSweep,
} from "@implicit-rank/experiment-kit";
import type { z } from "zod";
import type { Output } from "../output/output.ts";
import { programName } from "../output/program-name.ts";
import { shellWord } from "../output/shell-word.ts";
import { countStates, describeCounts, finishSweep } from "./finish-sweep.ts";
import { showStatus } from "./show-status.ts";
import type { slurmFlags, sweepFlags } from "./sweep-flags.ts";

export interface SlurmSweep {
  readonly planned: Sweep;
  readonly flags: z.infer<typeof sweepFlags> & z.infer<typeof slurmFlags>;
  /** The command that goes on with the sweep. */
  readonly again: string;
  readonly output: Output;
}

/** Submits the runs that are due, or shows their state; with --wait, waits for all and shows the results. */
export async function sweepOnSlurm({ planned, flags, again, output }: SlurmSweep): Promise<number> {
  const { folder } = planned;
  if (flags.status) return showStatus(folder, output);
  const { sweep, jobs } = await submitSweep(planned, {
    slurm: {
      partition: flags.slurm_partition,
      time: flags.slurm_time,
      cpusPerTask: flags.slurm_cpus_per_task ?? threadsOf(planned.tasks),
      mem: flags.slurm_mem,
      arrayLimit: flags.slurm_array_limit,
      extra: flags.slurm_extra,
    },
    taskCommand: [process.execPath, process.argv[1]!, "sweep", "task"],
    retry: flags.retry,
  });
  const lines = jobs.map(
    ({ job, tasks, folder: place }) => `Submitted job ${job}: ${tasks} runs, ${place}/batch.sh`,
  );
  if (jobs.length === 0) lines.push("Nothing to submit: every run is finished or in the queue.");
  if (flags.wait) {
    lines.forEach((line) => output.note(line));
    return waitAndFinish(sweep, { planned, flags, again, output });
  }
  const status = `${programName()} sweep status ${shellWord(folder)}`;
  const next = [`Runs: ${folder}`, `Next: ${status}`];
  output.result({ folder, jobs, next: status }, [...lines, ...next], folder);
  return 0;
}

function threadsOf(tasks: readonly SweepTask[]): number {
  return Math.max(1, ...tasks.map(({ flags }) => Number(flags["threads"] ?? 1)));
}

/** Ctrl-C ends the waiting, not the jobs. */
async function waitAndFinish(
  sweep: Sweep,
  { planned, flags, again, output }: SlurmSweep,
): Promise<number> {
  const stop = new AbortController();
  const onSignal = (): void => stop.abort();
  process.once("SIGINT", onSignal);
  let shown = "";
  const onStatus = ({ statuses, known }: SlurmStatus): void => {
    const line = describeCounts(countStates(statuses));
    if (line !== shown) output.note(known ? line : `${line} (Slurm does not answer)`);
    shown = line;
  };
  try {
    const { statuses, activeJobs } = await waitForSweep(sweep, {
      signal: stop.signal,
      onStatus,
    });
    if (stop.signal.aborted && activeJobs.length > 0) {
      output.note(`The jobs go on. To end them: scancel ${activeJobs.join(" ")}`);
      output.note(`See them: ${programName()} sweep status ${shellWord(planned.folder)}`);
      return 130;
    }
    const states = statuses.map((status) => ({
      ...status,
      state: status.state === "queued" ? ("pending" as const) : status.state,
    }));
    return await finishSweep(
      { folder: planned.folder, statuses, exitCode: exitCodeOf(states), flags, again },
      output,
    );
  } finally {
    process.off("SIGINT", onSignal);
  }
}
