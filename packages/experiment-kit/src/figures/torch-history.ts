import { isTorchDictionary } from "@implicit-rank/array-files";
import type { TorchValue } from "@implicit-rank/array-files";
import { RunError } from "../errors.ts";
import type { MetricSeries } from "../run-folder/metrics-reader.ts";
import { readTrackedValues } from "../torch/tracked-values.ts";

/**
 * The histories of metrics in a checkpoint of the PyTorch scripts: those of `val_evaluator` and
 * `train_evaluator` (the former wins where names are equal).
 *
 * @throws RunError if the file is no such checkpoint.
 */
export function readTorchHistory(
  content: TorchValue,
  path: string,
): ReadonlyMap<string, MetricSeries> {
  const checkpoint = isTorchDictionary(content) ? content : undefined;
  const [train, validation] = ["train_evaluator", "val_evaluator"].map((name) =>
    readTrackedValues(checkpoint?.get(name)),
  );
  if (train === undefined && validation === undefined) {
    throw new RunError(
      `${path}: has no train_evaluator or val_evaluator; give a checkpoint that the training scripts wrote`,
    );
  }
  return new Map([...(train ?? []), ...(validation ?? [])]);
}
