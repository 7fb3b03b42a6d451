import { join } from "node:path";
import {
  checkResultsPath,
  type Comparison,
  compareRuns,
  type ComparedGroup,
  readSweep,
  type RunInfo,
  showRun,
  type Statistics,
  type Sweep,
  writeResults,
} from "@implicit-rank/experiment-kit";
import { access } from "node:fs/promises";
import { UsageError } from "../errors.ts";
import { formatDeviation, formatNumber } from "../output/quantities.ts";
import { type Column, formatTable } from "../output/table.ts";

export interface ResultFlags {
  readonly output: string;
  readonly per_run: boolean;
  readonly force: boolean;
}

/** Checks before any work that the results can be written there. */
export async function checkOutput({ output, force }: ResultFlags): Promise<void> {
  if (output === "") return;
  checkResultsPath(output);
  const exists = await access(output).then(
    () => true,
    () => false,
  );
  if (exists && !force)
    throw new UsageError(`--output: ${output} exists; give --force to replace it`);
}

export async function writeOutput(comparison: Comparison, flags: ResultFlags): Promise<void> {
  if (flags.output === "") return;
  const by = flags.per_run ? "run" : "group";
  await writeResults(flags.output, comparison, { by, overwrite: flags.force });
}

/** The runs of a sweep that have a folder; a plan's are grouped by its configurations. */
export async function compareSweep(
  folder: string,
  options: { readonly metrics?: readonly string[]; readonly largest?: boolean },
): Promise<Comparison> {
  const sweep = await readSweep(folder);
  const runs = await runsOfSweep(sweep);
  const configurations = new Map(
    sweep.tasks.flatMap(({ folder: run, configuration }) =>
      configuration === undefined ? [] : [[run, String(configuration)] as const],
    ),
  );
  const grouping =
    configurations.size === 0
      ? {}
      : { groupOf: (run: RunInfo) => configurations.get(run.folder) ?? run.folder };
  return compareRuns(runs, { ...options, ...grouping });
}

export async function runsOfSweep({ tasks }: Sweep): Promise<readonly RunInfo[]> {
  const runs: RunInfo[] = [];
  for (const { folder } of tasks) {
    // A run that did not begin or is damaged is told of by the state of the sweep.
    const run = await showRun(folder).catch(() => undefined);
    if (run !== undefined) runs.push(run);
  }
  return runs;
}

/** results.csv (a row for each run) and results.json (groups with their runs) in the folder of the sweep. */
export async function writeSweepResults(folder: string, comparison: Comparison): Promise<void> {
  const overwrite = true;
  await writeResults(join(folder, "results.csv"), comparison, { by: "run", overwrite });
  await writeResults(join(folder, "results.json"), comparison, { by: "group", overwrite });
}

/** A table: differing settings, runs, mean ± deviation of the score and of the metrics, best. */
export function comparisonLines({ settings, metrics, groups }: Comparison): readonly string[] {
  if (groups.length === 0) return ["No runs to compare."];
  const withKind = new Set(groups.map(({ experiment }) => experiment)).size > 1;
  const scoreNames = new Set(groups.map(({ scoreName }) => scoreName));
  const scoreTitle = scoreNames.size === 1 ? [...scoreNames][0]! : "score";
  const columns: readonly Column[] = [
    ...(withKind ? [{ title: "kind" }] : []),
    ...settings.map((title) => ({ title, align: "right" as const })),
    { title: "runs", align: "right" },
    ...(scoreNames.size > 1 ? [{ title: "score" }] : []),
    { title: scoreNames.size > 1 ? "value" : scoreTitle, align: "right" },
    { title: "best", align: "right" },
    { title: "best seed", align: "right" },
    ...metrics.map((title) => ({ title, align: "right" as const })),
  ];
  const rows = groups.map((group) => [
    ...(withKind ? [group.experiment] : []),
    ...settings.map((name) => formatSetting(group.settings[name])),
    countOf(group),
    ...(scoreNames.size > 1 ? [group.scoreName] : []),
    meanAndDeviation(group.score),
    formatNumber(group.best?.score),
    String(group.best?.seed ?? "-"),
    ...metrics.map((name) => meanAndDeviation(group.metrics[name])),
  ]);
  return formatTable(columns, rows);
}

function countOf({ finished, runs }: ComparedGroup): string {
  return finished === runs.length ? String(finished) : `${finished} of ${runs.length}`;
}

function meanAndDeviation(statistics: Statistics | undefined): string {
  if (statistics === undefined) return "-";
  const { mean, deviation } = statistics;
  return deviation === null
    ? formatNumber(mean)
    : `${formatNumber(mean)} ± ${formatDeviation(deviation)}`;
}

function formatSetting(value: unknown): string {
  if (value === undefined || value === null) return "-";
  if (typeof value === "number") return formatNumber(value);
  return Array.isArray(value) ? value.join(" ") : String(value);
}
