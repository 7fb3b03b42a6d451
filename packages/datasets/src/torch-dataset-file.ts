import { type ArrayFile, isTorchDictionary, type TorchValue } from "@implicit-rank/array-files";
import { factorizationFile } from "./factorization/dataset-file.ts";
import { datasetFromTorch } from "./factorization/torch-dataset.ts";
import { isSameFile } from "./is-same/dataset-file.ts";
import { isSameFromTorch } from "./is-same/torch-dataset.ts";
import { pathfinderFileFromTorch } from "./pathfinder/torch-set.ts";

/**
 * The data set of the Python scripts in the content of a `.pt` file, as arrays and metadata of the file that
 * this package would write of it; undefined if the content is no data set (a model, for example).
 * @param path the file, for messages
 * @throws DatasetError (exit code 1) if it is a data set, but a damaged one
 */
export function datasetFileFromTorch(content: TorchValue, path: string): ArrayFile | undefined {
  if (!isTorchDictionary(content)) return undefined;
  if (content.has("A") || content.has("inputs")) {
    return factorizationFile(datasetFromTorch(content, path));
  }
  if (content.has("image_pairs_indices")) return isSameFile(isSameFromTorch(content, path));
  if (content.has("meta_attributes")) return pathfinderFileFromTorch(content, path);
  return undefined;
}
