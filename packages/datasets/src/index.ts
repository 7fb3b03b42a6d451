/**
 * Data sets for the experiments: matrices and tensors to complete or to sense, pairs of images that
 * are of the same class or not, pathfinder images, and loaders that serve them in batches.
 *
 * ```ts
 * import { generateMatrixDataset, readFactorizationDataset } from "@implicit-rank/datasets";
 * ```
 *
 * @module
 */

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
export type {
  PathfinderRawFlags,
  PathfinderRawOptions,
  PathfinderSettings,
} from "./pathfinder/raw-flags.ts";
export { generatePathfinderImages } from "./pathfinder/raw-images.ts";
export type { RawImagesHooks, RawImagesResult, RawProgress } from "./pathfinder/raw-images.ts";
export { readRawTable } from "./pathfinder/raw-table.ts";
export type { RawTable } from "./pathfinder/raw-table.ts";
export { pathfinderSetFlags } from "./pathfinder/set-flags.ts";
export type { PathfinderSetFlags, PathfinderSetOptions } from "./pathfinder/set-flags.ts";
export { generatePathfinderSets } from "./pathfinder/set-writer.ts";
export type { PathfinderSetResult, SetProgress } from "./pathfinder/set-writer.ts";
export { type Cifar10Edition, readCifar10 } from "./image-source/cifar10.ts";
export { downloadFile, downloadSource } from "./image-source/download.ts";
export type { Download, DownloadHooks } from "./image-source/download.ts";
export { readImageFolder } from "./image-source/image-folder.ts";
export type {
  ImageSourceName,
  ImageSplit,
  LabelledImages,
} from "./image-source/labelled-images.ts";
export { readMnist } from "./image-source/mnist.ts";
export { readImages } from "./image-source/read-source.ts";
export type { ImageSource } from "./image-source/read-source.ts";
export { createComposer, pairPlaces } from "./is-same/composition.ts";
export type {
  Canvas,
  ImageLayout,
  ImagePlace,
  PairComposer,
  PairPlaces,
} from "./is-same/composition.ts";
export { readIsSameDataset } from "./is-same/dataset-file.ts";
export type { IsSameDataset } from "./is-same/dataset-file.ts";
export { isSameFlags } from "./is-same/flags.ts";
export type { IsSameFlags, IsSameOptions } from "./is-same/flags.ts";
export { generateIsSameDataset } from "./is-same/generator.ts";
export type { IsSameResult } from "./is-same/generator.ts";
export { batchTensors, openBatches } from "./loader/batches.ts";
export type { Batch, BatchLoader, LoaderOptions, TensorMaker } from "./loader/batches.ts";
export { preloadBatches } from "./loader/preloaded.ts";
export { openSamples } from "./loader/sample-reader.ts";
export type {
  IsSameSamples,
  PathfinderSamples,
  SampleReader,
  SampleSource,
} from "./loader/sample-reader.ts";
export { createSynthesizer, distractorPlan } from "./pathfinder/synthesis.ts";
export type { PathfinderImage, PathfinderSynthesizer } from "./pathfinder/synthesis.ts";
export type { Paddle, Snake } from "./pathfinder/snake.ts";
export { datasetFileFromTorch } from "./torch-dataset-file.ts";
export { decodeGrayPng, encodeGrayPng } from "./image/gray-png.ts";
export type { GrayImage } from "./image/gray-png.ts";
export type { ImageSize } from "./image/resample.ts";
