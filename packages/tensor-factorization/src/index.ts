export { FactorizationError } from "./errors.ts";
export { type PoolPattern, poolPatterns, poolPermutation } from "./modeTree/poolPattern.ts";
export {
  createModeTree,
  internalNodes,
  type ModeTree,
  type ModeTreeLayer,
  numHiddenLayers,
} from "./modeTree/modeTree.ts";
export { renderModeTree } from "./modeTree/renderModeTree.ts";
export {
  cpSpec,
  entryCount,
  hierarchicalSpec,
  inputShape,
  matrixSpec,
  maximalCpComponents,
  modeSizesOf,
} from "./model/spec.ts";
export { defaultSpecFlags, type SpecFlags, validateSpec } from "./model/validateSpec.ts";
export { modeTreeOf, parameterCount, parameterLayout } from "./model/parameterLayout.ts";
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
} from "./engines/validateObservations.ts";
export {
  compileFused,
  fusedEngine,
  type FusedOptions,
  type FusedStep,
} from "./engines/fused/fusedEngine.ts";
export type { FusedPlan } from "./engines/fused/fusedModel.ts";
export type { Evaluation } from "./engines/fused/evaluation.ts";
export { plainEngine } from "./engines/plain/plainEngine.ts";
export { compileFullTensor, fullTensor } from "./tensor/fullTensor.ts";
export { matricization, validateModes } from "./tensor/matricization.ts";
export { predict } from "./tensor/predict.ts";
export { normalize } from "./tensor/normalize.ts";
export { singularValues } from "./linearAlgebra/singularValues.ts";
export { effectiveRank, float32Epsilon, matrixRank, nuclearNorm } from "./metrics/ranks.ts";
export { frobeniusNorm } from "./metrics/norms.ts";
export {
  meanSquaredError,
  normalizedReconstructionError,
  reconstructionError,
} from "./metrics/reconstruction.ts";
export type { FactorizationMetrics, MetricInfo } from "./metrics/metric.ts";
export { createMatrixMetrics, type MatrixMetricsOptions } from "./metrics/matrixMetrics.ts";
export { balancedness } from "./metrics/layerMetrics.ts";
export { componentNorms, createCpMetrics, topColumnNorms } from "./metrics/cpMetrics.ts";
export {
  createHierarchicalMetrics,
  type HierarchicalMetricsOptions,
  localComponentNorms,
  trackedMatricizations,
} from "./metrics/hierarchicalMetrics.ts";
