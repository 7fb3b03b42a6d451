import * as tf from "@tensorflow/tfjs-core";
import { detach } from "../autodiff/detach.ts";
import { LocalityBiasError } from "../errors.ts";

/**
 * What the logits mean. "binary": one logit, labels 0 and 1. "classes": a logit for each class, labels
 * are class numbers.
 */
export type Task = "binary" | "classes";

/** One logit is a binary task, more are classes. */
export function taskOf(logits: tf.Tensor2D): Task {
  return logits.shape[1] === 1 ? "binary" : "classes";
}

/**
 * The mean loss over the samples, as a scalar. binary: cross entropy with logits, in the form
 * softplus(z) - y z that does not overflow. classes: log Σ exp(z) - z[label].
 */
export function taskLoss(logits: tf.Tensor2D, labels: tf.Tensor1D): tf.Scalar {
  const picked = pickedOutputs(logits, labels);
  if (taskOf(logits) === "binary") {
    const targets = tf.reshape(tf.cast(labels, "float32"), logits.shape);
    return tf.mean(tf.sub(tf.softplus(logits), tf.mul(logits, targets)));
  }
  const largest = tf.max(detach(logits), 1, true);
  const shifted = tf.sub(logits, largest);
  const logSum = tf.add(tf.log(tf.sum(tf.exp(shifted), 1, true)), largest);
  return tf.mean(tf.sub(tf.reshape(logSum, [-1]), tf.sum(tf.mul(logits, picked), 1)));
}

/**
 * Which outputs the regularizer differentiates, as weights of the shape of the logits: 1 for the single
 * logit, or for the logit of the true class.
 */
export function pickedOutputs(
  { shape: [samples, outputs] }: { readonly shape: readonly number[] },
  labels: tf.Tensor1D,
): tf.Tensor2D {
  if (outputs === 1) return tf.ones([samples, 1]);
  return tf.cast(tf.oneHot(tf.cast(labels, "int32"), outputs), "float32") as tf.Tensor2D;
}

/** How many samples are classified correctly: a logit above 0 means 1; otherwise the largest logit. */
export function correctCount(logits: tf.Tensor2D, labels: tf.Tensor1D): tf.Scalar {
  const wanted = tf.cast(labels, "int32");
  const predicted =
    taskOf(logits) === "binary"
      ? tf.cast(tf.greater(tf.reshape(logits, [-1]), 0), "int32")
      : tf.argMax(logits, 1);
  return tf.sum(tf.cast(tf.equal(predicted, wanted), "float32"));
}

/**
 * @throws LocalityBiasError naming the first label that the outputs do not have.
 */
export function checkLabels(labels: ArrayLike<number>, outputs: number): void {
  const classes = outputs === 1 ? 2 : outputs;
  for (let sample = 0; sample < labels.length; sample++) {
    const label = labels[sample];
    if (!Number.isInteger(label) || label < 0 || label >= classes) {
      throw new LocalityBiasError(
        `labels: sample ${sample} has label ${label}; labels are 0 … ${classes - 1}`,
        1,
      );
    }
  }
}
