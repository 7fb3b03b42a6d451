import * as tf from "@tensorflow/tfjs-core";
import { detach } from "./detach.ts";
import { defineKernel, registerMissingGradient } from "./kernels.ts";

/** Normalized activations, and the statistics of the batch that they were normalized with. */
export interface BatchNormalized {
  readonly y: tf.Tensor4D;
  /** The mean over samples, rows and columns. Not differentiated. */
  readonly mean: tf.Tensor1D;
  /** The biased variance (divided by the number of values). Not differentiated. */
  readonly variance: tf.Tensor1D;
}

/**
 * Batch normalization by the statistics of the batch: y = scale · x̂ + offset with
 * x̂ = (x - mean) / √(variance + epsilon), for each channel (the last axis).
 *
 * The gradient with respect to x, scale and offset can be differentiated once more. Three kernels do the
 * work in closed form; by composition, the second derivative would take over a hundred operations.
 */
export function batchNormalizationTraining(
  x: tf.Tensor4D,
  scale: tf.Tensor,
  offset: tf.Tensor,
  epsilon: number,
): BatchNormalized {
  registerBatchNormalizationGradients();
  const [y, mean, variance] = normalize({ x, scale, offset }, { epsilon });
  return {
    y: y as tf.Tensor4D,
    mean: detach(mean as tf.Tensor1D),
    variance: detach(variance as tf.Tensor1D),
  };
}

export function registerBatchNormalizationGradients(): void {
  registerMissingGradient({
    kernelName: "BatchNormalizationTraining",
    inputsToSave: ["x", "scale"],
    outputsToSave: [false, true, true],
    gradFunc: (dys, [x, scale, mean, variance], attributes) => {
      const dy = (dys as tf.Tensor[])[0];
      // Not in the thunks: all three are always needed or cost next to nothing, and each thunk has a
      // scope of its own, in which the other two would be lost.
      const [dx, dScale, dOffset] = gradient({ dy, x, scale, mean, variance }, { ...attributes });
      return { x: () => dx, scale: () => dScale, offset: () => dOffset };
    },
  });
  registerMissingGradient({
    kernelName: "BatchNormalizationTrainingGradient",
    inputsToSave: ["dy", "x", "scale", "mean", "variance"],
    gradFunc: (cotangents, [dy, x, scale, mean, variance], attributes) => {
      const [ddx, ddScale, ddOffset] = cotangents as tf.Tensor[];
      const inputs = { ddx, ddScale, ddOffset, dy, x, scale, mean, variance };
      const [dDy, dX, dScale] = secondGradient(inputs, { ...attributes });
      // mean and variance count as functions of x.
      const none = () => tf.zerosLike(mean);
      return { dy: () => dDy, x: () => dX, scale: () => dScale, mean: none, variance: none };
    },
  });
}

const normalize = defineKernel<tf.Tensor[]>(
  "BatchNormalizationTraining",
  ({ x, scale, offset }, { epsilon }) => {
    const { mean, variance } = tf.moments(x, rowAxes(x));
    const { normalized } = standardize(x, mean, variance, epsilon as number);
    return [tf.add(tf.mul(normalized, scale), offset), mean, variance];
  },
);

/**
 * With r = 1/√(variance + ε) and means over the N values of a channel:
 * dOffset = Σ dy, dScale = Σ dy x̂, dx = scale r (dy - mean(dy) - x̂ mean(dy x̂)).
 */
const gradient = defineKernel<tf.Tensor[]>(
  "BatchNormalizationTrainingGradient",
  ({ dy, x, scale, mean, variance }, { epsilon }) => {
    const { normalized, deviation } = standardize(x, mean, variance, epsilon as number);
    const axes = rowAxes(x);
    const dOffset = tf.sum(dy, axes);
    const dScale = tf.sum(tf.mul(dy, normalized), axes);
    const dx = tf.mul(project(dy, normalized), tf.mul(scale, deviation));
    return [dx, dScale, dOffset];
  },
);

/**
 * The vector-Jacobian product of the gradient kernel: the gradient of
 * Σ ddx · dx + Σ ddScale · dScale + Σ ddOffset · dOffset with respect to dy, x and scale.
 *
 * With P(v) = v - mean(v) - x̂ mean(v x̂) and A = Σ ddx · P(dy):
 * dDy = scale r P(ddx) + ddScale x̂ + ddOffset and dScale = r A. x acts through x̂, with the cotangent
 * q = -scale r (ddx mean(dy x̂) + dy mean(ddx x̂)) + ddScale dy, and through r, whose derivative with
 * respect to x is -r² x̂ / N: dX = r P(q) - scale r² (A / N) x̂.
 */
const secondGradient = defineKernel<tf.Tensor[]>(
  "BatchNormalizationTrainingSecondGradient",
  ({ ddx, ddScale, ddOffset, dy, x, scale, mean, variance }, { epsilon }) => {
    const { normalized, deviation } = standardize(x, mean, variance, epsilon as number);
    const axes = rowAxes(x);
    const gain = tf.mul(scale, deviation);
    const meanAlong = (v: tf.Tensor) => tf.mean(tf.mul(v, normalized), axes);
    const projected = project(ddx, normalized);
    const dDy = tf.add(tf.add(tf.mul(projected, gain), tf.mul(normalized, ddScale)), ddOffset);
    const agreement = tf.mean(tf.mul(projected, dy), axes);
    const dScale = tf.mul(tf.mul(agreement, deviation), rowCount(x));
    const throughProjection = tf.mul(
      tf.add(tf.mul(ddx, meanAlong(dy)), tf.mul(dy, meanAlong(ddx))),
      gain,
    );
    const cotangent = tf.sub(tf.mul(dy, ddScale), throughProjection);
    const throughDeviation = tf.mul(normalized, tf.mul(tf.mul(gain, deviation), agreement));
    const dX = tf.sub(tf.mul(project(cotangent, normalized), deviation), throughDeviation);
    return [dDy, dX, dScale];
  },
);

function standardize(x: tf.Tensor, mean: tf.Tensor, variance: tf.Tensor, epsilon: number) {
  const deviation = tf.rsqrt(tf.add(variance, epsilon));
  return { normalized: tf.mul(tf.sub(x, mean), deviation), deviation };
}

/** v - mean(v) - x̂ mean(v x̂): what is left of a cotangent that the statistics do not absorb. */
function project(v: tf.Tensor, normalized: tf.Tensor): tf.Tensor {
  const axes = rowAxes(v);
  const along = tf.mean(tf.mul(v, normalized), axes);
  return tf.sub(tf.sub(v, tf.mean(v, axes)), tf.mul(normalized, along));
}

const rowAxes = (x: tf.Tensor): number[] => x.shape.slice(0, -1).map((_, axis) => axis);
const rowCount = (x: tf.Tensor): number => x.size / x.shape[x.rank - 1];
