import { join } from "node:path";
import { isFileExistsError, writeFileAtomic } from "@implicit-rank/array-files";
import { createRandom } from "@implicit-rank/random";
import { flagError } from "../error.ts";
import { utcTimestamp } from "../factorization/dataset-name.ts";
import { makeFolder } from "../make-folder.ts";
import { parseOptions, resolveSeed } from "../flags.ts";
import { downloadSource, type DownloadHooks } from "../image-source/download.ts";
import type { LabelledImages } from "../image-source/labelled-images.ts";
import { readImages } from "../image-source/read-source.ts";
import { recordProvenance } from "../provenance.ts";
import { hashImages, isSamePath, writeIsSameDataset, type IsSameDataset } from "./dataset-file.ts";
import { isSameFlags, sourceFolder, type IsSameFlags, type IsSameOptions } from "./flags.ts";
import { drawPairs } from "./pairs.ts";
import { previewSheet } from "./preview.ts";

/**
 * A set of pairs that was written: its file, the picture of its first pairs if it was asked for, and how
 * many of the pairs are of one class.
 */
export interface IsSameResult {
  readonly path: string;
  readonly previewPath?: string;
  readonly samples: number;
  readonly positives: number;
  readonly seed: number;
}

/**
 * Draws pairs of images of a labelled source and saves them as numbers (`data is-same`); images are put
 * side by side when they are read.
 * @throws DatasetError or ArrayFileError
 */
export async function generateIsSameDataset(
  options: IsSameOptions,
  hooks: DownloadHooks & { readonly time?: Date } = {},
): Promise<IsSameResult> {
  const flags = parseOptions(isSameFlags, options);
  if (flags.num_samples === 0) throw flagError("num_samples", "must not be 0 (below 0: all)");
  const folder = sourceFolder(flags);
  if (flags.download) await downloadSource(flags.source, folder, hooks);
  const split = flags.train ? "train" : "test";
  const images = await readImages({ source: flags.source, folder, split });
  const seed = resolveSeed(flags.random_seed);
  const dataset = drawDataset(flags, images, seed);
  const path = await save(flags, dataset, hooks.time ?? new Date());
  const positives = dataset.labels.reduce((sum, label) => sum + label, 0);
  const result = { path, samples: dataset.samples, positives, seed };
  if (!flags.preview) return result;
  const previewPath = path.replace(/\.safetensors$/, ".png");
  await writeFileAtomic(previewPath, previewSheet(images, dataset), { overwrite: true });
  return { ...result, previewPath };
}

function drawDataset(flags: IsSameFlags, images: LabelledImages, seed: number): IsSameDataset {
  const samples = flags.num_samples < 0 ? images.count : flags.num_samples;
  const { download, preview, source_dir, ...content } = flags;
  void [download, preview, source_dir];
  return {
    ...drawPairs(images, samples, createRandom(seed).fork("is-same pairs")),
    samples,
    source: flags.source,
    split: flags.train ? "train" : "test",
    imagesSha256: hashImages(images),
    provenance: recordProvenance("data is-same", content, seed),
  };
}

async function save(flags: IsSameFlags, dataset: IsSameDataset, time: Date): Promise<string> {
  const start =
    flags.custom_file_name === ""
      ? `${flags.source}_is_same_${dataset.split}_s_${dataset.samples}`
      : flags.custom_file_name;
  const name = `${start}_${utcTimestamp(time)}`;
  await makeFolder(flags.output_dir);
  for (let copy = 1; ; copy++) {
    const path = isSamePath(join(flags.output_dir), `${name}${copy === 1 ? "" : `_${copy}`}`);
    try {
      await writeIsSameDataset(path, dataset);
      return path;
    } catch (error) {
      if (!isFileExistsError(error)) throw error;
    }
  }
}
