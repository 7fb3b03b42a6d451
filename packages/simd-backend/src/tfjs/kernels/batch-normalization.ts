import { FusedBatchNorm, util, type KernelConfig, type TensorInfo } from "@tensorflow/tfjs-core";
import { normalizationWorkspaceBytes } from "../../layer-operations.ts";
import { areFloats, defineKernel } from "../define-kernel.ts";

/** x as rows × channels, its last axis; undefined unless everything is float32 and the vectors have `channels` entries. */
function matrixOf(
  tensors: readonly TensorInfo[],
  vectors: readonly TensorInfo[],
): { rows: number; channels: number } | undefined {
  const [x] = tensors as readonly [TensorInfo];
  if (!areFloats(...tensors, ...vectors)) return undefined;
  if (tensors.some((tensor) => !util.arraysEqual(tensor.shape, x.shape))) return undefined;
  const channels = x.shape.at(-1);
  if (channels === undefined) return undefined;
  if (vectors.some(({ shape }) => shape.length !== 1 || shape[0] !== channels)) return undefined;
  return { rows: util.sizeFromShape(x.shape) / channels, channels };
}

interface InferenceInputs {
  readonly x: TensorInfo;
  readonly mean: TensorInfo;
  readonly variance: TensorInfo;
  readonly scale?: TensorInfo | null;
  readonly offset?: TensorInfo | null;
}

/** tfjs's default when `varianceEpsilon` is absent. */
const DEFAULT_EPSILON = 0.001;

const inference = defineKernel<InferenceInputs, { varianceEpsilon?: number | null }>(
  FusedBatchNorm,
  ({ inputs, attrs, backend }) => {
    const { x, mean, variance, scale, offset } = inputs;
    const optional = [scale, offset].filter((info) => info !== undefined && info !== null);
    const sizes = matrixOf([x], [mean, variance, ...optional]);
    if (sizes === undefined) return undefined;
    const { info, pointer } = backend.output(x.shape);
    backend.runOperation("batchNormalization", {
      ...sizes,
      epsilon: attrs.varianceEpsilon ?? DEFAULT_EPSILON,
      out: pointer,
      x: backend.floatsPointer(x),
      mean: backend.floatsPointer(mean),
      variance: backend.floatsPointer(variance),
      scale: scale ? backend.floatsPointer(scale) : 0,
      offset: offset ? backend.floatsPointer(offset) : 0,
    });
    return info;
  },
);

interface EpsilonAttribute {
  readonly epsilon: number;
}

type TrainingInputs = Readonly<Record<"x" | "scale" | "offset", TensorInfo>>;

const training = defineKernel<TrainingInputs, EpsilonAttribute>(
  "BatchNormalizationTraining",
  ({ inputs, attrs, backend }) => {
    const { x, scale, offset } = inputs;
    const sizes = matrixOf([x], [scale, offset]);
    if (sizes === undefined) return undefined;
    const y = backend.output(x.shape);
    const mean = backend.output([sizes.channels]);
    const variance = backend.output([sizes.channels]);
    backend.runOperation("batchNormalizationTraining", {
      ...sizes,
      epsilon: attrs.epsilon,
      out: y.pointer,
      mean: mean.pointer,
      variance: variance.pointer,
      x: backend.floatsPointer(x),
      scale: backend.floatsPointer(scale),
      offset: backend.floatsPointer(offset),
      workspace: backend.temporary(normalizationWorkspaceBytes(sizes.rows, sizes.channels, 2)),
    });
    return [y.info, mean.info, variance.info];
  },
);

type GradientInputs = Readonly<Record<"dy" | "x" | "scale" | "mean" | "variance", TensorInfo>>;

const gradient = defineKernel<GradientInputs, EpsilonAttribute>(
  "BatchNormalizationTrainingGradient",
  ({ inputs, attrs, backend }) => {
    const { dy, x, scale, mean, variance } = inputs;
    const sizes = matrixOf([dy, x], [scale, mean, variance]);
    if (sizes === undefined) return undefined;
    const dx = backend.output(x.shape);
    const dScale = backend.output([sizes.channels]);
    const dOffset = backend.output([sizes.channels]);
    backend.runOperation("batchNormalizationGradient", {
      ...sizes,
      epsilon: attrs.epsilon,
      dx: dx.pointer,
      dScale: dScale.pointer,
      dOffset: dOffset.pointer,
      dy: backend.floatsPointer(dy),
      x: backend.floatsPointer(x),
      scale: backend.floatsPointer(scale),
      mean: backend.floatsPointer(mean),
      variance: backend.floatsPointer(variance),
      workspace: backend.temporary(normalizationWorkspaceBytes(sizes.rows, sizes.channels, 2)),
    });
    return [dx.info, dScale.info, dOffset.info];
  },
);

type SecondGradientInputs = Readonly<
  Record<"ddx" | "ddScale" | "ddOffset" | "dy" | "x" | "scale" | "mean" | "variance", TensorInfo>
>;

const secondGradient = defineKernel<SecondGradientInputs, EpsilonAttribute>(
  "BatchNormalizationTrainingSecondGradient",
  ({ inputs, attrs, backend }) => {
    const { ddx, ddScale, ddOffset, dy, x, scale, mean, variance } = inputs;
    const sizes = matrixOf([ddx, dy, x], [ddScale, ddOffset, scale, mean, variance]);
    if (sizes === undefined) return undefined;
    const dDy = backend.output(x.shape);
    const dX = backend.output(x.shape);
    const dScale = backend.output([sizes.channels]);
    backend.runOperation("batchNormalizationSecondGradient", {
      ...sizes,
      epsilon: attrs.epsilon,
      dDy: dDy.pointer,
      dX: dX.pointer,
      dScale: dScale.pointer,
      ddx: backend.floatsPointer(ddx),
      ddScale: backend.floatsPointer(ddScale),
      ddOffset: backend.floatsPointer(ddOffset),
      dy: backend.floatsPointer(dy),
      x: backend.floatsPointer(x),
      scale: backend.floatsPointer(scale),
      mean: backend.floatsPointer(mean),
      variance: backend.floatsPointer(variance),
      workspace: backend.temporary(normalizationWorkspaceBytes(sizes.rows, sizes.channels, 5)),
    });
    return [dDy.info, dX.info, dScale.info];
  },
);

/**
 * Batch normalization over the last axis with given statistics, and the custom kernels with the statistics of x
 * itself, their gradient and the gradient of that.
 */
export const batchNormalizationKernels: readonly KernelConfig[] = [
  inference,
  training,
  gradient,
  secondGradient,
];
