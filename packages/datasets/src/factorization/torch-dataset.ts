import { isTorchDictionary, isTorchTensor } from "@implicit-rank/array-files";
import type { TorchDictionary, TorchValue } from "@implicit-rank/array-files";
import { damagedDataset, DatasetError, type Refuse } from "../error.ts";
import type { FactorizationDataset } from "./dataset.ts";

/**
 * The data set in a `.pt` of the PyTorch scripts. Matrix: dictionary of A (samples × rows × columns),
 * y and target_matrix. Tensor: inputs (samples × order × mode size), targets and additional_metadata.
 * Inputs that are all one-hot are entries: completion.
 * @throws DatasetError (exit code 1) if the file holds something else
 */
export function datasetFromTorch(value: TorchValue, path: string): FactorizationDataset {
  if (!isTorchDictionary(value)) throw notADataset(path);
  if (value.has("A")) return matrixDataset(value, damagedDataset(path));
  if (value.has("inputs")) return tensorDataset(value, damagedDataset(path));
  throw notADataset(path);
}

function notADataset(path: string): DatasetError {
  return new DatasetError(
    `${path}: content: is not a matrix or tensor data set of the PyTorch scripts; give the file that their data generator wrote`,
    1,
  );
}

function matrixDataset(content: TorchDictionary, refuse: Refuse) {
  const inputs = floatTensor(content.get("A"), "A", 3, refuse);
  const [samples, rows, cols] = inputs.shape as [number, number, number];
  const targets = floatTensor(content.get("y"), "y", 1, refuse, [samples]);
  const target = floatTensor(content.get("target_matrix"), "target_matrix", 2, refuse, [
    rows,
    cols,
  ]);
  const hot = oneHotPositions(inputs.data, samples, rows * cols);
  const indices =
    hot &&
    Int32Array.from({ length: 2 * samples }, (_, i) =>
      i % 2 === 0 ? Math.floor(hot[i >> 1]! / cols) : hot[i >> 1]! % cols,
    );
  return {
    kind: "matrix" as const,
    modeSizes: [rows, cols],
    samples,
    ...observations(indices, inputs.data),
    targets: targets.data,
    targetTensor: target.data,
    provenance: { generator: "PyTorch matrix_factorization_data_generator" },
  };
}

function tensorDataset(content: TorchDictionary, refuse: Refuse) {
  const inputs = floatTensor(content.get("inputs"), "inputs", 3, refuse);
  const [samples, order, size] = inputs.shape as [number, number, number];
  if (order < 2) throw refuse("inputs", `have order ${order}, at least 2 is needed`);
  const targets = floatTensor(content.get("targets"), "targets", 1, refuse, [samples]);
  const settings = content.get("additional_metadata");
  return {
    kind: "tensor" as const,
    modeSizes: new Array<number>(order).fill(size),
    samples,
    ...observations(oneHotPositions(inputs.data, samples * order, size), inputs.data),
    targets: targets.data,
    provenance: {
      generator: "PyTorch tensor_sensing_data_generator",
      ...(settings === undefined ? {} : { flags: plain(settings) }),
    },
  };
}

function observations(indices: Int32Array | undefined, inputs: Float32Array) {
  return indices === undefined
    ? { task: "sensing" as const, inputs }
    : { task: "completion" as const, indices };
}

/** Where the one is in each row of `width` numbers; undefined unless every row is a one among zeros. */
function oneHotPositions(
  values: Float32Array,
  rows: number,
  width: number,
): Int32Array | undefined {
  const positions = new Int32Array(rows);
  for (let row = 0; row < rows; row++) {
    let hot = -1;
    for (let i = 0; i < width; i++) {
      const value = values[row * width + i]!;
      if (value === 0) continue;
      if (value !== 1 || hot >= 0) return undefined;
      hot = i;
    }
    if (hot < 0) return undefined;
    positions[row] = hot;
  }
  return positions;
}

interface FloatTensor {
  readonly shape: readonly number[];
  readonly data: Float32Array;
}

function floatTensor(
  value: TorchValue | undefined,
  field: string,
  axes: number,
  refuse: Refuse,
  shape?: readonly number[],
): FloatTensor {
  if (!isTorchTensor(value)) throw refuse(field, "is no tensor");
  if (value.shape.length !== axes || value.data.length === 0) {
    throw refuse(field, `must have ${axes} axes and not be empty`);
  }
  if (shape !== undefined && value.shape.join() !== shape.join()) {
    throw refuse(field, `has the shape ${value.shape.join(" × ")}, not ${shape.join(" × ")}`);
  }
  const { data } = value;
  if (!(data instanceof Float32Array || data instanceof Float64Array)) {
    throw refuse(field, "must be a floating-point tensor");
  }
  if (data.some((element) => !Number.isFinite(element))) {
    throw refuse(field, "has values that are not finite");
  }
  return {
    shape: value.shape,
    data: data instanceof Float32Array ? data : Float32Array.from(data),
  };
}

/** Settings as JSON holds them: maps become objects, tensors and big integers text. */
function plain(value: TorchValue): unknown {
  if (Array.isArray(value)) return (value as readonly TorchValue[]).map(plain);
  if (isTorchDictionary(value)) {
    const pairs = [...value];
    return Object.fromEntries(pairs.map(([key, child]) => [String(key), plain(child)]));
  }
  if (typeof value === "bigint") return String(value);
  return isTorchTensor(value) ? `tensor of shape ${value.shape.join(" × ")}` : value;
}
