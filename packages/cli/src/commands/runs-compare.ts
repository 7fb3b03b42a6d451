import { existsSync } from "node:fs";
import { join, resolve } from "node:path";
import {
  compareRuns,
  listFlags,
  parseFlags,
  readSweep,
  type RunInfo,
  runPaths,
  showRun,
} from "@implicit-rank/experiment-kit";
import { z } from "zod";
import type { CommandDefinition } from "../command.ts";
import { UsageError } from "../errors.ts";
import { checkOutput, comparisonLines, runsOfSweep, writeOutput } from "../sweep/results.ts";
import { findRuns } from "./find-runs.ts";

const compareFlags = z.object({
  metric: z.array(z.string()).default([]).describe("show these metrics too, beside the score"),
  output: z.string().default("").describe("write the comparison to this .csv or .json file"),
  per_run: z
    .boolean()
    .default(false)
    .describe("with --output: a row for each run, not for each group of seeds"),
  force: z.boolean().default(false).describe("replace the file of --output"),
});

export const runsCompare: CommandDefinition = {
  description:
    "Compares runs: the settings in which they differ, and mean ± deviation of the score over the runs that differ in the seed only, best first. Runs that are not finished do not count.",
  operands: [
    { name: "folder", description: "run folders, or folders that runs are below", variadic: true },
  ],
  flagGroups: [{ title: "Options", flags: listFlags(compareFlags) }],
  examples: [
    "implicit-rank runs compare outputs/sweeps/mf --metric train_mse_loss",
    "implicit-rank runs compare outputs/exps/a outputs/exps/b --output comparison.csv",
  ],
  async run({ flags, operands, output }) {
    const parsed = parseFlags(compareFlags, flags);
    await checkOutput(parsed);
    const runs = await runsOf(operands);
    const comparison = compareRuns(runs, { metrics: parsed.metric });
    await writeOutput(comparison, parsed);
    output.result(comparison, comparisonLines(comparison));
    for (const { problem } of runs) if (problem !== undefined) output.note(`damaged: ${problem}`);
    return 0;
  },
};

async function runsOf(folders: readonly string[]): Promise<readonly RunInfo[]> {
  const runs = new Map<string, RunInfo>();
  for (const folder of folders) {
    const isRun = existsSync(runPaths(folder).config);
    const own = isRun ? [await showRun(folder)] : await findRuns(folder);
    const found = [...own, ...(await runsOfPlan(folder))];
    for (const run of found) runs.set(resolve(run.folder), run);
  }
  if (runs.size === 0)
    throw new UsageError(`${folders.join(", ")}: no runs are there; give a folder that has some`);
  return [...runs.values()];
}

/** The runs of a sweep or plan, which may be elsewhere than in its folder. */
async function runsOfPlan(folder: string): Promise<readonly RunInfo[]> {
  if (!existsSync(join(folder, "sweep.json"))) return [];
  return runsOfSweep(await readSweep(folder));
}
