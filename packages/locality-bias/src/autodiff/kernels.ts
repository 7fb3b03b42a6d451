import * as tf from "@tensorflow/tfjs-core";

type Tensors = Readonly<Record<string, tf.Tensor>>;
type Attributes = Readonly<Record<string, unknown>>;

/** What a kernel computes, written in tfjs operations, for backends that have none of their own. */
export type Composition<Result extends tf.Tensor | tf.Tensor[]> = (
  inputs: Tensors,
  attributes: Attributes,
) => Result;

/**
 * A kernel of ours as a function. A backend may register its own kernel under the name; where it has
 * not, the composition is registered for the backend that is set, at the first call.
 *
 * tfjs records a kernel as one node of its tape, whatever runs inside.
 */
export function defineKernel<Result extends tf.Tensor | tf.Tensor[]>(
  kernelName: string,
  composition: Composition<Result>,
): (inputs: Tensors, attributes?: Attributes) => Result {
  return (inputs, attributes = {}) => {
    const backendName = tf.getBackend();
    if (tf.getKernel(kernelName, backendName) === undefined) {
      tf.registerKernel({
        kernelName,
        backendName,
        kernelFunc: ({ inputs, attrs }) =>
          tf.tidy(() => composition(inputs as Tensors, attrs as Attributes)),
      });
    }
    return tf
      .engine()
      .runKernel(kernelName, { ...inputs }, attributes as tf.NamedAttrMap) as Result;
  };
}

/** Registers a gradient where none is registered. */
export function registerMissingGradient(config: tf.GradConfig): void {
  if (tf.getGradient(config.kernelName) === undefined) tf.registerGradient(config);
}
