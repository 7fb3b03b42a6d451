import type { binaryKinds, reductionKinds, unaryKinds } from "./layer-operations.ts";

/**
 * The functions of `unary`.
 *
 * @useDeclaredType
 */
export type UnaryKind = (typeof unaryKinds)[number];
/**
 * The functions of `binary`.
 *
 * @useDeclaredType
 */
export type BinaryKind = (typeof binaryKinds)[number];
/**
 * What `reduce` computes.
 *
 * @useDeclaredType
 */
export type ReductionKind = (typeof reductionKinds)[number];

/** Of `unary`: pointers to `count` values each; `alpha` where the function has one. */
export interface UnaryOptions {
  readonly kind: UnaryKind;
  readonly out: number;
  readonly x: number;
  readonly count: number;
  readonly alpha?: number;
}

/** Of `binary`: pointers and the three axes, `outer` and `rows` being 1 unless given. */
export interface BinaryOptions {
  readonly kind: BinaryKind;
  readonly out: number;
  readonly a: number;
  readonly b: number;
  readonly outer?: number;
  readonly rows?: number;
  readonly width: number;
  /** Elements from one position of the three axes to the next, 0 where the operand is broadcast; the last is 0 or 1. */
  readonly aStrides?: readonly [number, number, number];
  readonly bStrides?: readonly [number, number, number];
}

/** Of `reduce`: pointers and the three axes, of which the middle one is reduced. */
export interface ReduceOptions {
  readonly kind: ReductionKind;
  readonly out: number;
  readonly x: number;
  readonly outer: number;
  readonly reduced: number;
  readonly inner: number;
  /** reductionWorkspaceBytes(outer, reduced, inner) bytes. */
  readonly workspace?: number | undefined;
}

/** Of `stridedCopy` and `stridedTranspose`: pointers, five axes and their strides. */
export interface StridedCopyOptions {
  readonly out: number;
  readonly in: number;
  readonly outer: readonly [number, number, number];
  readonly rows: number;
  readonly width: number;
  /** Elements from one position of the three outer axes, and from one row, to the next. */
  readonly inStrides: readonly [number, number, number, number];
  readonly outStrides: readonly [number, number, number, number];
}

/** Images are [batch, height, width, channels]. Output row r sees the rows from r · strideHeight - padTop on. */
export interface PoolGeometry {
  readonly batch: number;
  readonly inHeight: number;
  readonly inWidth: number;
  readonly channels: number;
  readonly outHeight: number;
  readonly outWidth: number;
  readonly filterHeight: number;
  readonly filterWidth: number;
  readonly strideHeight: number;
  readonly strideWidth: number;
  readonly padTop: number;
  readonly padLeft: number;
}

/**
 * Of `batchNormalization`: pointers to x and out (rows × channels) and to values of each channel; scale is 1
 * and offset 0 unless given.
 */
export interface BatchNormalizationOptions {
  readonly rows: number;
  readonly channels: number;
  readonly epsilon: number;
  readonly out: number;
  readonly x: number;
  readonly mean: number;
  readonly variance: number;
  readonly scale?: number | undefined;
  readonly offset?: number | undefined;
}

/** Of `batchNormalizationTraining`: `out`, `mean` and `variance` are written. */
export interface BatchNormalizationTrainingOptions {
  readonly rows: number;
  readonly channels: number;
  readonly epsilon: number;
  readonly out: number;
  readonly mean: number;
  readonly variance: number;
  readonly x: number;
  readonly scale: number;
  readonly offset: number;
  /** normalizationWorkspaceBytes(rows, channels, 2) bytes. */
  readonly workspace: number;
}

/** Of `batchNormalizationGradient`: `dx`, `dScale` and `dOffset` are written. */
export interface BatchNormalizationGradientOptions {
  readonly rows: number;
  readonly channels: number;
  readonly epsilon: number;
  readonly dx: number;
  readonly dScale: number;
  readonly dOffset: number;
  readonly dy: number;
  readonly x: number;
  readonly scale: number;
  readonly mean: number;
  readonly variance: number;
  /** normalizationWorkspaceBytes(rows, channels, 2) bytes. */
  readonly workspace: number;
}

/** Of `batchNormalizationSecondGradient`: `dDy`, `dX` and `dScale` are written. */
export interface BatchNormalizationSecondGradientOptions {
  readonly rows: number;
  readonly channels: number;
  readonly epsilon: number;
  readonly dDy: number;
  readonly dX: number;
  readonly dScale: number;
  readonly ddx: number;
  readonly ddScale: number;
  readonly ddOffset: number;
  readonly dy: number;
  readonly x: number;
  readonly scale: number;
  readonly mean: number;
  readonly variance: number;
  /** normalizationWorkspaceBytes(rows, channels, 5) bytes. */
  readonly workspace: number;
}

/** Of `sgdMomentumUpdate`: pointers to `count` values each. */
export interface SgdMomentumUpdateOptions {
  readonly count: number;
  readonly learningRate: number;
  readonly momentum: number;
  readonly weightDecay?: number;
  readonly gradient: number;
  readonly velocity: number;
  readonly parameter: number;
  readonly newVelocity: number;
  readonly newParameter: number;
}

