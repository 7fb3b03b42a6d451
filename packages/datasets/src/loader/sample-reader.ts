import { createHash } from "node:crypto";
import { extname } from "node:path";
import { openSafetensors } from "@implicit-rank/array-files";
import { damagedDataset, DatasetError, flagError } from "../error.ts";
import type { LabelledImages } from "../image-source/labelled-images.ts";
import { readImages } from "../image-source/read-source.ts";
import { createComposer, type ImageLayout, type ImagePlace } from "../is-same/composition.ts";
import {
  checkImages,
  hashImages,
  type IsSameDataset,
  readIsSameDataset,
} from "../is-same/dataset-file.ts";
import { areLabels } from "../labels.ts";
import { refuseAlteredMetadata } from "../metadata-check.ts";
import { SET_FORMAT, SET_FORMAT_VERSION, SET_METADATA_KEYS } from "../pathfinder/set-format.ts";

/** Pairs of images, composed at a distance on a canvas. */
export interface IsSameSamples {
  readonly kind: "is-same";
  readonly path: string;
  /** The folder of the source's images. */
  readonly folder: string;
  readonly distance: number;
  readonly height: number;
  readonly width: number;
  readonly layout: ImageLayout;
  /** The first so many samples; below 0 or absent: all. */
  readonly samples?: number;
  /** What they are for: messages about `samples` name the flag of that; default: the split of the source. */
  readonly use?: "train" | "test";
}

/** Images of one split of a pathfinder set, normalized by the training images' mean and deviation. */
export interface PathfinderSamples {
  readonly kind: "pathfinder";
  readonly path: string;
  readonly split: "train" | "test";
  readonly layout: ImageLayout;
  readonly samples?: number;
}

/** The samples of an image set: where they are, and in which layout they are wanted. */
export type SampleSource = IsSameSamples | PathfinderSamples;

/** Samples that are made on demand, one by one, into memory of the caller. */
export interface SampleReader {
  readonly count: number;
  /** Without the batch axis. */
  readonly sampleShape: readonly [number, number, number];
  readonly labels: Uint8Array;
  /** SHA-256 of what the samples are made of, so that a change of the data is noticed. */
  readonly contentHash: string;
  /** Where the images of a pair lie; none in a pathfinder image. */
  readonly places: readonly ImagePlace[];
  /** Writes sample `index` at `offset`. */
  fill(index: number, out: Float32Array, offset: number): void;
}

/** Opens a set; what it needs of the files is then in memory. Throws DatasetError or ArrayFileError. */
export function openSamples(source: SampleSource): Promise<SampleReader> {
  return source.kind === "is-same" ? openIsSame(source) : openPathfinder(source);
}

/** @throws DatasetError (exit code 2) if more are asked for than there are */
function samplesToUse(
  wanted: number | undefined,
  available: number,
  flag: string,
  path: string,
): number {
  if (available === 0)
    throw new DatasetError(`${path}: has no samples; make the data set again`, 2);
  if (wanted === undefined || wanted < 0) return available;
  if (wanted > available || wanted === 0) {
    throw flagError(
      flag,
      `${wanted} asked for, but ${path} has ${available}; ask for 1 to ${available}, or -1 for all`,
    );
  }
  return wanted;
}

async function openIsSame(source: IsSameSamples): Promise<SampleReader> {
  const dataset = await readIsSameDataset(source.path);
  const { split } = dataset;
  const images = await readImages({ source: dataset.source, folder: source.folder, split });
  checkImages(source.path, dataset, images, source.folder);
  const count = samplesToUse(
    source.samples,
    dataset.samples,
    `num_${source.use ?? split}_samples`,
    source.path,
  );
  const composer = createComposer(images, source);
  return {
    count,
    sampleShape: composer.sampleShape,
    labels: dataset.labels.subarray(0, count),
    contentHash: hashPairs(dataset, images),
    places: composer.places,
    fill(index, out, offset) {
      composer.compose(dataset.pairs[2 * index]!, dataset.pairs[2 * index + 1]!, out, offset);
    },
  };
}

/** Of the pairs, their labels and the images that they are of. */
function hashPairs({ pairs, labels, imagesSha256 }: IsSameDataset, images: LabelledImages): string {
  const hash = createHash("sha256").update(imagesSha256 ?? hashImages(images));
  const numbers = new Uint8Array(pairs.buffer, pairs.byteOffset, pairs.byteLength);
  return hash.update(labels).update(numbers).digest("hex");
}

async function openPathfinder({
  path,
  split,
  samples,
  layout,
}: PathfinderSamples): Promise<SampleReader> {
  refuseTorchSet(path);
  const file = await openSafetensors(path);
  try {
    const { mean, std } = checkPathfinder(path, file.metadata);
    const refuse = damagedDataset(path);
    refuseAlteredMetadata(file.metadata, SET_METADATA_KEYS, refuse);
    const hash = await file.contentHash();
    if (file.metadata.content_sha256 !== hash) {
      throw refuse("content_sha256", "does not match the arrays, the file was altered");
    }
    const entry = file.entries.find(({ name }) => name === `${split}_images`);
    const available = entry?.shape[0] ?? 0;
    const side = entry?.shape[2] ?? 0;
    if (entry?.dtype !== "U8" || entry.shape.slice(1).join() !== `1,${side},${side}`) {
      throw refuse(`${split}_images`, "must be bytes of the shape n × 1 × size × size");
    }
    const count = samplesToUse(samples, available, `num_${split}_samples`, path);
    const pixels = await file.readRows(`${split}_images`, 0, count);
    const labels = await file.readRows(`${split}_labels`, 0, count);
    if (!areLabels(labels) || labels.length !== count) {
      throw refuse(`${split}_labels`, "must be bytes 0 and 1");
    }
    const table = Float32Array.from({ length: 256 }, (_, byte) => (byte / 255 - mean) / std);
    const elements = side * side;
    return {
      count,
      sampleShape: layout === "nchw" ? [1, side, side] : [side, side, 1],
      labels,
      contentHash: hash,
      places: [],
      fill(index, out, offset) {
        const start = index * elements;
        for (let i = 0; i < elements; i++) out[offset + i] = table[pixels[start + i] as number]!;
      },
    };
  } finally {
    await file.close();
  }
}

/** Sets of the Python scripts hold four bytes for each pixel: they are converted once, not in every run. */
function refuseTorchSet(path: string): void {
  if (extname(path) !== ".pt") return;
  throw new DatasetError(
    `${path}: is a file of PyTorch; make a data set of it with "implicit-rank data convert"`,
    2,
  );
}

function checkPathfinder(path: string, metadata: Readonly<Record<string, string>>) {
  if (metadata.format !== SET_FORMAT) {
    throw new DatasetError(
      `${path}: format: not a pathfinder data set; make one with "implicit-rank data pathfinder"`,
      2,
    );
  }
  if (metadata.format_version !== String(SET_FORMAT_VERSION)) {
    throw new DatasetError(
      `${path}: format_version: not known to this version (${SET_FORMAT_VERSION} is); upgrade implicit-rank`,
      1,
    );
  }
  const mean = Number(metadata.train_mean);
  const std = Number(metadata.train_std);
  if (!Number.isFinite(mean) || !(std > 0)) {
    throw damagedDataset(path)("train_mean, train_std", "are not numbers");
  }
  return { mean, std };
}
