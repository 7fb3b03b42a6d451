import {
  type ArrayFile,
  contentHash,
  isTorchDictionary,
  isTorchTensor,
  type NamedArray,
  type TorchDictionary,
  type TorchValue,
} from "@implicit-rank/array-files";
import { damagedDataset, type Refuse } from "../error.ts";
import { areLabels } from "../labels.ts";
import { addGrayValues, meanAndDeviation } from "./gray-moments.ts";
import { setMetadata } from "./set-format.ts";

/** Float32 of the gray values 0 to 255, as torchvision's `ToTensor` makes them. */
const GRAY_VALUES = Float32Array.from({ length: 256 }, (_, byte) => byte / 255);

/** Of a statistic from that of the pixels; PyTorch 1.13 and 2.15, with 10,000 images of 150 × 150, are within 1.2e-7. */
const MOST_DIFFERENCE = 1e-5;

/**
 * The pathfinder set in a `.pt` of the Python scripts as the file that `data pathfinder` writes: gray values
 * as bytes (theirs are bytes divided by 255), labels, numbers of the raw images. Mean and deviation, by
 * which samples are normalized, are theirs; the numbers of images are those that are there, which for their
 * test split may be more than `num_test_examples` says.
 * @throws DatasetError (exit code 1) if the file holds something else or contradicts itself
 */
export function pathfinderFileFromTorch(content: TorchDictionary, path: string): ArrayFile {
  const refuse = damagedDataset(path);
  const train = readSplit(content.get("train"), "train", refuse);
  const test = readSplit(content.get("test"), "test", refuse);
  if (train.images.shape[2] !== test.images.shape[2]) {
    throw refuse("test.images", "have another size than those of the train split");
  }
  const arrays = { ...named("train", train), ...named("test", test) };
  const attributes = content.get("meta_attributes");
  const metadata = setMetadata({
    ...readAttributes(attributes, train.images.data, refuse),
    counts: { train: train.labels.data.length, test: test.labels.data.length },
    provenance: { generator: "PyTorch pathfinder_data_generator" },
    contentHash: contentHash({ arrays }),
  });
  return { arrays, metadata };
}

interface TorchSplit {
  readonly images: NamedArray & { readonly data: Uint8Array };
  readonly labels: NamedArray & { readonly data: Uint8Array };
  readonly indices: NamedArray;
}

function named(name: string, { images, labels, indices }: TorchSplit) {
  return {
    [`${name}_images`]: images,
    [`${name}_labels`]: labels,
    [`${name}_indices`]: indices,
  };
}

function readSplit(value: TorchValue | undefined, name: string, refuse: Refuse): TorchSplit {
  if (!isTorchDictionary(value)) throw refuse(name, "is missing");
  const images = grayImages(value.get("images"), `${name}.images`, refuse);
  const count = images.shape[0]!;
  return {
    images,
    labels: readLabels(value.get("labels"), count, `${name}.labels`, refuse),
    indices: readNumbers(value.get("original_indices"), count, `${name}.original_indices`, refuse),
  };
}

function grayImages(value: TorchValue | undefined, field: string, refuse: Refuse) {
  if (!isTorchTensor(value) || !(value.data instanceof Float32Array)) {
    throw refuse(field, "must be a float32 tensor");
  }
  const { shape, data } = value;
  if (data.length === 0 || shape.length !== 4 || shape[1] !== 1 || shape[2] !== shape[3]) {
    throw refuse(field, `have the shape ${shape.join(" × ")}, not n × 1 × size × size`);
  }
  const bytes = new Uint8Array(data.length);
  for (let i = 0; i < data.length; i++) {
    const byte = Math.round(data[i]! * 255);
    if (GRAY_VALUES[byte] !== data[i]) {
      throw refuse(field, `have the value ${data[i]}, which is no gray value k / 255`);
    }
    bytes[i] = byte;
  }
  return { shape, data: bytes };
}

function readLabels(
  value: TorchValue | undefined,
  count: number,
  field: string,
  refuse: Refuse,
): TorchSplit["labels"] {
  const data = isTorchTensor(value) ? value.data : undefined;
  if (!areLabels(data) || data.length !== count) {
    throw refuse(field, `must be ${count} bytes 0 and 1`);
  }
  return { shape: [count, 1], data };
}

function readNumbers(
  value: TorchValue | undefined,
  count: number,
  field: string,
  refuse: Refuse,
): NamedArray {
  const numbers = Array.isArray(value) ? (value as readonly TorchValue[]) : [];
  if (numbers.length !== count || !numbers.every(isImageNumber)) {
    throw refuse(field, `must be the numbers of ${count} images`);
  }
  return { shape: [count], data: Int32Array.from(numbers) };
}

function isImageNumber(value: TorchValue): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 0 && value < 2 ** 31;
}

function readAttributes(value: TorchValue | undefined, trainBytes: Uint8Array, refuse: Refuse) {
  const attributes = isTorchDictionary(value) ? value : new Map<string, TorchValue>();
  const pathLength = attributes.get("path_length");
  if (typeof pathLength !== "number" || !Number.isSafeInteger(pathLength) || pathLength < 0) {
    throw refuse("meta_attributes.path_length", "is no path length");
  }
  const moments = { sum: 0, squares: 0, count: 0 };
  addGrayValues(moments, trainBytes);
  const exact = meanAndDeviation(moments);
  return {
    pathLength,
    mean: statistic(attributes.get("train_mean"), "train_mean", exact.mean, refuse),
    std: statistic(attributes.get("train_std"), "train_std", exact.std, refuse),
  };
}

function statistic(
  value: TorchValue | undefined,
  name: string,
  exact: number,
  refuse: Refuse,
): number {
  const given = isTorchTensor(value) && value.shape.length === 0 ? value.data[0] : value;
  const isClose =
    typeof given === "number" && Math.abs(given - exact) <= MOST_DIFFERENCE * Math.abs(exact);
  if (!isClose) {
    throw refuse(`meta_attributes.${name}`, "is not that of the training images");
  }
  return given;
}
