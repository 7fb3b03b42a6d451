export { DatasetError } from "./error.ts";
export { resolveSeed } from "./flags.ts";
export {
  readFactorizationDataset,
  saveFactorizationDataset,
  writeFactorizationDataset,
} from "./factorization/dataset-file.ts";
export type { ReadFactorizationDataset } from "./factorization/dataset-file.ts";
export {
  matrixDatasetName,
  tensorDatasetName,
  utcTimestamp,
} from "./factorization/dataset-name.ts";
export { frobeniusNorm } from "./factorization/dataset.ts";
export type { FactorizationDataset, TensorTarget } from "./factorization/dataset.ts";
export { matrixTargetFacts } from "./factorization/matrix-facts.ts";
export { matrixDatasetFlags, matrixTargetNorm } from "./factorization/matrix-flags.ts";
export type { MatrixDatasetFlags, MatrixDatasetOptions } from "./factorization/matrix-flags.ts";
export { generateMatrixDataset } from "./factorization/matrix-generator.ts";
export { tensorDatasetFlags, tensorTargetNorm } from "./factorization/tensor-flags.ts";
export type { TensorDatasetFlags, TensorDatasetOptions } from "./factorization/tensor-flags.ts";
export { checkTensorFlags, generateTensorDataset } from "./factorization/tensor-generator.ts";
export { pathfinderRawFlags } from "./pathfinder/raw-flags.ts";
export type { PathfinderRawFlags, PathfinderRawOptions } from "./pathfinder/raw-flags.ts";
export { generatePathfinderImages } from "./pathfinder/raw-images.ts";
export type { RawImagesHooks, RawImagesResult, RawProgress } from "./pathfinder/raw-images.ts";
export { pathfinderSetFlags } from "./pathfinder/set-flags.ts";
export type { PathfinderSetFlags, PathfinderSetOptions } from "./pathfinder/set-flags.ts";
export { generatePathfinderSets } from "./pathfinder/set-writer.ts";
export type { PathfinderSetResult, SetProgress } from "./pathfinder/set-writer.ts";
