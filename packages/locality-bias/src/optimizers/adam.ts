import * as tf from "@tensorflow/tfjs-core";
import { defineKernel } from "../autodiff/kernels.ts";
import { checkRates } from "./check-rates.ts";
import { restoreMoments, saveMoments, savedArray, zeroMoments } from "./moments.ts";
import type { Optimizer } from "./optimizer.ts";

/** Step size and decay rates, with the defaults of PyTorch. */
export interface AdamOptions {
  readonly learningRate: number;
  /** Default 0.9. */
  readonly beta1?: number;
  /** Default 0.999. */
  readonly beta2?: number;
  /** Default 1e-8. */
  readonly epsilon?: number;
  /** Times the parameter, added to its gradient. Default 0. */
  readonly weightDecay?: number;
}

/**
 * Adam (Kingma and Ba 2014, arXiv 1412.6980) as PyTorch's Adam, for each parameter p with gradient g in
 * step t: g ← g + weightDecay p, m ← β₁ m + (1 - β₁) g, v ← β₂ v + (1 - β₂) g²,
 * p ← p - learningRate / (1 - β₁ᵗ) · m / (√v / √(1 - β₂ᵗ) + ε).
 */
export function createAdam(
  parameters: ReadonlyMap<string, tf.Variable>,
  options: AdamOptions,
): Optimizer {
  const { beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 } = options;
  checkRates({ learningRate: options.learningRate, beta1, beta2, epsilon, weightDecay });
  const firsts = zeroMoments(parameters);
  const seconds = zeroMoments(parameters);
  let step = 0;
  return {
    learningRate: options.learningRate,
    update(gradients) {
      step += 1;
      const { learningRate } = this;
      const attributes = { learningRate, beta1, beta2, epsilon, weightDecay, step };
      tf.tidy(() => {
        for (const [name, gradient] of gradients) {
          const parameter = parameters.get(name)!;
          const first = firsts.get(name)!;
          const second = seconds.get(name)!;
          const inputs = { gradient, first, second, parameter };
          const [nextFirst, nextSecond, next] = adamUpdate(inputs, attributes);
          first.assign(nextFirst);
          second.assign(nextSecond);
          parameter.assign(next);
        }
      });
    },
    save: async () => ({
      ...(await saveMoments(firsts, "first")),
      ...(await saveMoments(seconds, "second")),
      step: { shape: [], data: Float64Array.of(step) },
    }),
    restore: (state) => {
      const saved = savedArray(state, "step", []);
      restoreMoments(firsts, "first", state);
      restoreMoments(seconds, "second", state);
      step = saved.data[0];
    },
    dispose: () => tf.dispose([...firsts.values(), ...seconds.values()]),
  };
}

const adamUpdate = defineKernel<tf.Tensor[]>(
  "AdamUpdate",
  ({ gradient, first, second, parameter }, attributes) => {
    const { learningRate, beta1, beta2, epsilon, weightDecay, step } = attributes as Readonly<
      Record<string, number>
    >;
    const decayed = weightDecay === 0 ? gradient : tf.add(gradient, tf.mul(parameter, weightDecay));
    const nextFirst = tf.add(tf.mul(first, beta1), tf.mul(decayed, 1 - beta1));
    const nextSecond = tf.add(tf.mul(second, beta2), tf.mul(tf.square(decayed), 1 - beta2));
    const root = tf.mul(tf.sqrt(nextSecond), 1 / Math.sqrt(1 - beta2 ** step));
    const direction = tf.div(nextFirst, tf.add(root, epsilon));
    const next = tf.sub(parameter, tf.mul(direction, learningRate / (1 - beta1 ** step)));
    return [nextFirst, nextSecond, next];
  },
);
