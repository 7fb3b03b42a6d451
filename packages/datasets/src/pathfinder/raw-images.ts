import { join } from "node:path";
import type { Worker } from "node:worker_threads";
import { randomSeed } from "@implicit-rank/random";
import { DatasetError } from "../error.ts";
import { parseOptions } from "../flags.ts";
import { askWorker } from "../ordered-workers.ts";
import { startWorker } from "../start-worker.ts";
import {
  checkPathfinderSettings,
  pathfinderRawFlags,
  type PathfinderRawFlags,
  type PathfinderRawOptions,
  type PathfinderSettings,
} from "./raw-flags.ts";
import { IMAGE_FOLDER, lengthFolder, openLengthFolder, writeMetadata } from "./raw-folder.ts";
import type { RawReply, RawTask } from "./raw-worker.ts";

/** How far a generation is. */
export interface RawProgress {
  readonly pathLength: number;
  /** Images of this length that are there, of `total`; `kept` of them from an earlier run. */
  readonly done: number;
  readonly kept: number;
  readonly total: number;
}

/**
 * What was generated: a folder for each path length, and how many images were made now and kept from
 * earlier.
 */
export interface RawImagesResult {
  readonly folders: readonly string[];
  readonly seed: number;
  readonly made: number;
  readonly kept: number;
}

/** What one may want from a long generation while it runs. */
export interface RawImagesHooks {
  /** Called now and then with how far it is. */
  readonly onProgress?: (progress: RawProgress) => void;
  /** Stops after the images under way; the same call later goes on. */
  readonly signal?: AbortSignal;
}

/** Images that a worker makes before it reports. */
const CHUNK = 16;

/**
 * Makes the raw pathfinder images of `data pathfinder-raw`, a folder for each path length with PNG files
 * and `metadata.npy`, in worker threads. Image i depends on settings, seed, path length and i only. If the
 * folders hold images of the same settings, only the missing ones are made.
 * @throws DatasetError or ArrayFileError; the signal's reason if it is aborted
 */
export async function generatePathfinderImages(
  options: PathfinderRawOptions,
  hooks: RawImagesHooks = {},
): Promise<RawImagesResult> {
  const flags = parseOptions(pathfinderRawFlags, options);
  const settings = imageSettings(flags);
  checkPathfinderSettings(settings);
  const lengths = [...new Set(flags.path_lengths)];
  const folders = lengths.map((length) => lengthFolder(flags.output_dir, length));
  let seed = flags.random_seed === -1 ? undefined : flags.random_seed;
  for (const [i, pathLength] of lengths.entries()) {
    seed = await openLengthFolder(folders[i]!, { pathLength, settings }, seed, randomSeed);
  }
  const generations = lengths.map((pathLength) => ({ pathLength, settings, seed: seed! }));
  const pool = startWorkers(Math.min(flags.workers, Math.ceil(flags.num_samples / CHUNK)));
  try {
    let kept = 0;
    for (const [i, generation] of generations.entries()) {
      kept += await makeImages(pool, generation, folders[i]!, flags.num_samples, hooks);
      await writeMetadata(folders[i]!, generation, flags.num_samples);
    }
    return { folders, seed: seed!, made: lengths.length * flags.num_samples - kept, kept };
  } finally {
    await Promise.all(pool.map((worker) => worker.terminate()));
  }
}

function imageSettings(flags: PathfinderRawFlags): PathfinderSettings {
  const { output_dir, num_samples, path_lengths, random_seed, workers, ...settings } = flags;
  void [output_dir, num_samples, path_lengths, random_seed, workers];
  return settings;
}

function startWorkers(count: number): Worker[] {
  return Array.from({ length: count }, () => startWorker(import.meta.url, "raw-worker"));
}

/** Has all images of a length made, chunk by chunk by whichever worker is free; returns how many were there. */
async function makeImages(
  pool: readonly Worker[],
  generation: Pick<RawTask, "settings" | "seed" | "pathLength">,
  folder: string,
  total: number,
  { onProgress, signal }: RawImagesHooks,
): Promise<number> {
  let next = 0;
  let done = 0;
  let kept = 0;
  const work = async (worker: Worker): Promise<void> => {
    while (next < total) {
      signal?.throwIfAborted();
      const from = next;
      next = Math.min(total, from + CHUNK);
      const images = join(folder, IMAGE_FOLDER);
      const reply = await askWorker<RawReply>(worker, {
        ...generation,
        folder: images,
        from,
        to: next,
      });
      if ("failure" in reply) {
        next = total; // the other workers stop after their chunk
        throw workerError(reply);
      }
      done += reply.done;
      kept += reply.kept;
      onProgress?.({ pathLength: generation.pathLength, done, kept, total });
    }
  };
  const results = await Promise.allSettled(pool.map(work));
  const failed = results.find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
  return kept;
}

const DISK_FAILURES: Readonly<Record<string, string>> = {
  ENOSPC: "the disk is full; free space and run the same command again",
  EDQUOT: "the disk quota is used up; free space and run the same command again",
  EACCES: "permission denied; choose a folder you may write to with --output_dir",
  EROFS: "the file system is read-only; choose another folder with --output_dir",
};

function workerError(reply: Extract<RawReply, { failure: string }>): DatasetError {
  const disk = reply.code === undefined ? undefined : DISK_FAILURES[reply.code];
  if (disk !== undefined) return new DatasetError(`${reply.file}: cannot write: ${disk}`, 1);
  if (reply.code !== undefined) {
    return new DatasetError(`${reply.file}: cannot write: ${reply.failure}; check the folder`, 1);
  }
  return new DatasetError(reply.failure, reply.exitCode);
}
