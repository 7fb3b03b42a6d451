/**
 * WebAssembly SIMD kernels on threads: matrix products, the operations of tensor factorizations and of
 * neural network layers, recorded once into programs that run without allocating.
 *
 * ```ts
 * import { createKernelRuntime } from "@implicit-rank/simd-backend";
 * ```
 *
 * @module
 */

export type { ConvolutionGeometry, ConvolutionOperations } from "./convolution-program.ts";
export {
  ArenaExhaustedError,
  KernelArgumentError,
  KernelFailureError,
  KernelsUnavailableError,
  MemoryUnavailableError,
} from "./errors.ts";
export { supportedFeatures, type SupportedFeatures } from "./features.ts";
export type { KernelVariant } from "./kernel-module.ts";
export {
  createKernelRuntime,
  type KernelRuntime,
  type KernelRuntimeOptions,
} from "./kernel-runtime.ts";
export { normalizationWorkspaceBytes, reductionWorkspaceBytes } from "./layer-operations.ts";
export type {
  AdamUpdateOptions,
  BatchNormalizationGradientOptions,
  BatchNormalizationOptions,
  BatchNormalizationSecondGradientOptions,
  BatchNormalizationTrainingOptions,
  BinaryKind,
  BinaryOptions,
  LayerOperations,
  PoolGeometry,
  ReduceOptions,
  ReductionKind,
  SgdMomentumUpdateOptions,
  StridedCopyOptions,
  UnaryKind,
  UnaryOptions,
} from "./layer-program.ts";
export { allocationBytes } from "./memory-layout.ts";
export { measureScratchBytes } from "./create-program-builder.ts";
export type {
  Factor,
  GemmOptions,
  GroupRmsPropOptions,
  ImmediateOperations,
  KhatriRaoGradientOptions,
  LossKind,
  MatrixOptions,
  MeasureOptions,
  MomentumUpdateOptions,
  OpHandle,
  Operations,
  Program,
  ProgramBuilder,
  ResidualOptions,
  SampledDotOptions,
  ScaleOptions,
  ScatterProductOptions,
  ScatterScaledOptions,
} from "./program.ts";
