import { basename } from "node:path";
import type { Comparison, SlurmTaskStatus, TaskStatus } from "@implicit-rank/experiment-kit";
import type { PlottedFigure } from "@implicit-rank/experiment-kit/figures";
import type { Output } from "../output/output.ts";
import { programName } from "../output/program-name.ts";
import { shellWord } from "../output/shell-word.ts";
import {
  compareSweep,
  comparisonLines,
  type ResultFlags,
  writeOutput,
  writeSweepResults,
} from "./results.ts";

export interface FinishOptions {
  readonly folder: string;
  readonly statuses: readonly (TaskStatus | SlurmTaskStatus)[];
  readonly exitCode: number;
  readonly flags: ResultFlags & {
    readonly metric: readonly string[];
    readonly plot_config_path: string;
  };
  readonly largest?: boolean;
  /** The command that goes on with the sweep. */
  readonly again: string;
}

/** Writes and prints the results of a sweep; returns the exit code. */
export async function finishSweep(options: FinishOptions, output: Output): Promise<number> {
  const { folder, statuses, flags, exitCode } = options;
  const comparison = await compareSweep(folder, {
    metrics: flags.metric,
    ...(options.largest === undefined ? {} : { largest: options.largest }),
  });
  await writeSweepResults(folder, comparison);
  await writeOutput(comparison, flags);
  const figure = await drawFigure(options);
  const counts = countStates(statuses);
  const lines = [
    "",
    ...comparisonLines(comparison),
    "",
    describeCounts(counts),
    ...problemLines(statuses),
    `Results: ${folder}/results.csv and results.json`,
    ...(figure === undefined ? [] : [`Figure: ${figure.svg} and .png`]),
    `${exitCode === 130 ? "Go on with" : "Next"}: ${nextCommand(options, counts)}`,
  ];
  output.result(
    jsonOf(options, comparison, counts, figure),
    lines,
    figure === undefined ? folder : `${folder}\n${figure.svg}`,
  );
  return exitCode;
}

/** Draws what is finished, so that some failed runs do not cost the figure. */
async function drawFigure({
  folder,
  statuses,
  flags,
  exitCode,
}: FinishOptions): Promise<PlottedFigure | undefined> {
  const finished = statuses.filter(({ state }) => state === "finished");
  if (flags.plot_config_path === "" || finished.length === 0 || exitCode === 130) return undefined;
  const name = basename(flags.plot_config_path).replace(/(_plot_config)?(\.json)?$/, "");
  // Loaded only where a figure is drawn: it brings jsdom.
  const { plotDynamics } = await import("@implicit-rank/experiment-kit/figures");
  return plotDynamics({
    config: flags.plot_config_path,
    runs: finished.map(({ task }) => task.folder),
    saveTo: `${folder}/${name}`,
    // The figure is in the folder of the sweep, which made it.
    force: true,
  });
}

type Counts = Readonly<Record<string, number>>;

export function countStates(statuses: FinishOptions["statuses"]): Counts {
  const counts: Record<string, number> = {};
  for (const { state } of statuses) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}

export function describeCounts(counts: Counts): string {
  const total = Object.values(counts).reduce((sum, count) => sum + count, 0);
  const states = Object.entries(counts).map(([state, count]) => `${count} ${state}`);
  return `${total} runs: ${states.join(", ")}`;
}

const MOST_PROBLEMS = 10;

/** One line for each run that failed. */
export function problemLines(statuses: FinishOptions["statuses"]): readonly string[] {
  const failed = statuses.filter(({ state }) => state === "failed");
  const lines = failed
    .slice(0, MOST_PROBLEMS)
    .map(
      ({ task, problem = "" }) =>
        `  failed: ${basename(task.folder)}: ${problem.split("\n", 1)[0] ?? ""}`,
    );
  const more = failed.length - MOST_PROBLEMS;
  return more > 0 ? [...lines, `  … and ${more} more`] : lines;
}

function nextCommand({ folder, again, exitCode }: FinishOptions, counts: Counts): string {
  if (exitCode === 130) return again;
  if (counts["failed"] === undefined) return `${programName()} runs compare ${shellWord(folder)}`;
  return again.includes("--retry") ? again : `${again} --retry`;
}

function jsonOf(
  options: FinishOptions,
  comparison: Comparison,
  counts: Counts,
  figure: PlottedFigure | undefined,
) {
  const { folder, statuses, exitCode } = options;
  return {
    folder,
    exit_code: exitCode,
    next: nextCommand(options, counts),
    counts,
    runs: statuses.map((status) => ({
      folder: status.task.folder,
      experiment: status.task.experiment,
      state: status.state,
      score: status.summary?.score ?? null,
      problem: status.problem ?? null,
      ...("job" in status ? { job: status.job, slurm_state: status.slurmState ?? null } : {}),
    })),
    results: comparison,
    figure: figure === undefined ? null : { svg: figure.svg, png: figure.png },
  };
}
