import { createRandom } from "@implicit-rank/random";
import * as tf from "@tensorflow/tfjs-core";

/** Standard normal numbers. */
export function normalTensor<R extends tf.Rank = tf.Rank>(
  shape: readonly number[],
  seed: number,
): tf.Tensor<R> {
  const values = new Float32Array(tf.util.sizeFromShape([...shape]));
  createRandom(seed).fillNormal(values, 0, 1);
  return tf.reshape(tf.tensor1d(values), [...shape] as tf.ShapeMap[R]);
}

export function inner(a: tf.Tensor, b: tf.Tensor): tf.Scalar {
  return tf.sum(tf.mul(a, b));
}
