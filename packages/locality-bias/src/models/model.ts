import type { Random } from "@implicit-rank/random";
import type * as tf from "@tensorflow/tfjs-core";

/** Whether a model is applied to train it or to use it. */
export interface ApplyOptions {
  /**
   * true: batch norm by the statistics of the batch, which also move the running ones; dropout on.
   * false: batch norm by the running statistics; no dropout.
   */
  readonly training: boolean;
  /** Draws the dropout masks; only needed in training with dropout. */
  readonly random?: Random;
}

/** A network with explicit parameters, from images in NHWC to logits. */
export interface Model {
  /** Learned: torchvision's names in torchvision's order; convolutions HWIO, linear layers [in, out]. */
  readonly parameters: ReadonlyMap<string, tf.Variable>;
  /** Running means and variances of batch norm, by torchvision's names. */
  readonly statistics: ReadonlyMap<string, tf.Variable>;
  /** Logits, samples × outputs. */
  apply(x: tf.Tensor4D, options: ApplyOptions): tf.Tensor2D;
  /** Frees parameters and statistics. */
  dispose(): void;
}

/** How many numbers are learned. */
export function parameterCount(model: Model): number {
  let count = 0;
  for (const variable of model.parameters.values()) count += variable.size;
  return count;
}
