import * as tf from "@tensorflow/tfjs-core";
import type { Gradients, Optimizer } from "../optimizers/optimizer.ts";

/** Gradients of several batches on their way to one update. Takes over the tensors that it is given. */
export interface Accumulator {
  /** Updates when `batches` have come, or at the last one of an epoch. */
  add(gradients: Gradients, last: boolean): void;
  dispose(): void;
}

/** The update gets the mean over the batches that came. */
export function createAccumulator(batches: number, optimizer: Optimizer): Accumulator {
  let sums = new Map<string, tf.Tensor>();
  let count = 0;
  const clear = (): void => {
    tf.dispose([...sums.values()]);
    sums = new Map();
    count = 0;
  };
  return {
    add(gradients, last) {
      for (const [name, gradient] of gradients) sums.set(name, addUp(sums.get(name), gradient));
      count += 1;
      if (count < batches && !last) return;
      if (count > 1) for (const [name, sum] of sums) sums.set(name, divide(sum, count));
      optimizer.update(sums);
      clear();
    },
    dispose: clear,
  };
}

function addUp(sum: tf.Tensor | undefined, gradient: tf.Tensor): tf.Tensor {
  if (sum === undefined) return gradient;
  const next = tf.add(sum, gradient);
  tf.dispose([sum, gradient]);
  return next;
}

function divide(sum: tf.Tensor, count: number): tf.Tensor {
  const mean = tf.div(sum, count);
  sum.dispose();
  return mean;
}
