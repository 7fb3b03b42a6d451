import { copyFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { ArrayFile } from "@implicit-rank/array-files";
import { errorCode, fileError, isUserError, MisuseError, RunError } from "../errors.ts";
import type { Trainable } from "../experiment.ts";
import { readCheckpoint } from "../run-folder/checkpoint-file.ts";
import { newestGoodCheckpoint } from "../run-folder/checkpoint-store.ts";
import type { FoundCheckpoint } from "../run-folder/checkpoint-store.ts";
import { cutMetrics, metricsHash, metricsSize } from "../run-folder/cut-metrics.ts";
import { runPaths } from "../run-folder/files.ts";

/**
 * The checkpoint of `--trainer_checkpoint`: a file, or the newest good one of a run folder.
 *
 * @throws MisuseError naming the flag, if there is none or it is of another experiment.
 */
export async function loadStartingCheckpoint(
  path: string,
  experiment: string,
): Promise<FoundCheckpoint> {
  const found = await find(path).catch((error: unknown) => {
    throw isUserError(error)
      ? new MisuseError(`--trainer_checkpoint: ${error.message}`, { cause: error })
      : error;
  });
  const { state } = found.checkpoint;
  if (state.experiment !== experiment) {
    throw new MisuseError(
      `--trainer_checkpoint: ${found.path} is of a ${state.experiment} experiment, not ${experiment}; give one of this kind`,
    );
  }
  return found;
}

async function find(path: string): Promise<FoundCheckpoint> {
  const info = await stat(path).catch((error: unknown) => {
    throw fileError(path, "be read", error);
  });
  if (!info.isDirectory()) return { path, checkpoint: await readCheckpoint(path) };
  const { found, rejected } = await newestGoodCheckpoint(runPaths(path).checkpoints);
  if (found !== undefined) return found;
  throw new RunError(
    rejected[0] ??
      `${path}: has no checkpoints; give a checkpoint file or the folder of a run that has one`,
  );
}

/**
 * Restores a trainable from saved arrays, after checking that they fit it.
 *
 * @throws RunError naming the file and the array that does not fit.
 */
export async function restoreModel(
  trainable: Trainable,
  saved: ArrayFile,
  path: string,
): Promise<void> {
  const template = await trainable.save();
  for (const [name, { shape, data }] of Object.entries(template.arrays)) {
    const array = saved.arrays[name];
    if (array === undefined)
      throw new RunError(`${path}: ${name}: is missing; it was saved by a run with other flags`);
    if (array.shape.join() !== shape.join() || array.data.constructor !== data.constructor) {
      const was = `${array.data.constructor.name}[${array.shape.join(", ")}]`;
      const needed = `${data.constructor.name}[${shape.join(", ")}]`;
      throw new RunError(
        `${path}: ${name}: is ${was}, this model needs ${needed}; use the flags of the run that saved it`,
      );
    }
  }
  await trainable.restore(saved);
}

/** Copies the metrics of the run that a checkpoint belongs to, up to it; nothing if that run is not there. */
export async function continueMetrics(start: FoundCheckpoint, folder: string): Promise<void> {
  const from = runPaths(dirname(dirname(start.path))).metrics;
  const to = runPaths(folder).metrics;
  const { metricsBytes: bytes, metricsSha256: hash } = start.checkpoint.state;
  if ((await metricsSize(from)) < bytes || bytes === 0) return;
  if (hash !== undefined && hash !== (await metricsHash(from, bytes))) {
    throw new RunError(
      `${from}: was damaged or edited since ${start.path} was written; copy the checkpoint into another folder to start from it without these metrics`,
    );
  }
  try {
    await copyFile(from, to);
  } catch (error) {
    if (errorCode(error) === "ENOENT") return;
    throw fileError(to, "be written", error);
  }
  await cutMetrics(to, bytes);
}
