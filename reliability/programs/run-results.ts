import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { readdir, readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { contentHash } from "@implicit-rank/array-files";
import { readCheckpoint, readSummary, runPaths } from "@implicit-rank/experiment-kit";

/** The folders of runs in a folder; one without config.json is not a run yet. */
export async function runsIn(folder: string): Promise<readonly string[]> {
  const names = existsSync(folder) ? (await readdir(folder)).sort() : [];
  return names.map((name) => join(folder, name)).filter((run) => existsSync(runPaths(run).config));
}

/** What must be the same bits however often a run was stopped: metrics, score, model and training state. */
export async function resultOfRun(run: string): Promise<unknown> {
  const { metrics, checkpoints } = runPaths(run);
  const lines = (await readFile(metrics, "utf8"))
    .split("\n")
    .map((line) => line.replace(/"time":[\d.]+,/, ""));
  const { score, score_epoch, outcome, epochs_run } = (await readSummary(run)) ?? {};
  const states = [];
  for (const name of existsSync(checkpoints) ? (await readdir(checkpoints)).sort() : []) {
    const { model, state } = await readCheckpoint(join(checkpoints, name));
    const { epoch, values } = state;
    // TensorBoard's has the time of day.
    const { tensorboard: _, ...callbacks } = state.callbacks;
    states.push({
      name,
      hash: contentHash(model),
      metadata: model.metadata,
      epoch,
      values,
      callbacks,
    });
  }
  return { metrics: lines, score, score_epoch, outcome, epochs_run, states };
}

/** SHA-256 of every file below a folder, by relative path. */
export async function hashesBelow(folder: string): Promise<Readonly<Record<string, string>>> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name));
  const hashes: Record<string, string> = {};
  for (const path of paths.sort()) {
    const hash = createHash("sha256")
      .update(await readFile(path))
      .digest("hex");
    hashes[relative(folder, path)] = hash;
  }
  return hashes;
}
