import * as tf from "@tensorflow/tfjs-core";
import { defineKernel } from "../autodiff/kernels.ts";
import { checkRates } from "./check-rates.ts";
import { restoreMoments, saveMoments, zeroMoments } from "./moments.ts";
import type { Optimizer } from "./optimizer.ts";

/** Step size and momentum. */
export interface SgdOptions {
  readonly learningRate: number;
  /** Default 0. */
  readonly momentum?: number;
  /** Times the parameter, added to its gradient. Default 0. */
  readonly weightDecay?: number;
}

/**
 * Stochastic gradient descent as PyTorch's SGD, for each parameter p with gradient g:
 * g ← g + weightDecay p, v ← momentum v + g, p ← p - learningRate v.
 */
export function createSgd(
  parameters: ReadonlyMap<string, tf.Variable>,
  options: SgdOptions,
): Optimizer {
  const { momentum = 0, weightDecay = 0 } = options;
  checkRates({ learningRate: options.learningRate, momentum, weightDecay });
  const velocities = zeroMoments(parameters);
  return {
    learningRate: options.learningRate,
    update(gradients) {
      const attributes = { learningRate: this.learningRate, momentum, weightDecay };
      tf.tidy(() => {
        for (const [name, gradient] of gradients) {
          const parameter = parameters.get(name)!;
          const velocity = velocities.get(name)!;
          const [nextVelocity, next] = sgdUpdate({ gradient, velocity, parameter }, attributes);
          velocity.assign(nextVelocity);
          parameter.assign(next);
        }
      });
    },
    save: () => saveMoments(velocities, "velocity"),
    restore: (state) => restoreMoments(velocities, "velocity", state),
    dispose: () => tf.dispose([...velocities.values()]),
  };
}

const sgdUpdate = defineKernel<tf.Tensor[]>(
  "SgdMomentumUpdate",
  ({ gradient, velocity, parameter }, attributes) => {
    const { learningRate, momentum, weightDecay } = attributes as Readonly<Record<string, number>>;
    const decayed = weightDecay === 0 ? gradient : tf.add(gradient, tf.mul(parameter, weightDecay));
    const nextVelocity = tf.add(tf.mul(velocity, momentum), decayed);
    return [nextVelocity, tf.sub(parameter, tf.mul(nextVelocity, learningRate))];
  },
);
