import type { TorchValue } from "@implicit-rank/array-files";
import { RunError } from "../errors.ts";
import type { MetricSeries } from "../run-folder/metrics-reader.ts";

/**
 * The histories of metrics in a checkpoint of the PyTorch scripts: `epochs_with_values` and `epoch_values`
 * of every tracked value of `val_evaluator` and `train_evaluator` (the former wins where names are equal).
 *
 * @throws RunError if the file is no such checkpoint.
 */
export function readTorchHistory(
  content: TorchValue,
  path: string,
): ReadonlyMap<string, MetricSeries> {
  const checkpoint = mapOf(content);
  const evaluators = ["train_evaluator", "val_evaluator"].map((name) =>
    mapOf(checkpoint?.get(name)),
  );
  if (evaluators.every((evaluator) => evaluator === undefined)) {
    throw new RunError(
      `${path}: has no train_evaluator or val_evaluator; give a checkpoint that the training scripts wrote`,
    );
  }
  const series = new Map<string, MetricSeries>();
  for (const evaluator of evaluators) {
    for (const [key, tracked] of evaluator ?? []) {
      const name = String(key);
      const epochs = numbers(mapOf(tracked)?.get("epochs_with_values"));
      const values = numbers(mapOf(tracked)?.get("epoch_values"));
      if (epochs === undefined || values === undefined || epochs.length !== values.length) continue;
      series.set(name, {
        name,
        epochs: Int32Array.from(epochs),
        values: Float64Array.from(values),
      });
    }
  }
  return series;
}

function mapOf(value: TorchValue | undefined): ReadonlyMap<unknown, TorchValue> | undefined {
  return value instanceof Map ? value : undefined;
}

/** Undefined if it is no list of numbers (a confusion matrix, for example). */
function numbers(value: TorchValue | undefined): readonly number[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const items = (value as readonly TorchValue[]).map(scalar);
  return items.some((item) => item === undefined) ? undefined : (items as readonly number[]);
}

function scalar(value: TorchValue): number | undefined {
  if (typeof value === "number" || typeof value === "bigint") return Number(value);
  if (typeof value === "object" && value !== null && "data" in value && value.data.length === 1)
    return Number(value.data[0]);
  return undefined;
}
