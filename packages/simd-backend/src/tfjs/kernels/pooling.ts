import {
  AvgPool,
  AvgPoolGrad,
  backend_util,
  MaxPool,
  MaxPoolGrad,
  util,
  type KernelConfig,
  type TensorInfo,
} from "@tensorflow/tfjs-core";
import type { PoolGeometry } from "../../layer-program.ts";
import { areFloats, defineKernel } from "../define-kernel.ts";

interface PoolAttributes {
  readonly filterSize: number | [number, number];
  readonly strides: number | [number, number];
  readonly pad: "valid" | "same" | number | backend_util.ExplicitPadding;
  readonly dimRoundingMode?: "floor" | "round" | "ceil";
}

interface Pool extends PoolGeometry {
  readonly shape: number[];
}

function poolOf(shape: readonly number[], attributes: PoolAttributes): Pool {
  const { filterSize, strides, pad, dimRoundingMode } = attributes;
  const info = backend_util.computePool2DInfo(
    shape as [number, number, number, number],
    filterSize,
    strides,
    1,
    pad,
    dimRoundingMode,
  );
  return {
    batch: info.batchSize,
    inHeight: info.inHeight,
    inWidth: info.inWidth,
    channels: info.inChannels,
    outHeight: info.outHeight,
    outWidth: info.outWidth,
    filterHeight: info.filterHeight,
    filterWidth: info.filterWidth,
    strideHeight: info.strideHeight,
    strideWidth: info.strideWidth,
    padTop: info.padInfo.top,
    padLeft: info.padInfo.left,
    shape: info.outShape,
  };
}

function poolKernel(name: string, operation: "maxPool" | "averagePool"): KernelConfig {
  return defineKernel<{ x: TensorInfo }, PoolAttributes>(name, ({ inputs, attrs, backend }) => {
    const { x } = inputs;
    if (!areFloats(x)) return undefined;
    const { shape, ...geometry } = poolOf(x.shape, attrs);
    if (util.sizeFromShape(shape) === 0) return undefined;
    const isIdentity = geometry.filterHeight === 1 && geometry.filterWidth === 1;
    if (isIdentity && util.arraysEqual(shape, x.shape)) return backend.share(x, x.shape);
    const { info, pointer } = backend.output(shape);
    backend.runOperation(operation, { ...geometry, out: pointer, x: backend.floatsPointer(x) });
    return info;
  });
}

const maxPoolGradient = defineKernel<{ dy: TensorInfo; input: TensorInfo }, PoolAttributes>(
  MaxPoolGrad,
  ({ inputs, attrs, backend }) => {
    const { dy, input } = inputs;
    const { shape, ...geometry } = poolOf(input.shape, attrs);
    if (!areFloats(dy, input) || !util.arraysEqual(shape, dy.shape)) return undefined;
    const { info, pointer } = backend.output(input.shape);
    backend.runOperation("maxPoolGradient", {
      ...geometry,
      out: pointer,
      x: backend.floatsPointer(input),
      dy: backend.floatsPointer(dy),
    });
    return info;
  },
);

const averagePoolGradient = defineKernel<{ dy: TensorInfo; input: TensorInfo }, PoolAttributes>(
  AvgPoolGrad,
  ({ inputs, attrs, backend }) => {
    const { dy, input } = inputs;
    const { shape, ...geometry } = poolOf(input.shape, attrs);
    if (!areFloats(dy, input) || !util.arraysEqual(shape, dy.shape)) return undefined;
    const { info, pointer } = backend.output(input.shape);
    const upstream = backend.floatsPointer(dy);
    backend.runOperation("averagePoolGradient", { ...geometry, out: pointer, dy: upstream });
    return info;
  },
);

const maxPoolGather = defineKernel<{ x: TensorInfo; v: TensorInfo }, PoolAttributes>(
  "MaxPoolGather",
  ({ inputs, attrs, backend }) => {
    const { x, v } = inputs;
    if (!areFloats(x, v) || !util.arraysEqual(x.shape, v.shape)) return undefined;
    const { shape, ...geometry } = poolOf(x.shape, attrs);
    if (util.sizeFromShape(shape) === 0) return undefined;
    const { info, pointer } = backend.output(shape);
    backend.runOperation("maxPoolGather", {
      ...geometry,
      out: pointer,
      x: backend.floatsPointer(x),
      values: backend.floatsPointer(v),
    });
    return info;
  },
);

/**
 * Pooling of NHWC images, and the custom kernel MaxPoolGather: for each window of x the entry of v where x has its
 * first maximum, 0 without one. tfjs's MaxPoolGrad is its transpose.
 */
export const poolingKernels: readonly KernelConfig[] = [
  poolKernel(AvgPool, "averagePool"),
  poolKernel(MaxPool, "maxPool"),
  averagePoolGradient,
  maxPoolGradient,
  maxPoolGather,
];
