/**
 * Deep matrix, CP and hierarchical Tucker factorizations: their mode trees, training steps on several
 * engines, ranks, norms and the metrics of them.
 *
 * ```ts
 * import { createFactorization, fusedEngine, matrixSpec } from "@implicit-rank/tensor-factorization";
 * ```
 *
 * @module
 */

export { FactorizationError } from "./errors.ts";
export { type PoolPattern, poolPatterns, poolPermutation } from "./mode-tree/pool-pattern.ts";
export {
  createModeTree,
  internalNodes,
  type ModeTree,
  type ModeTreeLayer,
  numHiddenLayers,
} from "./mode-tree/mode-tree.ts";
export { renderModeTree } from "./mode-tree/render-mode-tree.ts";
export {
  cpSpec,
  entryCount,
  hierarchicalSpec,
  inputShape,
  matrixSpec,
  maximalCpComponents,
  modeSizesOf,
} from "./model/spec.ts";
export { defaultSpecFlags, type SpecFlags, validateSpec } from "./model/validate-spec.ts";
export { modeTreeOf, parameterCount, parameterLayout } from "./model/parameter-layout.ts";
export { createFactorization, parameterViews } from "./model/factorization.ts";
export {
  initializeIdentity,
  initializeNormal,
  initializeOrthogonal,
  type NormalSource,
} from "./model/initialize.ts";
export type {
  CpSpec,
  Factorization,
  FactorizationSpec,
  Floats,
  HierarchicalSpec,
  MatrixSpec,
  ParameterLayout,
} from "./model/types.ts";
export { homogeneityDegree } from "./model/homogeneity.ts";
export { type Loss, sampleLoss, sampleLossDerivative } from "./loss/loss.ts";
export { groupRmsProp, type Optimizer, type OptimizerState, sgd } from "./optimizers/optimizer.ts";
export type { Engine, Observations, StepResult, TrainingStep } from "./engines/engine.ts";
export {
  inputSize,
  validateIndices,
  validateObservations,
} from "./engines/validate-observations.ts";
export {
  compileFused,
  fusedEngine,
  type FusedOptions,
  type FusedStep,
} from "./engines/fused/fused-engine.ts";
export type { ChoosePlan, FusedPlan } from "./engines/fused/fused-model.ts";
export type { ChainOrder } from "./engines/fused/chain-order.ts";
export type { MatrixPlan } from "./engines/fused/matrix-plan.ts";
export type { RootForm, RowKind, TreePlan } from "./engines/fused/tree-plan.ts";
export type { Evaluation } from "./engines/fused/evaluation.ts";
export { plainEngine } from "./engines/plain/plain-engine.ts";
export { compileFullTensor, fullTensor } from "./tensor/full-tensor.ts";
export { matricization, validateModes } from "./tensor/matricization.ts";
export { predict } from "./tensor/predict.ts";
export { normalize } from "./tensor/normalize.ts";
export { singularValues } from "./linear-algebra/singular-values.ts";
export type { Spectrum, SpectrumFactory } from "./metrics/spectrum.ts";
export { effectiveRank, float32Epsilon, matrixRank, nuclearNorm } from "./metrics/ranks.ts";
export { frobeniusNorm } from "./metrics/norms.ts";
export {
  meanSquaredError,
  normalizedReconstructionError,
  reconstructionError,
} from "./metrics/reconstruction.ts";
export type { FactorizationMetrics, MetricInfo } from "./metrics/metric.ts";
export { createMatrixMetrics, type MatrixMetricsOptions } from "./metrics/matrix-metrics.ts";
export { balancedness } from "./metrics/layer-metrics.ts";
export { componentNorms, createCpMetrics, topColumnNorms } from "./metrics/cp-metrics.ts";
export {
  createHierarchicalMetrics,
  type HierarchicalMetricsOptions,
  localComponentNorms,
  trackedMatricizations,
} from "./metrics/hierarchical-metrics.ts";
export type { PoolingHints } from "./torch/infer-pooling.ts";
export {
  importTorchFactorization,
  parameterNameFromTorch,
  torchFactorizationKind,
  type TorchFactorizationOptions,
  torchParameterName,
  type TorchStateDict,
  type TorchTensor,
} from "./torch/torch-factorization.ts";
export { importTorchOptimizer, type TorchOptimizerState } from "./torch/torch-optimizer.ts";