/** Of `adamUpdate`: pointers to `count` values each. */
export interface AdamUpdateOptions {
  readonly count: number;
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay?: number;
  /** Number of this step, from 1 on. */
  readonly step: number;
  readonly gradient: number;
  readonly first: number;
  readonly second: number;
  readonly parameter: number;
  readonly newFirst: number;
  readonly newSecond: number;
  readonly newParameter: number;
}

/** The operations that layers of neural networks are made of. */
export interface LayerOperations<Result> {
  /**
   * out = f(x), entry by entry; out may be x. `step` is 1 for x > 0, else alpha; `leakyRelu` is x, or alpha · x for x < 0;
   * `elu` is x for x ≥ 0, else exp(x) - 1; `softplus` is log(1 + exp(x)). Exponentials and logarithms are taken in
   * float64. NaN stays NaN.
   */
  unary(options: UnaryOptions): Result;
  /**
   * out[o, r, c] = f(a[o, r, c], b[o, r, c]) over outer × rows × width entries, operands contiguous unless strides are
   * given; out may be an operand that is not broadcast. `prelu` is a, or a · b for a < 0; the gradients are those
   * of a = dy: `eluGradient` is a for b ≥ 0, else a · (b + 1), b = elu(x); `reluGradient` is 0 for b ≤ 0, else a.
   */
  binary(options: BinaryOptions): Result;
  /**
   * out[o, i] = Σ_r x[o, r, i], or the mean, maximum, minimum or product; x is outer × reduced × inner. In float64 and
   * with the same bits for every thread count. Throws KernelArgumentError without the workspace that it needs.
   */
  reduce(options: ReduceOptions): Result;
  /** out[i, j, k, r, c] = in[i, j, k, r, c] for c < width, with strides for the first four axes. */
  stridedCopy(options: StridedCopyOptions): Result;
  /**
   * out[i, j, k, c, r] = in[i, j, k, r, c] for c < width: the columns are adjacent in `in`, the rows in `out`, and the last
   * of outStrides is from one column to the next.
   */
  stridedTranspose(options: StridedCopyOptions): Result;
  /**
   * out = the maximum of each window, over its pixels inside the image: the first in row-major order, never NaN, -∞ without
   * any.
   */
  maxPool(options: PoolGeometry & { readonly out: number; readonly x: number }): Result;
  /** out = the gradient of maxPool by x: dy of each window is added where its maximum is. */
  maxPoolGradient(
    options: PoolGeometry & { readonly out: number; readonly x: number; readonly dy: number },
  ): Result;
  /** out = for each window the entry of values where x has its maximum: the transpose of maxPoolGradient. */
  maxPoolGather(
    options: PoolGeometry & { readonly out: number; readonly x: number; readonly values: number },
  ): Result;
  /** out = the mean of each window, over its pixels inside the image. */
  averagePool(options: PoolGeometry & { readonly out: number; readonly x: number }): Result;
  /** out = for each pixel the sum of dy over its windows, divided by the whole area of the filter. */
  averagePoolGradient(
    options: PoolGeometry & { readonly out: number; readonly dy: number },
  ): Result;
  /** out[r, c] = (x[r, c] - mean[c]) · scale[c] / √(variance[c] + epsilon) + offset[c]. */
  batchNormalization(options: BatchNormalizationOptions): Result;
  /** batchNormalization with the mean and the biased variance of x over its rows, which are also results. */
  batchNormalizationTraining(options: BatchNormalizationTrainingOptions): Result;
  /**
   * Gradients of batchNormalizationTraining, mean and variance being functions of x; x̂ = (x - mean) / √(variance + epsilon),
   * ⟨⟩ is the mean over rows: dScale = Σ dy·x̂, dOffset = Σ dy, dx = scale / √(variance + epsilon) · (dy - ⟨dy⟩ - x̂⟨dy·x̂⟩).
   */
  batchNormalizationGradient(options: BatchNormalizationGradientOptions): Result;
  /**
   * Gradients of Σ ddx·dx + Σ ddScale·dScale + Σ ddOffset·dOffset of batchNormalizationGradient by dy, x and scale:
   * docs/maths.md, "Batch normalization, differentiated twice".
   */
  batchNormalizationSecondGradient(options: BatchNormalizationSecondGradientOptions): Result;
  /** newVelocity = momentum · velocity + g, newParameter = parameter - learningRate · newVelocity, g = gradient + weightDecay · parameter. */
  sgdMomentumUpdate(options: SgdMomentumUpdateOptions): Result;
  /**
   * PyTorch's Adam with g = gradient + weightDecay · parameter: newFirst = beta1 · first + (1 - beta1) · g,
   * newSecond = beta2 · second + (1 - beta2) · g², newParameter = parameter - learningRate / (1 - beta1^step) · newFirst /
   * (√newSecond / √(1 - beta2^step) + epsilon). Throws KernelArgumentError for a step below 1.
   */
  adamUpdate(options: AdamUpdateOptions): Result;
}
