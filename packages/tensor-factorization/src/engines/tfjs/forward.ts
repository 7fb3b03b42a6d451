import * as tf from "@tensorflow/tfjs-core";
import { FactorizationError } from "../../errors.ts";
import { modeTreeOf } from "../../model/parameter-layout.ts";
import { modeSizesOf } from "../../model/spec.ts";
import type { CpSpec, FactorizationSpec, HierarchicalSpec, MatrixSpec } from "../../model/types.ts";
import { registerGradients } from "./register-gradients.ts";

/**
 * The predictions of a factorization as a differentiable function of its parameters, and of its inputs
 * where these are real: a vector of samples.
 *
 * @param parameters the matrices in the order of `parameterLayout(spec)`.
 * @param inputs index tuples (int32, samples × order); or encodings in one tensor (float32, samples ×
 *   order × largest mode size; for MF samples × rows × cols); or a list of encodings, one for each mode
 *   (float32, samples × mode size), such as the features that other layers of a model compute.
 * @throws FactorizationError if the list has not one encoding for each mode.
 */
export function forward(
  spec: FactorizationSpec,
  parameters: readonly tf.Tensor[],
  inputs: tf.Tensor | readonly tf.Tensor[],
): tf.Tensor1D {
  registerGradients();
  return tf.tidy(() =>
    spec.kind === "mf"
      ? matrixForward(spec, parameters, inputs)
      : hierarchicalForward(spec, parameters, encode(spec, inputs)),
  );
}

function matrixForward(
  spec: MatrixSpec,
  layers: readonly tf.Tensor[],
  inputs: tf.Tensor | readonly tf.Tensor[],
): tf.Tensor1D {
  const product = layers.reduce((left, right) => tf.matMul(left, right));
  if (inputs instanceof tf.Tensor && inputs.rank === 3) {
    return tf.sum(tf.mul(inputs, product), [1, 2]);
  }
  const [left, right] = encode(spec, inputs);
  return tf.sum(tf.mul(tf.matMul(left, product), right), 1);
}

/**
 * One-hot matrices, not gather, whose gradient tfjs computes with one pass for each row. tfjs takes
 * no depth of 1.
 */
function oneHot(indices: tf.Tensor, mode: number, size: number): tf.Tensor2D {
  const column = tf.cast(tf.reshape(tf.slice(indices, [0, mode], [-1, 1]), [-1]), "int32");
  const encoded = tf.oneHot(column, Math.max(2, size));
  return tf.slice(tf.cast(encoded, "float32"), [0, 0], [-1, size]) as tf.Tensor2D;
}

/** Encodings of each mode, samples × mode size. */
function encode(
  spec: FactorizationSpec,
  inputs: tf.Tensor | readonly tf.Tensor[],
): readonly tf.Tensor[] {
  const modeSizes = modeSizesOf(spec);
  if (!(inputs instanceof tf.Tensor)) {
    if (inputs.length === modeSizes.length) return inputs;
    throw new FactorizationError(
      `inputs: ${inputs.length} encodings given for ${modeSizes.length} modes; give one for each mode`,
    );
  }
  return modeSizes.map((size, mode) =>
    inputs.rank === 2
      ? oneHot(inputs, mode, size)
      : tf.reshape(tf.slice(inputs, [0, mode, 0], [-1, 1, size]), [-1, size]),
  );
}

function hierarchicalForward(
  spec: CpSpec | HierarchicalSpec,
  parameters: readonly tf.Tensor[],
  encodings: readonly tf.Tensor[],
): tf.Tensor1D {
  let next = 0;
  let activations = encodings;
  for (const layer of modeTreeOf(spec).layers) {
    const hidden = activations.map((input) => tf.matMul(input, parameters[next++]));
    activations = layer.groups.map((group) =>
      group.map((node) => hidden[node]).reduce((left, right) => tf.mul(left, right)),
    );
  }
  const root = activations[0];
  return spec.outputWeights ? tf.reshape(tf.matMul(root, parameters[next]), [-1]) : tf.sum(root, 1);
}
