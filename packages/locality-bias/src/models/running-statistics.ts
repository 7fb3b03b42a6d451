import * as tf from "@tensorflow/tfjs-core";
import type { BatchNormalized } from "../autodiff/batch-normalization.ts";
import { defineKernel } from "../autodiff/kernels.ts";
import { LocalityBiasError } from "../errors.ts";

/** PyTorch's defaults. */
export const batchNormEpsilon = 1e-5;
const momentum = 0.1;

interface RunningStatistics {
  readonly name: string;
  readonly runningMean: tf.Variable<tf.Rank.R1>;
  readonly runningVariance: tf.Variable<tf.Rank.R1>;
}

/**
 * running ← 0.9 running + 0.1 batch, the variance by its unbiased estimate (divided by count - 1), as
 * in PyTorch.
 *
 * @param count values of a channel in the batch.
 * @throws LocalityBiasError if there is only one.
 */
export function moveRunningStatistics(
  { name, runningMean, runningVariance }: RunningStatistics,
  { mean, variance }: BatchNormalized,
  count: number,
): void {
  if (count < 2) {
    throw new LocalityBiasError(
      `model: ${name} sees one value of each channel and cannot normalize it; use larger batches or images`,
    );
  }
  const unbiased = momentum * (count / (count - 1));
  runningMean.assign(average(runningMean, mean, momentum) as tf.Tensor1D);
  runningVariance.assign(average(runningVariance, variance, unbiased) as tf.Tensor1D);
}

const average = (running: tf.Tensor, batch: tf.Tensor, weight: number): tf.Tensor =>
  runningAverage({ running, batch }, { decay: 1 - momentum, weight });

/** decay · running + weight · batch: one kernel, so that the tape does not follow the statistics. */
const runningAverage = defineKernel<tf.Tensor>(
  "RunningAverage",
  ({ running, batch }, { decay, weight }) =>
    tf.add(tf.mul(running, decay as number), tf.mul(batch, weight as number)),
);
