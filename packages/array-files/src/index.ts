/**
 * Named arrays in files: safetensors, npz and the `.pt` files of PyTorch, parsed without running
 * anything in them and written so that a crash leaves the old file or the new one, never a half.
 *
 * ```ts
 * import { readSafetensors, writeSafetensors } from "@implicit-rank/array-files";
 * ```
 *
 * @module
 */

export type { ArrayData, ArrayFile, NamedArray } from "./array-file.ts";
export { contentHash } from "./content-hash.ts";
export { crc32 } from "./crc32.ts";
export type { ElementType } from "./element-type.ts";
export { ArrayFileError, type ArrayFileProblem } from "./error.ts";
export { isChecksumIntact, withChecksum } from "./json-checksum.ts";
export { makeFolders } from "./make-folders.ts";
export { decodeNpyText, encodeNpyText } from "./npy-text.ts";
export { decodeNpz, encodeNpz, readNpz, writeNpz } from "./npz.ts";
export {
  decodeSafetensors,
  encodeSafetensors,
  readSafetensors,
  writeSafetensors,
} from "./safetensors.ts";
export type { Entry as SafetensorsEntry } from "./safetensors.ts";
export { openSafetensors, writeSafetensorsStream } from "./safetensors-stream.ts";
export type { SafetensorsReader, StreamedArray } from "./safetensors-stream.ts";
export { decodeTorchFile, readTorchFile } from "./torch-archive.ts";
export type { TorchKey, TorchValue } from "./torch-pickle.ts";
export { isTorchDictionary, isTorchTensor, torchOptimizer, torchStateDict } from "./torch-state.ts";
export type { TorchDictionary, TorchOptimizer } from "./torch-state.ts";
export { isFileExistsError, writeFileAtomic } from "./write-atomic.ts";
export type { FileContent, WriteOptions } from "./write-atomic.ts";
