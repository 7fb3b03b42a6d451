import * as tf from "@tensorflow/tfjs-core";

/**
 * The gradient of a convolution with respect to its filter, which tfjs's wasm backend lacks, made of its
 * own convolution: dW[u, v, i, o] = Σ x[n, u + s·y, v + s·z, i] dy[n, y, z, o] is the convolution of x, with
 * channels as samples and samples as channels, by dy as a filter with dilation s.
 */
export const filterGradientKernel: tf.KernelConfig = {
  kernelName: tf.Conv2DBackpropFilter,
  backendName: "wasm",
  kernelFunc: ({ inputs, attrs }) => {
    const { x, dy } = inputs as unknown as { x: tf.Tensor4D; dy: tf.Tensor4D };
    return tf.tidy(() => filterGradient(x, dy, attrs as unknown as tf.Conv2DBackpropFilterAttrs));
  },
};

function filterGradient(
  x: tf.Tensor4D,
  dy: tf.Tensor4D,
  { strides, pad, dimRoundingMode, filterShape, dataFormat }: tf.Conv2DBackpropFilterAttrs,
): tf.Tensor4D {
  if (dataFormat !== "NHWC")
    throw new Error(`backend wasm: no filter gradient of ${dataFormat} images; use NHWC`);
  const { padInfo } = tf.backend_util.computeConv2DInfo(
    x.shape,
    filterShape,
    strides,
    1,
    pad,
    dimRoundingMode,
  );
  const padded = tf.pad(x, [
    [0, 0],
    [padInfo.top, padInfo.bottom],
    [padInfo.left, padInfo.right],
    [0, 0],
  ]);
  const images = tf.transpose(padded, [3, 1, 2, 0]);
  const filter = tf.transpose(dy, [1, 2, 0, 3]);
  const gradient = tf.conv2d(images, filter, 1, "valid", "NHWC", strides);
  const [height, width, channels, outputs] = filterShape;
  // Rows that no stride reaches give more positions than the filter has.
  const positions = tf.slice(gradient, [0, 0, 0, 0], [channels, height, width, outputs]);
  return tf.transpose(positions, [1, 2, 0, 3]);
}
