import {
  batchNormalizationTraining,
  maxPool,
  type Model,
  relu,
} from "@implicit-rank/locality-bias";
import type { Random } from "@implicit-rank/random";
import * as tf from "@tensorflow/tfjs-core";

/**
 * One of each kind of layer of a ResNet, for backends that take long for each operation: a 3 × 3
 * convolution with stride 2, batch norm, max pooling, a residual block with a 1 × 1 shortcut, a linear layer.
 */
export function createShortNetwork(random: Random): Model {
  const parameters = new Map<string, tf.Variable>();
  const weight = (name: string, shape: number[]): tf.Variable => {
    const values = new Float32Array(tf.util.sizeFromShape(shape));
    random.fillNormal(values, 0, 0.5);
    const variable = tf.variable(tf.tensor(values, shape), true);
    parameters.set(name, variable);
    return variable;
  };
  const stem = weight("stem", [3, 3, 2, 4]);
  const scale = weight("scale", [4]);
  const offset = weight("offset", [4]);
  const inner = weight("inner", [3, 3, 4, 6]);
  const shortcut = weight("shortcut", [1, 1, 4, 6]);
  const linear = weight("linear", [6, 1]);
  const convolve = (x: tf.Tensor4D, filter: tf.Tensor, stride: number, padding: number) =>
    tf.conv2d(x, filter as tf.Tensor4D, stride, padding, "NHWC", 1, "floor");
  return {
    parameters,
    statistics: new Map(),
    apply: (x) =>
      tf.tidy(() => {
        const { y } = batchNormalizationTraining(convolve(x, stem, 2, 1), scale, offset, 1e-5);
        const pooled = maxPool(relu(y), { size: 3, stride: 2, padding: 1 });
        const block = tf.add(convolve(pooled, inner, 1, 1), convolve(pooled, shortcut, 1, 0));
        return tf.matMul(tf.mean(relu(block), [1, 2]) as tf.Tensor2D, linear as tf.Tensor2D);
      }),
    dispose: () => tf.dispose([...parameters.values()]),
  };
}
