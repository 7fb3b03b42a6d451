import * as tf from "@tensorflow/tfjs-core";
import { detach } from "./detach.ts";
import { defineKernel, registerMissingGradient } from "./kernels.ts";

/**
 * max(x, 0), with derivative 0 at 0. Differentiable any number of times; unlike tf.relu's, its second
 * derivative does not multiply through the zeros of the step function's gradient.
 */
export function relu<T extends tf.Tensor>(x: T): T {
  registerReluGradient();
  return rectify(x) as T;
}

export function registerReluGradient(): void {
  registerMissingGradient({
    kernelName: "ReluGradient",
    inputsToSave: ["y"],
    gradFunc: (ddx, [y]) => ({
      dy: () => mask({ dy: ddx as tf.Tensor, y: detach(y) }),
      y: () => tf.zerosLike(y),
    }),
  });
}

/** dy where y > 0, otherwise 0. */
const mask = defineKernel<tf.Tensor>("ReluGradient", ({ dy, y }) => tf.mul(dy, tf.step(y)));

/** No detaching here: to tfjs's tape a saved result is a constant anyway. */
const rectify = tf.customGrad((x, save) => {
  const y = tf.relu(x as tf.Tensor);
  (save as tf.GradSaveFunc)([y]);
  return { value: y, gradFunc: (dy, [y]) => mask({ dy: dy as tf.Tensor, y }) };
});
