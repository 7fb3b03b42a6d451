import { isTorchDictionary, isTorchTensor } from "@implicit-rank/array-files";
import type { TorchValue } from "@implicit-rank/array-files";
import { DatasetError } from "../error.ts";
import type { IsSameDataset } from "./dataset-file.ts";

/**
 * The is-same data set in a `.pt` of the Python scripts: pairs of CIFAR-10 numbers (image_pairs_indices,
 * n × 2), labels and whether they are of the train split.
 * @throws DatasetError (exit code 1) if the file holds something else
 */
export function isSameFromTorch(value: TorchValue, path: string): IsSameDataset {
  const content = isTorchDictionary(value) ? value : undefined;
  const pairs = integers(content?.get("image_pairs_indices"));
  const labels = integers(content?.get("labels"));
  const train = content?.get("train");
  const isDataset =
    pairs !== undefined &&
    labels !== undefined &&
    typeof train === "boolean" &&
    pairs.length === 2 * labels.length &&
    pairs.every((index) => index >= 0 && index < 2 ** 31) &&
    labels.every((label) => label === 0 || label === 1);
  if (!isDataset) {
    throw new DatasetError(
      `${path}: content: is not an is-same data set of the Python scripts; give the file that their data generator wrote`,
      1,
    );
  }
  return {
    pairs: Int32Array.from(pairs),
    labels: Uint8Array.from(labels),
    samples: labels.length,
    source: "cifar10",
    split: train ? "train" : "test",
    provenance: { generator: "PyTorch is_same_class_data_generator" },
  };
}

function integers(value: TorchValue | undefined): number[] | undefined {
  if (!isTorchTensor(value)) return undefined;
  const { data } = value;
  return data instanceof BigInt64Array ? Array.from(data, Number) : undefined;
}
