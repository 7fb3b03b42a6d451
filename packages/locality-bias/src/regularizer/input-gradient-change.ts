import * as tf from "@tensorflow/tfjs-core";
import { detach } from "../autodiff/detach.ts";
import { differentiate } from "../autodiff/differentiate.ts";
import { registerMissingGradients } from "../autodiff/missing-gradients.ts";
import { LocalityBiasError } from "../errors.ts";
import { pickedOutputs, taskOf } from "../losses/task-loss.ts";
import type { PatchPair } from "./patch.ts";
import { checkPatch, cutPatch, swapPatch } from "./swap-patch.ts";

/** A network in the mode in which it trains: images in NHWC to logits, samples × outputs. */
export type Forward = (x: tf.Tensor4D) => tf.Tensor2D;

/** The regularizer, and the logits that were computed on the way. */
export interface InputGradientChange {
  /** Of x: the forward pass is done here, so that a task loss can share it. */
  readonly logits: tf.Tensor2D;
  /** The mean over the samples of |cos| between both input gradients inside patch a: a scalar in [0, 1]. */
  readonly change: tf.Scalar;
}

/** What the change of the input gradient is measured of. */
export interface InputGradientChangeOptions {
  readonly forward: Forward;
  readonly x: tf.Tensor4D;
  /** Class numbers; of no account for a single logit. */
  readonly labels: tf.Tensor1D;
  readonly patches: PatchPair;
}

/** Gradients shorter than this count as zero. */
const smallestNorm = 1e-12;

/**
 * How much the input gradient in patch a stays the same when patch b changes.
 *
 * s(x) is the single logit, or the logit of the true class; g = ∂ Σᵢ s(x)ᵢ / ∂x; x' is x with patch b
 * taken from the next sample of the batch, and g' = ∂ Σᵢ s(x')ᵢ / ∂x'. With u, u' the parts of g, g'
 * inside patch a, normalized for each sample: the mean of |⟨uᵢ, u'ᵢ⟩|. A gradient shorter than 1e-12 is
 * normalized to 0: its sample adds 0, and nothing to any gradient.
 *
 * Differentiable by the parameters of `forward` (double backpropagation), as long as the gradient of
 * each operation in it can be differentiated. Call it inside tf.variableGrads or tf.grads: it costs two
 * forward passes and two input gradients. A batch of one is swapped with itself: its value is 1.
 *
 * @throws LocalityBiasError if a patch does not fit, or the logits do not match the labels.
 */
export function inputGradientChange(options: InputGradientChangeOptions): InputGradientChange {
  registerMissingGradients();
  const { x, labels, patches } = options;
  checkPatch(patches.a, x);
  checkPatch(patches.b, x);
  const before = outputAndInputGradient(options.forward, detach(x), labels);
  const after = outputAndInputGradient(options.forward, detach(swapPatch(x, patches.b)), labels);
  const change = meanAbsoluteCosine(
    cutPatch(before.gradient, patches.a),
    cutPatch(after.gradient, patches.a),
  );
  return { logits: before.logits, change };
}

/** Logits, and the gradient of their sum (of several logits, those of the true classes) by the input. */
export interface OutputAndInputGradient {
  readonly logits: tf.Tensor2D;
  /** Of the shape of x. */
  readonly gradient: tf.Tensor4D;
}

/** The logits and g = ∂ Σᵢ s(x)ᵢ / ∂x, which an enclosing gradient can differentiate again. */
export function outputAndInputGradient(
  forward: Forward,
  x: tf.Tensor4D,
  labels: tf.Tensor1D,
): OutputAndInputGradient {
  registerMissingGradients();
  let kept: tf.Tensor2D | undefined;
  const picked = (): tf.Tensor2D => {
    const outputs = forward(x);
    checkLogits(outputs, labels);
    kept = tf.keep(outputs);
    return taskOf(outputs) === "binary" ? outputs : tf.mul(outputs, pickedOutputs(outputs, labels));
  };
  try {
    const { gradients } = differentiate(picked, [x]);
    const [gradient] = gradients;
    if (gradient === undefined) {
      throw new LocalityBiasError("forward: the logits do not depend on the images");
    }
    // The copy shares the data and is the caller's scope's to dispose of.
    return { logits: tf.clone(kept!), gradient: gradient as tf.Tensor4D };
  } finally {
    kept?.dispose();
  }
}

/**
 * The mean over the samples of |⟨u / ‖u‖, v / ‖v‖⟩|, with u / ‖u‖ = 0 where ‖u‖ < 1e-12. The square root
 * is never taken of such a norm: its infinite derivative times 0 would be NaN.
 */
function meanAbsoluteCosine(first: tf.Tensor4D, second: tf.Tensor4D): tf.Scalar {
  const samples = first.shape[0];
  const [u, v] = [first, second].map((part) => normalizeRows(tf.reshape(part, [samples, -1])));
  const cosines = tf.sum(tf.mul(u, v), 1);
  return tf.mean(tf.mul(cosines, tf.sign(detach(cosines))));
}

function normalizeRows(rows: tf.Tensor2D): tf.Tensor2D {
  const squares = tf.sum(tf.square(rows), 1, true);
  const isLongEnough = tf.greaterEqual(detach(squares), smallestNorm ** 2);
  const safeSquares = tf.where(isLongEnough, squares, tf.onesLike(squares));
  const factors = tf.mul(tf.rsqrt(safeSquares), tf.cast(isLongEnough, "float32"));
  return tf.mul(rows, factors);
}

function checkLogits(logits: tf.Tensor, labels: tf.Tensor1D): void {
  if (logits.rank !== 2 || logits.shape[0] !== labels.size) {
    throw new LocalityBiasError(
      `forward: gave logits of shape [${logits.shape.join(", ")}] for ${labels.size} labels; give [samples, outputs]`,
    );
  }
}
