import { extname, join } from "node:path";
import {
  contentHash,
  isFileExistsError,
  readNpz,
  readSafetensors,
  readTorchFile,
  withChecksum,
  writeNpz,
  writeSafetensors,
  type ArrayFile,
  type NamedArray,
} from "@implicit-rank/array-files";
import { damagedDataset, DatasetError, type Refuse } from "../error.ts";
import { makeFolder } from "../make-folder.ts";
import { refuseAlteredMetadata } from "../metadata-check.ts";
import type { FactorizationDataset } from "./dataset.ts";
import { datasetFromTorch } from "./torch-dataset.ts";

const FORMAT = "implicit-rank factorization dataset";
const FORMAT_VERSION = 1;
const METADATA_KEYS = [
  "format",
  "format_version",
  "kind",
  "task",
  "mode_sizes",
  "provenance",
  "content_sha256",
];

/** A data set as it was read, with the hash that tells whether two files hold the same. */
export type ReadFactorizationDataset = FactorizationDataset & {
  /** SHA-256 of the arrays; see array-files' `contentHash`. */
  readonly contentHash: string;
};

/**
 * Writes a data set to `path`, which ends in .safetensors or .npz; docs/data-files.md describes the content.
 * @throws DatasetError for another extension, ArrayFileError if the file exists or cannot be written
 */
export async function writeFactorizationDataset(
  path: string,
  dataset: FactorizationDataset,
  options: { readonly overwrite?: boolean } = {},
): Promise<void> {
  const extension = extname(path);
  if (extension === ".safetensors")
    return writeSafetensors(path, factorizationFile(dataset), options);
  if (extension === ".npz") return writeNpz(path, factorizationFile(dataset), options);
  throw wrongExtension(path, "written as .safetensors or .npz");
}

/**
 * Writes a new data set file below `folder` (made if missing) and returns its path. If the name is taken
 * (another data set of the same second), `_2`, `_3`, … is appended: no file is ever replaced.
 * @throws ArrayFileError
 */
export async function saveFactorizationDataset(
  folder: string,
  name: string,
  dataset: FactorizationDataset,
): Promise<string> {
  await makeFolder(folder);
  for (let copy = 1; ; copy++) {
    const path = join(folder, `${name}${copy === 1 ? "" : `_${copy}`}.safetensors`);
    try {
      await writeFactorizationDataset(path, dataset);
      return path;
    } catch (error) {
      if (!isFileExistsError(error)) throw error;
    }
  }
}

/**
 * Reads and checks a data set: .safetensors or .npz of this package, or the .pt of the PyTorch scripts
 * (one-hot inputs become completion indices).
 * @throws ArrayFileError if the file is missing or damaged; DatasetError if it holds something else, was
 *   written by a later version, or its arrays contradict each other
 */
export async function readFactorizationDataset(path: string): Promise<ReadFactorizationDataset> {
  const extension = extname(path);
  if (extension === ".pt") {
    const dataset = datasetFromTorch(await readTorchFile(path), path);
    return { ...dataset, contentHash: contentHash({ arrays: toArrays(dataset) }) };
  }
  if (extension === ".safetensors") return fromArrayFile(await readSafetensors(path), path);
  if (extension === ".npz") return fromArrayFile(await readNpz(path), path);
  throw wrongExtension(path, "read from .safetensors, .npz or .pt");
}

function wrongExtension(path: string, what: string): DatasetError {
  return new DatasetError(
    `${path}: the extension "${extname(path)}" is not known; data sets are ${what} files`,
    2,
  );
}

function toArrays(dataset: FactorizationDataset): Record<string, NamedArray> {
  const { kind, modeSizes, samples, indices, inputs, targets, targetTensor } = dataset;
  const order = modeSizes.length;
  const inputShape = kind === "matrix" ? modeSizes : [order, modeSizes[0]!];
  return {
    ...(indices === undefined ? {} : { indices: { shape: [samples, order], data: indices } }),
    ...(inputs === undefined ? {} : { inputs: { shape: [samples, ...inputShape], data: inputs } }),
    targets: { shape: [samples], data: targets },
    ...(targetTensor === undefined
      ? {}
      : { target_tensor: { shape: [...modeSizes], data: targetTensor } }),
  };
}

/** Arrays and metadata of the file of a data set. */
export function factorizationFile(dataset: FactorizationDataset): ArrayFile {
  const arrays = toArrays(dataset);
  return {
    arrays,
    metadata: withChecksum({
      format: FORMAT,
      format_version: String(FORMAT_VERSION),
      kind: dataset.kind,
      task: dataset.task,
      mode_sizes: JSON.stringify(dataset.modeSizes),
      provenance: JSON.stringify(dataset.provenance),
      content_sha256: contentHash({ arrays }),
    }),
  };
}

