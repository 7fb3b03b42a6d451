import { sbatchLines } from "./slurm-options.ts";
import type { SlurmOptions } from "./slurm-options.ts";

/** What a batch script is filled in with. */
export interface BatchScript {
  readonly jobName: string;
  /** Folder with this script, its task list and its logs. */
  readonly submissionFolder: string;
  readonly tasks: number;
  readonly slurm: SlurmOptions;
  /** The words that run one task; the folder and the number of the task are appended. */
  readonly taskCommand: readonly string[];
}

/** The batch script of a job array: one array task for each line of tasks.jsonl. */
export function batchScript(script: BatchScript): string {
  const { jobName, submissionFolder, tasks, slurm, taskCommand } = script;
  const limit = slurm.arrayLimit === undefined ? "" : `%${slurm.arrayLimit}`;
  const logs = `${submissionFolder}/logs/%a.log`;
  return [
    "#!/bin/bash",
    `#SBATCH --job-name=${jobName}`,
    `#SBATCH --array=0-${tasks - 1}${limit}`,
    `#SBATCH --output="${logs.replaceAll("%", "%%").replace(/%%a\.log$/, "%a.log")}"`,
    "#SBATCH --open-mode=append",
    "#SBATCH --requeue",
    ...sbatchLines(slurm),
    "",
    "# Array task N runs line N (from 0) of tasks.jsonl. It takes the lock of its run folder, goes on from the",
    "# last checkpoint if there is one, and does nothing if the run is finished: it can be requeued, cancelled",
    "# and submitted again at any time. exec: signals of Slurm reach the program itself.",
    `exec ${taskCommand.map(shellWord).join(" ")} \\`,
    `  ${shellWord(submissionFolder)} "$SLURM_ARRAY_TASK_ID"`,
    "",
  ].join("\n");
}

/** A word as it must be typed in a shell. */
export function shellWord(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", String.raw`'\''`)}'`;
}
