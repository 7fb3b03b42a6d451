import { copyFile, stat } from "node:fs/promises";
import { dirname } from "node:path";
import type { ArrayFile } from "@implicit-rank/array-files";
import { errorCode, fileError, isUserError, MisuseError, RunError } from "../errors.ts";
import type { Experiment, Trainable } from "../experiment.ts";
import type { RawFlags } from "../flags/parse-flags.ts";
import { readCheckpoint } from "../run-folder/checkpoint-file.ts";
import { newestGoodCheckpoint } from "../run-folder/checkpoint-store.ts";
import type { FoundCheckpoint } from "../run-folder/checkpoint-store.ts";
import { cutMetrics, metricsHash, metricsSize } from "../run-folder/cut-metrics.ts";
import { runPaths } from "../run-folder/files.ts";
import { lastMetrics, writeHistory } from "../torch/history-metrics.ts";
import { isTorchPath, readTorchCheckpoint } from "../torch/torch-checkpoint.ts";
import type { TorchCheckpoint } from "../torch/torch-checkpoint.ts";
import { asOurCheckpoint } from "../torch/as-our-checkpoint.ts";

/** A checkpoint that a run starts from. */
export interface StartingCheckpoint extends FoundCheckpoint {
  /** Set if it is one of the PyTorch scripts, whose metrics are in the file itself. */
  readonly torch?: TorchCheckpoint;
  /** One line each: in what the run that starts differs from the one that saved it. */
  readonly notices?: readonly string[];
}

/**
 * The checkpoint of `--trainer_checkpoint`: a file, or the newest good one of a run folder. It may be one of the
 * PyTorch scripts.
 *
 * @param flags those of the run that starts.
 * @throws MisuseError naming the flag, if there is none or it is of another experiment.
 */
export async function loadStartingCheckpoint(
  path: string,
  experiment: Experiment,
  flags: RawFlags,
): Promise<StartingCheckpoint> {
  const found = await find(path, experiment, flags).catch((error: unknown) => {
    throw isUserError(error) && !error.message.startsWith("--")
      ? new MisuseError(`--trainer_checkpoint: ${error.message}`, { cause: error })
      : error;
  });
  const { state } = found.checkpoint;
  if (state.experiment !== experiment.name) {
    throw new MisuseError(
      `--trainer_checkpoint: ${found.path} is of a ${state.experiment} experiment, not ${experiment.name}; give one of this kind`,
    );
  }
  return found;
}

async function find(
  path: string,
  experiment: Experiment,
  flags: RawFlags,
): Promise<StartingCheckpoint> {
  const info = await stat(path).catch((error: unknown) => {
    throw fileError(path, "be read", error);
  });
  if (!info.isDirectory()) {
    if (isTorchPath(path)) return fromTorch(path, experiment, flags);
    return { path, checkpoint: await readCheckpoint(path) };
  }
  const { found, rejected } = await newestGoodCheckpoint(runPaths(path).checkpoints);
  if (found !== undefined) return found;
  throw new RunError(
    rejected[0] ??
      `${path}: has no checkpoints; give a checkpoint file or the folder of a run that has one`,
  );
}

async function fromTorch(
  path: string,
  experiment: Experiment,
  flags: RawFlags,
): Promise<StartingCheckpoint> {
  const torch = await readTorchCheckpoint(path);
  if (experiment.torch?.recognizes(torch.model) !== true) {
    throw new MisuseError(
      `--trainer_checkpoint: ${path} is of another model than ${experiment.name} trains; give one of this kind`,
    );
  }
  const { saved, flags: told } = experiment.torch.convert(torch, flags);
  const notices = Object.entries(told)
    .filter(([name, value]) => JSON.stringify(value) !== JSON.stringify(flags[name]))
    .map(
      ([name, value]) => `--${name}: is ${String(flags[name])}, but ${String(value)} in ${path}`,
    );
  const checkpoint = asOurCheckpoint(torch, {
    experiment: experiment.name,
    run: torch.sha256,
    metrics: lastMetrics(torch, new Map()),
    saved,
  });
  return { path, checkpoint, torch, notices };
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
export async function continueMetrics(start: StartingCheckpoint, folder: string): Promise<void> {
  if (start.torch !== undefined) {
    writeHistory(runPaths(folder).metrics, start.torch);
    return;
  }
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
