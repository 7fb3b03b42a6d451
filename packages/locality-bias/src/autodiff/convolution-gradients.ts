import * as tf from "@tensorflow/tfjs-core";

interface ConvolutionAttributes {
  readonly strides: [number, number];
  readonly pad: tf.Conv2DAttrs["pad"];
  readonly dataFormat: "NHWC" | "NCHW";
  readonly dilations?: [number, number] | number;
}

/**
 * Convolution is bilinear in (x, filter); its two gradient kernels are the other two sides of the same
 * trilinear form ⟨dy, x ∗ filter⟩, so that each one's gradients are the remaining two.
 */
export const convolutionGradients: readonly tf.GradConfig[] = [
  {
    kernelName: tf.Conv2D,
    inputsToSave: ["x", "filter"],
    gradFunc: (dy, [x, filter], attributes) => {
      requireNoDilation(attributes);
      const out = dy as tf.Tensor;
      return {
        x: () => inputGradient(out, filter, x.shape, attributes),
        filter: () => filterGradient(x, out, filter.shape, attributes),
      };
    },
  },
  {
    kernelName: tf.Conv2DBackpropInput,
    inputsToSave: ["dy", "filter"],
    gradFunc: (ddx, [dy, filter], attributes) => {
      const out = ddx as tf.Tensor;
      return {
        dy: () => convolve(out, filter, attributes),
        filter: () => filterGradient(out, dy, filter.shape, attributes),
      };
    },
  },
  {
    kernelName: tf.Conv2DBackpropFilter,
    inputsToSave: ["x", "dy"],
    gradFunc: (dFilter, [x, dy], attributes) => {
      const filter = dFilter as tf.Tensor;
      return {
        x: () => inputGradient(dy, filter, x.shape, attributes),
        dy: () => convolve(x, filter, attributes),
      };
    },
  },
];

function convolve(x: tf.Tensor, filter: tf.Tensor, attributes: tf.NamedAttrMap): tf.Tensor {
  return tf.engine().runKernel(tf.Conv2D, { x, filter }, shared(attributes, { dilations: [1, 1] }));
}

function inputGradient(
  dy: tf.Tensor,
  filter: tf.Tensor,
  inputShape: number[],
  attributes: tf.NamedAttrMap,
): tf.Tensor {
  const ofInput = shared(attributes, { inputShape });
  return tf.engine().runKernel(tf.Conv2DBackpropInput, { dy, filter }, ofInput);
}

function filterGradient(
  x: tf.Tensor,
  dy: tf.Tensor,
  filterShape: number[],
  attributes: tf.NamedAttrMap,
): tf.Tensor {
  const ofFilter = shared(attributes, { filterShape });
  return tf.engine().runKernel(tf.Conv2DBackpropFilter, { x, dy }, ofFilter);
}

function shared(attributes: tf.NamedAttrMap, own: object): tf.NamedAttrMap {
  const { strides, pad, dataFormat } = attributes as unknown as ConvolutionAttributes;
  return { strides, pad, dataFormat, ...own } as unknown as tf.NamedAttrMap;
}

function requireNoDilation(attributes: tf.NamedAttrMap): void {
  const { dilations = 1 } = attributes as unknown as ConvolutionAttributes;
  if ([dilations].flat().some((dilation) => dilation !== 1)) {
    throw new Error(`no gradient of a convolution with dilations ${[dilations].flat().join("×")}`);
  }
}
