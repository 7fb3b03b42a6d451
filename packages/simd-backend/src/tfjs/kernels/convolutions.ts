import {
  backend_util,
  Conv2D,
  Conv2DBackpropFilter,
  Conv2DBackpropInput,
  FusedConv2D,
  util,
  type Conv2DAttrs,
  type Conv2DBackpropFilterAttrs,
  type Conv2DBackpropInputAttrs,
  type FusedConv2DAttrs,
  type KernelConfig,
  type TensorInfo,
} from "@tensorflow/tfjs-core";
import type { ConvolutionGeometry } from "../../convolution-program.ts";
import { areFloats, defineKernel } from "../define-kernel.ts";
import type { SimdBackend } from "../simd-backend.ts";
import { addEpilogue, type Epilogue } from "./epilogue.ts";

// Images NHWC, filters HWIO; other layouts, which the cpu backend hardly covers, are left to it.

type Shape4D = [number, number, number, number];

interface Setting {
  readonly strides: number | [number, number];
  readonly pad: Conv2DAttrs["pad"];
  readonly dataFormat: string;
  readonly dilations?: number | [number, number];
  readonly dimRoundingMode?: "floor" | "round" | "ceil";
}

/** Undefined for what the SIMD kernels do not cover. */
function geometryOf(
  inShape: readonly number[],
  filterShape: readonly number[],
  { strides, pad, dataFormat, dilations = 1, dimRoundingMode }: Setting,
): ConvolutionGeometry | undefined {
  if (dataFormat !== "NHWC") return undefined;
  const info = backend_util.computeConv2DInfo(
    inShape as Shape4D,
    filterShape as Shape4D,
    strides,
    dilations,
    pad as Parameters<typeof backend_util.computeConv2DInfo>[4],
    dimRoundingMode,
  );
  const { strideHeight, strideWidth, dilationHeight, dilationWidth, padInfo } = info;
  if (info.batchSize * info.outHeight * info.outWidth === 0) return undefined;
  return {
    batch: info.batchSize,
    inHeight: info.inHeight,
    inWidth: info.inWidth,
    inChannels: info.inChannels,
    outHeight: info.outHeight,
    outWidth: info.outWidth,
    outChannels: info.outChannels,
    kernelHeight: info.filterHeight,
    kernelWidth: info.filterWidth,
    strideHeight,
    strideWidth,
    padTop: padInfo.top,
    padLeft: padInfo.left,
    dilationHeight,
    dilationWidth,
  };
}

function convolve(
  backend: SimdBackend,
  x: TensorInfo,
  filter: TensorInfo,
  setting: Setting,
): TensorInfo | undefined {
  if (!areFloats(x, filter)) return undefined;
  const geometry = geometryOf(x.shape, filter.shape, setting);
  if (geometry === undefined) return undefined;
  const { batch, outHeight, outWidth, outChannels } = geometry;
  const { info, pointer } = backend.output([batch, outHeight, outWidth, outChannels]);
  backend.runOperation("convolution", {
    ...geometry,
    input: backend.floatsPointer(x),
    filter: backend.floatsPointer(filter),
    out: pointer,
  });
  return info;
}

const conv2D = defineKernel<{ x: TensorInfo; filter: TensorInfo }, Conv2DAttrs>(
  Conv2D,
  ({ inputs, attrs, backend }) => convolve(backend, inputs.x, inputs.filter, attrs),
);

const fusedConv2D = defineKernel<
  { x: TensorInfo; filter: TensorInfo } & Epilogue["inputs"],
  FusedConv2DAttrs
>(FusedConv2D, ({ inputs, attrs, backend }) => {
  const product = convolve(backend, inputs.x, inputs.filter, attrs);
  return product && addEpilogue(backend, product, { inputs, attrs });
});

/** tfjs lets a transposed convolution ask for another shape than the one that dy belongs to. */
function hasOutputShape({ shape }: TensorInfo, geometry: ConvolutionGeometry): boolean {
  const { batch, outHeight, outWidth, outChannels } = geometry;
  return util.arraysEqual(shape, [batch, outHeight, outWidth, outChannels]);
}

const conv2DBackpropInput = defineKernel<
  { dy: TensorInfo; filter: TensorInfo },
  Conv2DBackpropInputAttrs
>(Conv2DBackpropInput, ({ inputs, attrs, backend }) => {
  const { dy, filter } = inputs;
  if (!areFloats(dy, filter)) return undefined;
  const geometry = geometryOf(attrs.inputShape, filter.shape, attrs);
  if (geometry === undefined || !hasOutputShape(dy, geometry)) return undefined;
  const { info, pointer } = backend.output(attrs.inputShape);
  backend.runOperation("convolutionInputGradient", {
    ...geometry,
    upstream: backend.floatsPointer(dy),
    filter: backend.floatsPointer(filter),
    out: pointer,
  });
  return info;
});

const conv2DBackpropFilter = defineKernel<
  { x: TensorInfo; dy: TensorInfo },
  Conv2DBackpropFilterAttrs
>(Conv2DBackpropFilter, ({ inputs, attrs, backend }) => {
  const { x, dy } = inputs;
  if (!areFloats(x, dy)) return undefined;
  const geometry = geometryOf(x.shape, attrs.filterShape, attrs);
  if (geometry === undefined || !hasOutputShape(dy, geometry)) return undefined;
  const { info, pointer } = backend.output(attrs.filterShape);
  backend.runOperation("convolutionFilterGradient", {
    ...geometry,
    input: backend.floatsPointer(x),
    upstream: backend.floatsPointer(dy),
    out: pointer,
  });
  return info;
});

export const convolutionKernels: readonly KernelConfig[] = [
  conv2D,
  fusedConv2D,
  conv2DBackpropInput,
  conv2DBackpropFilter,
];
