import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import {
  decodeTorchFile,
  isTorchDictionary,
  torchOptimizer,
  torchStateDict,
} from "@implicit-rank/array-files";
import type { NamedArray, TorchOptimizer, TorchValue } from "@implicit-rank/array-files";
import { fileError, RunError } from "../errors.ts";
import type { MetricSource } from "../fit/metric-values.ts";
import { readTrackedValues } from "./tracked-values.ts";
import type { TorchTrackedValue } from "./tracked-values.ts";

export type { TorchTrackedValue };

/** A checkpoint of the trainer of the PyTorch scripts. */
export interface TorchCheckpoint {
  readonly path: string;
  /** SHA-256, in hex, of the file. */
  readonly sha256: string;
  /** Last finished epoch (0-based). */
  readonly epoch: number;
  /** Parameters and buffers by PyTorch's names, in their order there. */
  readonly model: ReadonlyMap<string, NamedArray>;
  readonly optimizer: TorchOptimizer;
  readonly metrics: Readonly<Record<MetricSource, readonly TorchTrackedValue[]>>;
}

/** Whether a path has one of the extensions that PyTorch files have. */
export function isTorchPath(path: string): boolean {
  return /\.(ckpt|pth?)$/.test(path);
}

/**
 * Reads a checkpoint of the PyTorch scripts; nothing in it is executed.
 *
 * @throws RunError or ArrayFileError: one line that names the file and what is wrong with it.
 */
export async function readTorchCheckpoint(path: string): Promise<TorchCheckpoint> {
  const bytes = await readFile(path).catch((error: unknown) => {
    throw fileError(path, "be read", error);
  });
  const sha256 = createHash("sha256").update(bytes).digest("hex");
  return { ...parseTorchCheckpoint(decodeTorchFile(bytes, path), path), sha256 };
}

/**
 * The checkpoint of the PyTorch scripts in what `readTorchFile` of `@implicit-rank/array-files` gave.
 *
 * @throws RunError or ArrayFileError: one line that names the file and what is wrong with it.
 */
export function parseTorchCheckpoint(
  content: TorchValue,
  path: string,
): Omit<TorchCheckpoint, "sha256"> {
  const fields = isTorchDictionary(content) ? content : new Map<string, TorchValue>();
  const epoch = fields.get("epoch");
  if (typeof epoch !== "number" || !Number.isInteger(epoch) || epoch < 0 || epoch >= 2 ** 31) {
    throw new RunError(
      `${path}: epoch: is not the number of a finished epoch; give a checkpoint that the training scripts wrote`,
    );
  }
  const store = fields.get("value_store");
  const extra = isTorchDictionary(store) ? store.get("tracked_values") : undefined;
  return {
    path,
    epoch,
    model: torchStateDict(content, path),
    optimizer: torchOptimizer(fields.get("optimizer"), path),
    metrics: distinctMetrics(path, epoch, {
      train: [...(readTrackedValues(fields.get("train_evaluator")) ?? []).values()],
      validation: [...(readTrackedValues(fields.get("val_evaluator")) ?? []).values()],
      extra: [...(readTrackedValues(extra) ?? []).values()],
    }),
  };
}

function distinctMetrics(
  path: string,
  epoch: number,
  metrics: TorchCheckpoint["metrics"],
): TorchCheckpoint["metrics"] {
  const all = Object.values(metrics).flat();
  // The other two names in a line of metrics.jsonl are taken.
  const taken = new Set(["epoch", "time"]);
  const twice = all.find(({ name }) => taken.has(name) || !taken.add(name))?.name;
  if (twice !== undefined)
    throw new RunError(`${path}: two metrics have the name ${twice}; they cannot be told apart`);
  const late = all.find(
    ({ epochs, last }) => Math.max(epochs.at(-1) ?? 0, last?.epoch ?? 0) > epoch,
  );
  if (late !== undefined)
    throw new RunError(
      `${path}: metric ${late.name} has values after epoch ${epoch}, the file's last; the file is damaged`,
    );
  return metrics;
}
