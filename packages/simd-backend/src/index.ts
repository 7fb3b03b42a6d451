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
export { allocationBytes } from "./memory-layout.ts";
export {
  measureScratchBytes,
  type Factor,
  type GemmOptions,
  type GroupRmsPropOptions,
  type KhatriRaoGradientOptions,
  type LossKind,
  type MatrixOptions,
  type MeasureOptions,
  type MomentumUpdateOptions,
  type OpHandle,
  type Program,
  type ProgramBuilder,
  type ResidualOptions,
  type SampledDotOptions,
  type ScaleOptions,
  type ScatterProductOptions,
  type ScatterScaledOptions,
} from "./program.ts";
