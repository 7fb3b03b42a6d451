import * as tf from "@tensorflow/tfjs-core";

const kernelName = "Detach";

/**
 * The same values as a constant: no gradient flows through, and nothing is copied.
 *
 * Masks and positions that depend on an activation piecewise constantly (the sign of a ReLU, the place
 * of a maximum) are detached, so that differentiating a gradient again wastes no time on the zeros.
 */
export function detach<T extends tf.Tensor>(x: T): T {
  const backendName = tf.getBackend();
  if (tf.getKernel(kernelName, backendName) === undefined) {
    tf.registerKernel({ kernelName, backendName, kernelFunc: shareData });
  }
  // The tape links the inputs of a kernel, not its attributes.
  const attributes = { x } as unknown as tf.NamedAttrMap;
  return tf.engine().runKernel(kernelName, {}, attributes) as T;
}

const shareData: tf.KernelFunc = ({ attrs, backend }) => {
  const { x } = attrs as unknown as { x: tf.Tensor };
  const identity = tf.getKernel(tf.Identity, tf.getBackend());
  return identity.kernelFunc({ inputs: { x }, backend });
};
