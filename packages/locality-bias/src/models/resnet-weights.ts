import * as tf from "@tensorflow/tfjs-core";
import { LocalityBiasError } from "../errors.ts";
import type { ResNet } from "./resnet.ts";

/** An array of a file of weights, in PyTorch's layout. */
export interface WeightArray {
  readonly shape: readonly number[];
  readonly data: ArrayLike<number> | ArrayLike<bigint>;
}

/** What a reader of safetensors or npz gives, such as `readSafetensors` of @implicit-rank/array-files. */
export interface WeightFile {
  readonly arrays: Readonly<Record<string, WeightArray>>;
}

/** Weights as they go into a file. */
export interface ExportedWeights {
  readonly arrays: Readonly<Record<string, { shape: readonly number[]; data: Float32Array }>>;
}

/** What an import did. */
export interface ImportedWeights {
  /** Names that were taken over. */
  readonly imported: readonly string[];
  /** Names that keep their values: the last layer, where the file has another number of outputs. */
  readonly kept: readonly string[];
}

/**
 * Takes over the weights and running statistics of a torchvision ResNet: convolutions OIHW, the linear
 * layer [out, in]; `num_batches_tracked` is of no account. The last layer (`fc`) is left as it is where
 * the file's has another number of outputs.
 *
 * @param source the file, for messages.
 * @throws LocalityBiasError naming the first array that is missing, unexpected, of another shape or not
 *   of floating-point numbers; the model is unchanged then.
 */
export function importResNetWeights(
  model: ResNet,
  { arrays }: WeightFile,
  source: string,
): ImportedWeights {
  const variables = new Map([...model.parameters, ...model.statistics]);
  const kept = hasOtherOutputs(model, arrays) ? ["fc.weight", "fc.bias"] : [];
  const imported = [...variables.keys()].filter((name) => !kept.includes(name));
  for (const name of imported) checkArray(name, arrays[name], variables.get(name)!, source);
  for (const name of Object.keys(arrays)) {
    if (!variables.has(name) && !name.endsWith(".num_batches_tracked")) {
      throw new LocalityBiasError(
        `${source}: unexpected array ${name}; the file is not of a ResNet-like model of this depth`,
        1,
      );
    }
  }
  tf.tidy(() => {
    for (const name of imported) {
      const { shape, data } = arrays[name];
      const values = Float32Array.from(data as ArrayLike<number>);
      variables.get(name)!.assign(fromTorchLayout(tf.tensor(values, [...shape])));
    }
  });
  return { imported, kept };
}

/** The weights and running statistics under torchvision's names, in PyTorch's layout. */
export async function exportResNetWeights(model: ResNet): Promise<ExportedWeights> {
  const arrays: Record<string, { shape: readonly number[]; data: Float32Array }> = {};
  for (const [name, variable] of [...model.parameters, ...model.statistics]) {
    const inTorchLayout = tf.tidy(() => toTorchLayout(variable));
    const data = Float32Array.from((await inTorchLayout.data()) as Float32Array);
    arrays[name] = { shape: inTorchLayout.shape, data };
    inTorchLayout.dispose();
  }
  return { arrays };
}

function hasOtherOutputs(model: ResNet, arrays: WeightFile["arrays"]): boolean {
  const shape = arrays["fc.weight"]?.shape;
  const { features, outputs } = model.layout;
  return shape?.length === 2 && shape[1] === features && shape[0] !== outputs;
}

function checkArray(
  name: string,
  array: WeightArray | undefined,
  variable: tf.Variable,
  source: string,
): void {
  if (array === undefined) {
    throw new LocalityBiasError(
      `${source}: no array ${name}; the file is of another model or incomplete`,
      1,
    );
  }
  const expected = torchShape(variable.shape);
  if (array.shape.join() !== expected.join()) {
    throw new LocalityBiasError(
      `${source}: ${name} has shape [${array.shape.join(", ")}], the model's is [${expected.join(", ")}]; make the model with the file's depth, width, channels and stem`,
      1,
    );
  }
  if (!(array.data instanceof Float32Array || array.data instanceof Float64Array)) {
    throw new LocalityBiasError(`${source}: ${name} does not hold floating-point numbers`, 1);
  }
}

/** HWIO to OIHW, [in, out] to [out, in]. */
function torchShape(shape: readonly number[]): readonly number[] {
  return permutationToTorch(shape.length).map((axis) => shape[axis]);
}

const toTorchLayout = (x: tf.Tensor): tf.Tensor => tf.transpose(x, permutationToTorch(x.rank));

const fromTorchLayout = (x: tf.Tensor): tf.Tensor =>
  x.rank === 4 ? tf.transpose(x, [2, 3, 1, 0]) : tf.transpose(x);

function permutationToTorch(rank: number): number[] {
  if (rank === 4) return [3, 2, 0, 1];
  return rank === 2 ? [1, 0] : [0];
}
