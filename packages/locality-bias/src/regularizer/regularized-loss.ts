import * as tf from "@tensorflow/tfjs-core";
import { registerMissingGradients } from "../autodiff/missing-gradients.ts";
import { LocalityBiasError } from "../errors.ts";
import { taskLoss } from "../losses/task-loss.ts";
import { type Forward, inputGradientChange } from "./input-gradient-change.ts";
import type { PatchPair } from "./patch.ts";

/** What the loss is computed of. */
export interface RegularizedLossOptions {
  readonly forward: Forward;
  readonly x: tf.Tensor4D;
  /** 0 and 1 for a single logit, otherwise class numbers. */
  readonly labels: tf.Tensor1D;
  /** Of the regularizer; at 0 it is not computed. */
  readonly coefficient: number;
  /** Needed where the coefficient is not 0. */
  readonly patches?: PatchPair;
}

/** The loss of a batch and its parts. */
export interface RegularizedLoss {
  /** taskLoss + coefficient · regularization. */
  readonly loss: tf.Scalar;
  readonly taskLoss: tf.Scalar;
  /** `inputGradientChange`; 0 where the coefficient is 0. */
  readonly regularization: tf.Scalar;
  readonly logits: tf.Tensor2D;
}

/**
 * The task loss (cross entropy, binary for a single logit) plus the coefficient times the input gradient
 * change, for tf.variableGrads or tf.grads to differentiate by the parameters of `forward`. Both share
 * one forward pass on x.
 */
export function regularizedLoss(options: RegularizedLossOptions): RegularizedLoss {
  registerMissingGradients();
  const { forward, x, labels, coefficient, patches } = options;
  if (coefficient === 0) {
    const logits = forward(x);
    const loss = taskLoss(logits, labels);
    return { loss, taskLoss: loss, regularization: tf.scalar(0), logits };
  }
  if (patches === undefined) {
    throw new LocalityBiasError("--grad_change_reg_coeff: the regularizer needs a pair of patches");
  }
  const { logits, change } = inputGradientChange({ forward, x, labels, patches });
  const ofTask = taskLoss(logits, labels);
  const loss = tf.add(ofTask, tf.mul(change, coefficient)) as tf.Scalar;
  return { loss, taskLoss: ofTask, regularization: change, logits };
}
