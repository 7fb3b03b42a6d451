import { extname } from "node:path";
import { writeFileAtomic } from "@implicit-rank/array-files";
import { MisuseError } from "../errors.ts";
import type { ComparedGroup, Comparison } from "./compare-runs.ts";

/** @inline */
type Cell = string | number | boolean | null;
/** @inline */
type Row = Readonly<Record<string, Cell>>;

/**
 * A row for each group: kind, differing settings, runs (all and finished), seeds, mean, deviation and best
 * of the score, mean and deviation of the other metrics, the best run.
 */
export function groupRows({ settings, metrics, groups }: Comparison): readonly Row[] {
  return groups.map((group) => ({
    experiment: group.experiment,
    ...settingCells(group, settings),
    runs: group.runs.length,
    finished: group.finished,
    seeds: group.runs.map(({ seed }) => seed).join(" "),
    score_name: group.scoreName,
    score_mean: group.score?.mean ?? null,
    score_std: group.score?.deviation ?? null,
    score_best: group.best?.score ?? null,
    ...Object.fromEntries(
      metrics.flatMap((name) => [
        [`${name}_mean`, group.metrics[name]?.mean ?? null],
        [`${name}_std`, group.metrics[name]?.deviation ?? null],
      ]),
    ),
    best_run: group.best?.folder ?? null,
  }));
}

/** A row for each run: kind, differing settings, seed, how it ended, score and other metrics, folder. */
export function runRows({ settings, groups }: Comparison): readonly Row[] {
  return groups.flatMap((group) =>
    group.runs.map((run) => ({
      experiment: group.experiment,
      ...settingCells(group, settings),
      seed: run.seed,
      state: run.status,
      epochs: run.epochs,
      seconds: run.seconds,
      score_name: group.scoreName,
      score: run.score,
      ...run.metrics,
      run: run.folder,
    })),
  );
}

/** Settings of other kinds of experiment are null. */
function settingCells(group: ComparedGroup, settings: readonly string[]): Row {
  return Object.fromEntries(
    settings.map((name) => {
      const value = group.settings[name];
      if (Array.isArray(value)) return [name, value.join(" ")];
      return [name, (value ?? null) as Cell];
    }),
  );
}

/** Checks the name of a results file before any work is done. */
export function checkResultsPath(path: string): void {
  if (![".csv", ".json"].includes(extname(path)))
    throw new MisuseError(`--output: ${path}: must end in .csv or .json`);
}

/**
 * Writes a comparison as CSV or JSON, by the extension.
 *
 * @param options by: a row for each group of seeds, or for each run (JSON: the groups with their runs).
 * @throws MisuseError for another extension; ArrayFileError if the file exists and `overwrite` is not set.
 */
export async function writeResults(
  path: string,
  comparison: Comparison,
  options: { readonly by: "group" | "run"; readonly overwrite?: boolean },
): Promise<void> {
  checkResultsPath(path);
  const rows = options.by === "group" ? groupRows(comparison) : runRows(comparison);
  const text =
    extname(path) === ".csv"
      ? toCsv(rows)
      : `${JSON.stringify(options.by === "group" ? comparison : rows, null, 2)}\n`;
  await writeFileAtomic(path, text, { overwrite: options.overwrite ?? false });
}

/** RFC 4180, with the union of the columns; null is an empty cell. */
export function toCsv(rows: readonly Row[]): string {
  const columns = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  const lines = rows.map((row) => columns.map((name) => csvCell(row[name] ?? null)).join(","));
  return [columns.map(csvCell).join(","), ...lines].map((line) => `${line}\r\n`).join("");
}

function csvCell(value: Cell): string {
  const text = value === null ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