function fromArrayFile(file: ArrayFile, path: string): ReadFactorizationDataset {
  const { metadata, arrays } = file;
  const refuse = damagedDataset(path);
  refuseOtherFormat(metadata, path);
  const hash = contentHash(file);
  if (metadata.content_sha256 !== hash) {
    throw refuse("content_sha256", "does not match the arrays, the file was altered");
  }
  refuseAlteredMetadata(metadata, METADATA_KEYS, refuse);
  const kind = oneOf(metadata.kind, ["matrix", "tensor"], "kind", refuse);
  const task = oneOf(metadata.task, ["completion", "sensing"], "task", refuse);
  const modeSizes = parseModeSizes(metadata.mode_sizes, kind, refuse);
  const targets = floats(arrays.targets, "targets", refuse);
  const samples = targets.length;
  refuseShape(arrays.targets, [samples], "targets", refuse);
  const targetTensor = arrays.target_tensor;
  refuseShape(targetTensor, modeSizes, "target_tensor", refuse, "optional");
  return {
    kind,
    task,
    modeSizes,
    samples,
    ...(task === "completion"
      ? { indices: readIndices(arrays.indices, samples, modeSizes, refuse) }
      : { inputs: readInputs(arrays.inputs, samples, kind, modeSizes, refuse) }),
    targets,
    ...(targetTensor === undefined
      ? {}
      : { targetTensor: floats(targetTensor, "target_tensor", refuse) }),
    provenance: parseProvenance(metadata.provenance, refuse),
    contentHash: hash,
  };
}

function refuseOtherFormat(metadata: Readonly<Record<string, string>>, path: string): void {
  if (metadata.format !== FORMAT) {
    throw new DatasetError(
      `${path}: format: not a data set of implicit-rank; make one with "implicit-rank data matrix" or "data tensor"`,
      2,
    );
  }
  if (metadata.format_version !== String(FORMAT_VERSION)) {
    throw new DatasetError(
      `${path}: format_version: ${JSON.stringify(metadata.format_version?.slice(0, 20) ?? "")} is not known to this version (${FORMAT_VERSION} is); upgrade implicit-rank`,
      1,
    );
  }
}

function oneOf<Choice extends string>(
  value: string | undefined,
  choices: readonly Choice[],
  field: string,
  refuse: Refuse,
): Choice {
  const choice = choices.find((candidate) => candidate === value);
  if (choice === undefined) throw refuse(field, `must be ${choices.join(" or ")}`);
  return choice;
}

function parseJson(text: string | undefined, field: string, refuse: Refuse): unknown {
  try {
    return JSON.parse(text ?? "") as unknown;
  } catch {
    throw refuse(field, "is not valid JSON");
  }
}

function parseModeSizes(
  text: string | undefined,
  kind: "matrix" | "tensor",
  refuse: Refuse,
): readonly number[] {
  const sizes = parseJson(text, "mode_sizes", refuse);
  const isShape =
    Array.isArray(sizes) &&
    (kind === "matrix" ? sizes.length === 2 : sizes.length >= 2) &&
    sizes.every((size) => Number.isSafeInteger(size) && size >= 1);
  if (!isShape) throw refuse("mode_sizes", "must be two or more positive integers");
  return sizes as number[];
}

function parseProvenance(
  text: string | undefined,
  refuse: Refuse,
): Readonly<Record<string, unknown>> {
  const provenance = parseJson(text, "provenance", refuse);
  if (typeof provenance !== "object" || provenance === null || Array.isArray(provenance)) {
    throw refuse("provenance", "is not an object");
  }
  return provenance as Record<string, unknown>;
}

function floats(array: NamedArray | undefined, field: string, refuse: Refuse): Float32Array {
  if (!(array?.data instanceof Float32Array)) throw refuse(field, "must be a float32 array");
  if (array.data.some((value) => !Number.isFinite(value))) {
    throw refuse(field, "has values that are not finite");
  }
  return array.data;
}

function refuseShape(
  array: NamedArray | undefined,
  shape: readonly number[],
  field: string,
  refuse: Refuse,
  presence: "required" | "optional" = "required",
): void {
  if (array === undefined && presence === "optional") return;
  if (array?.shape.join() !== shape.join()) {
    throw refuse(field, `must have the shape ${shape.join(" × ")}`);
  }
}

function readIndices(
  array: NamedArray | undefined,
  samples: number,
  modeSizes: readonly number[],
  refuse: Refuse,
): Int32Array {
  refuseShape(array, [samples, modeSizes.length], "indices", refuse);
  const indices = array?.data;
  if (!(indices instanceof Int32Array)) throw refuse("indices", "must be an int32 array");
  const order = modeSizes.length;
  if (indices.some((index, i) => index < 0 || index >= modeSizes[i % order]!)) {
    throw refuse("indices", "reach beyond the mode sizes");
  }
  return indices;
}

function readInputs(
  array: NamedArray | undefined,
  samples: number,
  kind: "matrix" | "tensor",
  modeSizes: readonly number[],
  refuse: Refuse,
): Float32Array {
  const shape = kind === "matrix" ? modeSizes : [modeSizes.length, Math.max(...modeSizes)];
  refuseShape(array, [samples, ...shape], "inputs", refuse);
  return floats(array, "inputs", refuse);
}
