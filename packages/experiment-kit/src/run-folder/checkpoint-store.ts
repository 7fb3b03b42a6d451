import { mkdir, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { errorCode, fileError } from "../errors.ts";
import { readCheckpoint, writeCheckpoint } from "./checkpoint-file.ts";
import type { Checkpoint, RetainedCheckpoint } from "./checkpoint-file.ts";

/** How many checkpoints to keep, and by what. */
export interface Retention {
  readonly keep: number;
  /** Drop the worst-scoring instead of the oldest. */
  readonly byScore?: { readonly largest: boolean };
}

const FILE_NAME = /^epoch_(\d+)\.safetensors$/;

export function checkpointFileName(epoch: number): string {
  return `epoch_${epoch}.safetensors`;
}

/**
 * Which checkpoints stay once `added` is written: the newest always does; of the others the oldest go, or
 * those with the worst score (none counts as worst, the older on ties).
 */
export function retain(
  existing: readonly RetainedCheckpoint[],
  added: RetainedCheckpoint,
  retention: Retention,
): readonly RetainedCheckpoint[] {
  const others = existing.filter((checkpoint) => checkpoint.epoch !== added.epoch);
  const worth = ({ score }: RetainedCheckpoint): number => {
    if (score === null) return -Infinity;
    return retention.byScore?.largest === false ? -score : score;
  };
  const bestFirst = others.toSorted((a, b) =>
    retention.byScore === undefined || worth(a) === worth(b)
      ? b.epoch - a.epoch
      : worth(b) - worth(a),
  );
  const kept = [...bestFirst.slice(0, Math.max(0, retention.keep - 1)), added];
  return kept.toSorted((a, b) => a.epoch - b.epoch);
}

/**
 * Writes `checkpoints/epoch_N.safetensors`, and only then removes the files that are no longer retained
 * and what killed writers have left behind.
 */
export async function storeCheckpoint(folder: string, checkpoint: Checkpoint): Promise<string> {
  const path = join(folder, checkpointFileName(checkpoint.state.epoch));
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    throw fileError(folder, "be made", error);
  }
  await writeCheckpoint(path, checkpoint);
  const kept = new Set(checkpoint.state.retained.map(({ epoch }) => checkpointFileName(epoch)));
  for (const name of await readdir(folder)) {
    const isOurs = FILE_NAME.test(name) || /^\.epoch_\d+\.safetensors\..*\.tmp$/.test(name);
    if (isOurs && !kept.has(name)) await rm(join(folder, name), { force: true });
  }
  return path;
}

/** The checkpoint files of a folder, newest first. */
export async function listCheckpoints(
  folder: string,
): Promise<readonly { epoch: number; path: string }[]> {
  let names: readonly string[];
  try {
    names = await readdir(folder);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return [];
    throw fileError(folder, "be read", error);
  }
  return names
    .flatMap((name) => {
      const epoch = FILE_NAME.exec(name)?.[1];
      return epoch === undefined ? [] : [{ epoch: Number(epoch), path: join(folder, name) }];
    })
    .sort((a, b) => b.epoch - a.epoch);
}

/** A checkpoint that is whole, and its file. */
export interface FoundCheckpoint {
  readonly path: string;
  readonly checkpoint: Checkpoint;
}

/**
 * The newest checkpoint that is whole and that `accept` (which gives a complaint or undefined) takes.
 *
 * @returns also one line for each newer one that was passed over.
 */
export async function newestGoodCheckpoint(
  folder: string,
  accept: (checkpoint: Checkpoint) => Promise<string | undefined> = async () => undefined,
): Promise<{ readonly found: FoundCheckpoint | undefined; readonly rejected: readonly string[] }> {
  const rejected: string[] = [];
  for (const { path } of await listCheckpoints(folder)) {
    try {
      const checkpoint = await readCheckpoint(path);
      const complaint = await accept(checkpoint);
      if (complaint === undefined) return { found: { path, checkpoint }, rejected };
      rejected.push(`${path}: ${complaint}`);
    } catch (error) {
      rejected.push(error instanceof Error ? error.message : String(error));
    }
  }
  return { found: undefined, rejected };
}
