import * as tf from "@tensorflow/tfjs-core";
import { detach } from "./detach.ts";
import { defineKernel, registerMissingGradient } from "./kernels.ts";

/** Square windows, in cells. */
export interface Pooling {
  readonly size: number;
  readonly stride: number;
  /** Cells added on each side; they never win. */
  readonly padding: number;
}

/**
 * The maximum of each window, as PyTorch's MaxPool2d. The gradient goes to the first maximum of a window
 * in row-major order, and can be differentiated any number of times.
 */
export function maxPool(x: tf.Tensor4D, { size, stride, padding }: Pooling): tf.Tensor4D {
  registerMaxPoolingGradients();
  const attributes = poolAttributes(size, stride, padding);
  const pool = tf.customGrad((input, save) => {
    const x = input as tf.Tensor4D;
    const y = tf.engine().runKernel(tf.MaxPool, { x }, attributes) as tf.Tensor4D;
    (save as tf.GradSaveFunc)([x, y]);
    return {
      value: y,
      gradFunc: (dy, [x, y]) => scatter(dy as tf.Tensor, detach(x), detach(y), attributes),
    };
  });
  return pool(x) as tf.Tensor4D;
}

function poolAttributes(size: number, stride: number, padding: number): tf.NamedAttrMap {
  return { filterSize: [size, size], strides: [stride, stride], pad: padding } as tf.NamedAttrMap;
}

function scatter(
  dy: tf.Tensor,
  input: tf.Tensor,
  output: tf.Tensor,
  attributes: tf.NamedAttrMap,
): tf.Tensor {
  return tf.engine().runKernel(tf.MaxPoolGrad, { dy, input, output }, attributes);
}

/** Also makes tfjs's own `tf.maxPool` twice differentiable: it has no gradient of MaxPoolGrad. */
export function registerMaxPoolingGradients(): void {
  registerMissingGradient({
    kernelName: tf.MaxPool,
    inputsToSave: ["x"],
    outputsToSave: [true],
    gradFunc: (dy, [x, y], attributes) => ({
      x: () => scatter(dy as tf.Tensor, detach(x), detach(y), attributes),
    }),
  });
  registerMissingGradient({
    kernelName: tf.MaxPoolGrad,
    inputsToSave: ["input", "output"],
    gradFunc: (ddx, [input, output], attributes) => ({
      dy: () => gather({ x: detach(input), v: ddx as tf.Tensor }, { ...attributes }),
      input: () => tf.zerosLike(input),
      output: () => tf.zerosLike(output),
    }),
  });
  registerMissingGradient({
    kernelName: "MaxPoolGather",
    inputsToSave: ["x"],
    gradFunc: (dy, [x], attributes) => ({
      v: () => {
        const positions = detach(x);
        const y = tf.engine().runKernel(tf.MaxPool, { x: positions }, attributes) as tf.Tensor;
        return scatter(dy as tf.Tensor, positions, y, attributes);
      },
      x: () => tf.zerosLike(x),
    }),
  });
}

/** The entry of v at the first maximum of x in each window: the transpose of MaxPoolGrad. */
const gather = defineKernel<tf.Tensor>("MaxPoolGather", ({ x, v }, attributes) => {
  const { filterSize, strides, pad, dimRoundingMode } = attributes as unknown as tf.MaxPoolAttrs;
  const shape = x.shape as [number, number, number, number];
  const geometry = tf.backend_util.computePool2DInfo(
    shape,
    filterSize,
    strides,
    1,
    pad,
    dimRoundingMode,
  );
  const paddings = paddingsOf(geometry);
  const padded = tf.pad(x, paddings, Number.NEGATIVE_INFINITY);
  const candidates = tf.pad(v, paddings);
  let largest: tf.Tensor | undefined;
  let chosen: tf.Tensor | undefined;
  for (let row = 0; row < geometry.filterHeight; row++) {
    for (let column = 0; column < geometry.filterWidth; column++) {
      const cell = windowCells(geometry, row, column);
      const value = cell(padded);
      const candidate = cell(candidates);
      if (largest === undefined || chosen === undefined) {
        [largest, chosen] = [value, candidate];
        continue;
      }
      const isLarger = tf.greater(value, largest);
      largest = tf.where(isLarger, value, largest);
      chosen = tf.where(isLarger, candidate, chosen);
    }
  }
  return chosen!;
});

type PoolGeometry = ReturnType<typeof tf.backend_util.computePool2DInfo>;

/** Pads so that every window lies inside. */
function paddingsOf(geometry: PoolGeometry): [number, number][] {
  const { top, left } = geometry.padInfo;
  const neededRows = (geometry.outHeight - 1) * geometry.strideHeight + geometry.filterHeight;
  const neededColumns = (geometry.outWidth - 1) * geometry.strideWidth + geometry.filterWidth;
  const bottom = Math.max(0, neededRows - top - geometry.inHeight);
  const right = Math.max(0, neededColumns - left - geometry.inWidth);
  return [
    [0, 0],
    [top, bottom],
    [left, right],
    [0, 0],
  ];
}

/** Cell (row, column) of every window. */
function windowCells(geometry: PoolGeometry, row: number, column: number) {
  const { outHeight, outWidth, strideHeight, strideWidth } = geometry;
  return (x: tf.Tensor): tf.Tensor =>
    tf.stridedSlice(
      x,
      [0, row, column, 0],
      [
        x.shape[0],
        row + (outHeight - 1) * strideHeight + 1,
        column + (outWidth - 1) * strideWidth + 1,
        x.shape[3]!,
      ],
      [1, strideHeight, strideWidth, 1],
    );
}
