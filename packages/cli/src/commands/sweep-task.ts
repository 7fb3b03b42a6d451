import { runArrayTask } from "@implicit-rank/experiment-kit";
import type { CommandDefinition } from "../command.ts";
import { UsageError } from "../errors.ts";
import { allExperiments } from "../experiments.ts";

const exitCodes = { finished: 0, diverged: 1, failed: 1, interrupted: 130 } as const;

export const sweepTask: CommandDefinition = {
  description:
    "Runs one task of a submission: starts its run, resumes it, or does nothing if it is finished. The batch scripts of sweep --executor slurm do this.",
  operands: [
    { name: "submission", description: "folder with tasks.jsonl" },
    { name: "index", description: "number of the task, from 0" },
  ],
  flagGroups: [],
  examples: ['implicit-rank sweep task outputs/sweeps/mf/slurm/001 "$SLURM_ARRAY_TASK_ID"'],
  async run({ operands, output }) {
    const [folder, index] = operands as [string, string];
    if (!/^\d+$/.test(index))
      throw new UsageError(`<index>: must be an integer of at least 0 (got "${index}")`);
    const report = await runArrayTask(folder, Number(index), allExperiments(1));
    const why = report.message === undefined ? "" : `: ${report.message}`;
    output.result(report, [`${report.state} ${report.folder}${why}`], report.folder);
    return exitCodes[report.state];
  },
};
