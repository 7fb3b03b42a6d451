import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { errorCode, fileError } from "../errors.ts";
import { listCheckpoints } from "./checkpoint-store.ts";
import { readRunConfig } from "./config-file.ts";
import type { RunConfig } from "./config-file.ts";
import { runPaths } from "./files.ts";
import { isRunning } from "./lock.ts";
import { readSummary } from "./summary-file.ts";
import type { Outcome, RunSummary } from "./summary-file.ts";

/** "killed": it has no summary and no live process writes it; it can be resumed. "damaged": see `problem`. */
export type RunStatus = Outcome | "running" | "killed" | "damaged";

/** A run as its folder tells. */
export interface RunInfo {
  readonly folder: string;
  readonly status: RunStatus;
  readonly config?: RunConfig;
  readonly summary?: RunSummary;
  /** Epochs (0-based) of its checkpoints, newest first. */
  readonly checkpoints: readonly number[];
  /** Why it is damaged, in one line. */
  readonly problem?: string;
}

/**
 * The state of one run.
 *
 * @throws MisuseError if the folder is no run folder, RunError if one of its files is damaged.
 */
export async function showRun(folder: string): Promise<RunInfo & { readonly config: RunConfig }> {
  const config = await readRunConfig(folder);
  const [summary, running, checkpoints] = await Promise.all([
    readSummary(folder),
    isRunning(folder),
    listCheckpoints(runPaths(folder).checkpoints),
  ]);
  return {
    folder,
    status: running ? "running" : (summary?.outcome ?? "killed"),
    config,
    ...(summary === undefined ? {} : { summary }),
    checkpoints: checkpoints.map(({ epoch }) => epoch),
  };
}

/**
 * The runs directly inside a folder, oldest first. A damaged run is listed with its problem.
 *
 * @throws RunError if the folder cannot be read.
 */
export async function listRuns(directory: string): Promise<readonly RunInfo[]> {
  let names: readonly string[];
  try {
    names = (await readdir(directory, { withFileTypes: true }))
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name);
  } catch (error) {
    throw fileError(directory, "be read", error);
  }
  const runs = await Promise.all(names.map((name) => describe(join(directory, name))));
  return runs
    .filter((run) => run !== undefined)
    .sort((a, b) => createdAt(a).localeCompare(createdAt(b)) || a.folder.localeCompare(b.folder));
}

async function describe(folder: string): Promise<RunInfo | undefined> {
  const names = await readdir(folder).catch((error: unknown) => {
    if (errorCode(error) === "EACCES") return [] as string[];
    throw fileError(folder, "be read", error);
  });
  if (!names.includes("config.json")) return undefined;
  try {
    return await showRun(folder);
  } catch (error) {
    return {
      folder,
      status: "damaged",
      checkpoints: [],
      problem: error instanceof Error ? error.message : String(error),
    };
  }
}

function createdAt(run: RunInfo): string {
  return run.config?.run.created ?? "";
}
