import { stat } from "node:fs/promises";
import { isAbsolute, join, resolve } from "node:path";
import { errorCode, MisuseError, RunError } from "../../errors.ts";
import { nearest } from "../../flags/nearest.ts";
import { findRunFolders } from "../../report/find-run-folders.ts";
import { readSweep, sweepPaths } from "../../sweep/sweep-file.ts";
import { expandPattern } from "../expand-pattern.ts";
import type { GroupPlotFlags } from "./group-plot-flags.ts";
import { numberOf } from "./group-plot-flags.ts";
import { readRunValues } from "./run-values.ts";
import type { LeftOut, RunValues } from "./run-values.ts";

/** Runs with the values that a figure shows of them. */
export interface RunGroup {
  /** As given. */
  readonly name: string;
  readonly runs: readonly RunValues[];
  readonly leftOut: readonly LeftOut[];
}

/** A folder with one of these is a run folder; the PyTorch scripts write them too. */
const RUN_FILES = ["config.json", "summary.json"];

/**
 * Reads the runs of every group. Those that did not come to their end or lack a value are left out.
 *
 * @throws MisuseError naming the flag if a group does not exist or none of its runs has a key; RunError if
 *   none of its runs can be used for other reasons.
 */
export async function readRunGroups(flags: GroupPlotFlags): Promise<readonly RunGroup[]> {
  const { experiments_dir: parent, x_axis_value_name: x } = flags;
  const groups: RunGroup[] = [];
  for (const [i, name] of flags.experiment_groups_dir_names.entries()) {
    const names = flags.per_experiment_group_y_axis_value_name;
    const y = names[i] ?? names[0]!;
    const read: (RunValues | LeftOut)[] = [];
    for (const run of await runFoldersOf(parent, name))
      read.push(await readRunValues(run, { x, y }));
    const runs = read.filter((one): one is RunValues => "y" in one);
    const leftOut = read.filter((one): one is LeftOut => "reason" in one);
    if (runs.length === 0) throw nothingToShow(name, leftOut, { x, y });
    groups.push({ name, runs, leftOut });
  }
  return withNumbers(groups);
}

/** Those of a folder, of a sweep or plan (wherever their folders are), or of the folders that a pattern matches. */
async function runFoldersOf(parent: string, name: string): Promise<readonly string[]> {
  const wrong = (problem: string): MisuseError =>
    new MisuseError(`--experiment_groups_dir_names: ${problem}`);
  const path = isAbsolute(name) ? name : join(parent, name);
  const isThere = await exists(path);
  if (!isThere && !(await exists(parent)))
    throw new MisuseError(`--experiments_dir: ${parent}: there is no such folder; check the path`);
  const folders = isThere
    ? [path]
    : await expandPattern(name, parent).catch((error: unknown) => {
        if (!(error instanceof MisuseError)) throw error;
        throw wrong(error.message);
      });
  const found = new Map<string, string>();
  for (const folder of folders)
    for (const run of await runsBelow(folder)) found.set(resolve(run), run);
  if (found.size === 0) throw wrong(`${path}: has no runs below it; give a folder that has`);
  return [...found.values()];
}

async function runsBelow(folder: string): Promise<readonly string[]> {
  const found = await findRunFolders(folder, RUN_FILES).catch((error: unknown) => {
    // A pattern may match files beside the folders of runs.
    if (error instanceof MisuseError) return [];
    throw error;
  });
  if (!(await exists(sweepPaths(folder).sweep))) return found;
  const planned = (await readSweep(folder)).tasks.map((task) => task.folder);
  const known = new Set(found.map((run) => resolve(run)));
  return [...found, ...planned.filter((run) => !known.has(run))];
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: unknown) => {
      if (errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR") return false;
      throw error;
    },
  );
}

function nothingToShow(
  name: string,
  leftOut: readonly LeftOut[],
  keys: { readonly x: string; readonly y: string },
): MisuseError | RunError {
  for (const axis of ["y", "x"] as const) {
    const lacking = leftOut.find(({ lacks }) => lacks === axis);
    if (lacking === undefined || leftOut.some(({ lacks }) => lacks !== undefined && lacks !== axis))
      continue;
    const flag = axis === "y" ? "per_experiment_group_y_axis_value_name" : "x_axis_value_name";
    const similar = nearest(keys[axis], lacking.known ?? []);
    const hint =
      similar === undefined
        ? "see the files of a run for the keys they have"
        : `did you mean ${JSON.stringify(similar)}?`;
    return new MisuseError(`--${flag}: ${name}: ${lacking.run} ${lacking.reason}; ${hint}`);
  }
  const reasons = leftOut.slice(0, 3).map(({ run, reason }) => `${run} ${reason}`);
  const more = leftOut.length > 3 ? `, and ${leftOut.length - 3} more` : "";
  const problem =
    leftOut.length === 1
      ? "the only run of the group cannot be shown"
      : `none of the ${leftOut.length} runs of the group can be shown`;
  return new RunError(`${name}: ${problem}: ${reasons.join("; ")}${more}`);
}

/** x values are numbers if all are numbers or texts that are; otherwise texts. */
function withNumbers(groups: readonly RunGroup[]): readonly RunGroup[] {
  const isNumeric = groups.every(({ runs }) => runs.every(({ x }) => numberOf(x) !== undefined));
  return groups.map((group) => ({
    ...group,
    runs: group.runs.map((run) => ({ ...run, x: isNumeric ? numberOf(run.x)! : String(run.x) })),
  }));
}
