import type { Random } from "@implicit-rank/random";
import * as tf from "@tensorflow/tfjs-core";

/** Each entry of x is 0 with the given probability and x / (1 - probability) otherwise. */
export function dropout<T extends tf.Tensor>(x: T, probability: number, random: Random): T {
  const mask = new Float32Array(x.size);
  const threshold = probability * 2 ** 32;
  const kept = 1 / (1 - probability);
  for (let i = 0; i < mask.length; i++) mask[i] = random.uint32() < threshold ? 0 : kept;
  return tf.mul(x, tf.tensor(mask, x.shape)) as T;
}
