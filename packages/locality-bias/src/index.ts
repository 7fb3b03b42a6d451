/**
 * The locality bias of convolutional networks: ResNets, the input-gradient-change regularizer with the
 * twice-differentiable operations it needs, and optimizers, on any backend of TensorFlow.js.
 *
 * ```ts
 * import { createResNet, createTrainer } from "@implicit-rank/locality-bias";
 * ```
 *
 * @module
 */

export { LocalityBiasError } from "./errors.ts";
export { type ApplyOptions, type Model, parameterCount } from "./models/model.ts";
export { createResNet, type ResNet, type ResNetOptions } from "./models/resnet.ts";
export {
  type ConvolutionLayer,
  type ResidualBlock,
  type ResNetDepth,
  resNetDepths,
  type ResNetLayout,
  type Stem,
} from "./models/resnet-layout.ts";
export {
  exportResNetWeights,
  type ExportedWeights,
  type ImportedWeights,
  importResNetWeights,
  type WeightArray,
  type WeightFile,
} from "./models/resnet-weights.ts";
export { dropout } from "./models/dropout.ts";
export {
  type BatchNormalized,
  batchNormalizationTraining,
} from "./autodiff/batch-normalization.ts";
export { addAlike } from "./autodiff/add-alike.ts";
export { detach } from "./autodiff/detach.ts";
export { maxPool, type Pooling } from "./autodiff/max-pooling.ts";
export { registerMissingGradients } from "./autodiff/missing-gradients.ts";
export { type Differentiated, differentiate } from "./autodiff/differentiate.ts";
export { relu } from "./autodiff/relu.ts";
export { checkLabels, correctCount, type Task, taskLoss, taskOf } from "./losses/task-loss.ts";
export type { Patch, PatchPair } from "./regularizer/patch.ts";
export {
  checkPathfinderPatches,
  isSamePatches,
  type PathfinderPatchOptions,
  pathfinderPatches,
} from "./regularizer/patch-samplers.ts";
export {
  type Forward,
  type InputGradientChange,
  inputGradientChange,
  type InputGradientChangeOptions,
  outputAndInputGradient,
  type OutputAndInputGradient,
} from "./regularizer/input-gradient-change.ts";
export {
  type RegularizedLoss,
  regularizedLoss,
  type RegularizedLossOptions,
} from "./regularizer/regularized-loss.ts";
export { checkPatch, swapPatch } from "./regularizer/swap-patch.ts";
export type { Gradients, Optimizer, SavedArray, SavedState } from "./optimizers/optimizer.ts";
export { createSgd, type SgdOptions } from "./optimizers/sgd.ts";
export { type AdamOptions, createAdam } from "./optimizers/adam.ts";
export {
  type BatchResult,
  createTrainer,
  evaluateBatch,
  type Trainer,
  type TrainerOptions,
  type TrainingBatch,
} from "./training/trainer.ts";
