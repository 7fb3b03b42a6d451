import { readFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs-core";
import {
  batchNormalizationTraining,
  type Forward,
  maxPool,
  type Patch,
  type PatchPair,
  relu,
} from "../src/index.ts";

interface GoldenArray {
  readonly shape: number[];
  readonly data: number[];
}

interface GoldenFile {
  readonly layers: readonly string[];
  readonly parameter_names: readonly string[];
  readonly parameters: readonly GoldenArray[];
  readonly inputs_nchw: GoldenArray;
  readonly labels: number[];
  readonly patch_a: [number, number, number, number];
  readonly patch_b: [number, number, number, number];
  readonly logits: GoldenArray;
  readonly task_loss: number;
  readonly input_gradient: GoldenArray;
  readonly regularization: number;
  readonly coefficient: number;
  readonly gradients_of_regularization: readonly GoldenArray[];
  readonly gradients_of_total: readonly GoldenArray[];
}

export const goldenCases = ["plain", "batchnorm", "maxpool"].flatMap((network) =>
  ["binary", "classes"].map((task) => `regularizer-${network}-${task}`),
);

/** A known answer in our layouts: NHWC, HWIO, [in, out]. */
export interface GoldenCase {
  readonly parameters: readonly tf.Variable[];
  readonly forward: Forward;
  readonly x: tf.Tensor4D;
  readonly labels: tf.Tensor1D;
  readonly patches: PatchPair;
  readonly expected: GoldenFile;
}

export function readGolden(name: string): GoldenCase {
  const url = new URL(`golden/${name}.json`, import.meta.url);
  const expected = JSON.parse(readFileSync(url, "utf8")) as GoldenFile;
  const parameters = expected.parameters.map((array) => tf.variable(fromTorch(array)));
  return {
    parameters,
    forward: forwardOf(expected.layers, parameters),
    x: fromTorchImages(expected.inputs_nchw),
    labels: tf.tensor1d(expected.labels, "int32"),
    patches: { a: patchOf(expected.patch_a), b: patchOf(expected.patch_b) },
    expected,
  };
}

/** A parameter: OIHW to HWIO, [out, in] to [in, out]. */
export function fromTorch({ shape, data }: GoldenArray): tf.Tensor {
  const tensor = tf.tensor(data, shape as [number]);
  if (shape.length === 4) return tf.transpose(tensor, [2, 3, 1, 0]);
  return shape.length === 2 ? tf.transpose(tensor) : tensor;
}

export function fromTorchImages({ shape, data }: GoldenArray): tf.Tensor4D {
  return tf.transpose(tf.tensor4d(data, shape as [number, number, number, number]), [0, 2, 3, 1]);
}

function patchOf([top, left, bottom, right]: [number, number, number, number]): Patch {
  return { top, left, height: bottom - top, width: right - left };
}

/** The layers that the case lists in PyTorch's notation. */
function forwardOf(layers: readonly string[], parameters: readonly tf.Tensor[]): Forward {
  return (images) => {
    let next = 0;
    let x: tf.Tensor = images;
    for (const layer of layers) {
      const kind = layer.slice(0, layer.indexOf("("));
      if (kind === "Conv2d") {
        const stride = Number(/stride=\((\d)/.exec(layer)![1]);
        const padding = Number(/padding=\((\d)/.exec(layer)![1]);
        const filter = parameters[next++] as tf.Tensor4D;
        x = tf.conv2d(x as tf.Tensor4D, filter, stride, padding);
      } else if (kind === "BatchNorm2d") {
        const [scale, offset] = [parameters[next++], parameters[next++]];
        x = batchNormalizationTraining(x as tf.Tensor4D, scale, offset, 1e-5).y;
      } else if (kind === "ReLU") {
        x = relu(x);
      } else if (kind === "MaxPool2d") {
        x = maxPool(x as tf.Tensor4D, { size: 3, stride: 2, padding: 1 });
      } else if (kind === "AdaptiveAvgPool2d") {
        x = tf.mean(x, [1, 2]);
      } else if (kind === "Linear") {
        const [weight, bias] = [parameters[next++], parameters[next++]];
        x = tf.add(tf.matMul(x as tf.Tensor2D, weight as tf.Tensor2D), bias);
      } else if (kind !== "Flatten") {
        throw new Error(`no layer ${layer}`);
      }
    }
    return x as tf.Tensor2D;
  };
}
