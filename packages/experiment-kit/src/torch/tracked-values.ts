import { isTorchDictionary, isTorchTensor } from "@implicit-rank/array-files";
import type { TorchValue } from "@implicit-rank/array-files";
import type { MetricSeries } from "../run-folder/metrics-reader.ts";

/** A tracked value of the PyTorch scripts: its history, and its last value, which need not be in it. */
export interface TorchTrackedValue extends MetricSeries {
  /** Null if it was never measured or is no number. */
  readonly last: { readonly value: number; readonly epoch: number } | null;
}

/**
 * The tracked values of an evaluator (or value store) of the PyTorch scripts that are numbers, by name; those
 * that are not (a confusion matrix, for example) are left out. Undefined if it is no such dictionary.
 */
export function readTrackedValues(
  evaluator: TorchValue | undefined,
): ReadonlyMap<string, TorchTrackedValue> | undefined {
  if (!isTorchDictionary(evaluator)) return undefined;
  const values = new Map<string, TorchTrackedValue>();
  for (const [key, tracked] of evaluator) {
    const fields = isTorchDictionary(tracked) ? tracked : undefined;
    const epochs = numbers(fields?.get("epochs_with_values"));
    const history = numbers(fields?.get("epoch_values"));
    if (epochs === undefined || history?.length !== epochs.length) continue;
    if (!epochs.every(isEpoch) || !epochs.every((epoch, i) => i === 0 || epoch > epochs[i - 1]!))
      continue;
    const name = String(key);
    values.set(name, {
      name,
      epochs: Int32Array.from(epochs),
      values: Float64Array.from(history),
      last: lastOf(fields!, history, epochs),
    });
  }
  return values;
}

function lastOf(
  fields: ReadonlyMap<unknown, TorchValue>,
  history: readonly number[],
  epochs: readonly number[],
): TorchTrackedValue["last"] {
  const value = scalar(fields.get("current_value") ?? null);
  const epoch = scalar(fields.get("epoch_last_updated") ?? null);
  if (value !== undefined && epoch !== undefined && isEpoch(epoch)) return { value, epoch };
  return history.length === 0 ? null : { value: history.at(-1)!, epoch: epochs.at(-1)! };
}

function isEpoch(epoch: number): boolean {
  return Number.isInteger(epoch) && epoch >= 0 && epoch < 2 ** 31;
}

function numbers(value: TorchValue | undefined): readonly number[] | undefined {
  if (!Array.isArray(value)) return undefined;
  const items = (value as readonly TorchValue[]).map(scalar);
  return items.includes(undefined) ? undefined : (items as readonly number[]);
}

/** A number, or a tensor of one. */
function scalar(value: TorchValue): number | undefined {
  if (typeof value === "number" || typeof value === "bigint") return Number(value);
  if (isTorchTensor(value) && value.data.length === 1) return Number(value.data[0]);
  return undefined;
}
