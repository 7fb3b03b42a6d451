import * as tf from "@tensorflow/tfjs-core";
import type { Forward, Patch, PatchPair } from "../src/index.ts";

interface NetworkShape {
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly filters: number;
  readonly outputs: number;
}

/**
 * mean over places of softplus(3×3 convolution), then a linear layer: in tfjs, and its input gradient
 * change by hand in float64.
 */
export function softplusNetwork(shape: NetworkShape) {
  const { height, width, channels, filters, outputs } = shape;
  const filterSize = 9 * channels * filters;
  const places = height * width;
  const imageSize = places * channels;

  /** ∂ logit[label] / ∂ image. */
  function inputGradient(parameters: Float64Array, image: Float64Array, label: number) {
    const filterAt = (i: number, j: number, c: number, f: number) =>
      parameters[((i * 3 + j) * channels + c) * filters + f];
    const gradient = new Float64Array(imageSize);
    forEachPlace(shape, (row, column) => {
      const window: [number, number, number][] = [];
      for (let i = 0; i < 3; i++)
        for (let j = 0; j < 3; j++) {
          const [h, w] = [row + i - 1, column + j - 1];
          if (h < 0 || w < 0 || h >= height || w >= width) continue;
          for (let c = 0; c < channels; c++) window.push([i, j, (h * width + w) * channels + c]);
        }
      for (let f = 0; f < filters; f++) {
        let sum = 0;
        for (const [i, j, at] of window) sum += image[at] * filterAt(i, j, at % channels, f);
        const slope = 1 / (1 + Math.exp(-sum));
        const weight = parameters[filterSize + f * outputs + label];
        for (const [i, j, at] of window) {
          gradient[at] += (weight * slope * filterAt(i, j, at % channels, f)) / places;
        }
      }
    });
    return gradient;
  }

  function inside(gradient: Float64Array, { top, left, height: rows, width: columns }: Patch) {
    const part: number[] = [];
    for (let row = top; row < top + rows; row++) {
      const first = (row * width + left) * channels;
      part.push(...gradient.subarray(first, first + columns * channels));
    }
    return part;
  }

  function swap(images: Float64Array, patch: Patch): Float64Array {
    const swapped = images.slice();
    const samples = images.length / imageSize;
    forEachPlace(shape, (row, column) => {
      const { top, left } = patch;
      if (row < top || row >= top + patch.height) return;
      if (column < left || column >= left + patch.width) return;
      for (let n = 0; n < samples; n++)
        for (let c = 0; c < channels; c++) {
          const at = (row * width + column) * channels + c;
          swapped[n * imageSize + at] = images[((n + 1) % samples) * imageSize + at];
        }
    });
    return swapped;
  }

  return {
    parameterCount: filterSize + filters * outputs,

    variables(parameters: Float64Array): [tf.Variable, tf.Variable] {
      const values = Float32Array.from(parameters);
      return [
        tf.variable(tf.tensor4d(values.slice(0, filterSize), [3, 3, channels, filters])),
        tf.variable(tf.tensor2d(values.slice(filterSize), [filters, outputs])),
      ];
    },

    forward:
      (filter: tf.Tensor, linear: tf.Tensor): Forward =>
      (x) => {
        const hidden = tf.softplus(tf.conv2d(x, filter as tf.Tensor4D, 1, 1));
        return tf.matMul(tf.mean(hidden, [1, 2]) as tf.Tensor2D, linear as tf.Tensor2D);
      },

    change(
      parameters: Float64Array,
      images: Float64Array,
      labels: readonly number[],
      { a, b }: PatchPair,
    ): number {
      const swapped = swap(images, b);
      const cosines = labels.map((label, n) => {
        const [u, v] = [images, swapped].map((batch) => {
          const image = batch.subarray(n * imageSize, (n + 1) * imageSize);
          return inside(inputGradient(parameters, image, outputs === 1 ? 0 : label), a);
        });
        const product = u.reduce((sum, value, i) => sum + value * v[i], 0);
        return Math.abs(product) / Math.hypot(...u) / Math.hypot(...v);
      });
      return cosines.reduce((sum, value) => sum + value, 0) / labels.length;
    },
  };
}

function forEachPlace(
  { height, width }: NetworkShape,
  visit: (row: number, column: number) => void,
): void {
  for (let row = 0; row < height; row++)
    for (let column = 0; column < width; column++) visit(row, column);
}
