import { createHash } from "node:crypto";
import { extname, join } from "node:path";
import {
  type ArrayFile,
  contentHash,
  readSafetensors,
  readTorchFile,
  withChecksum,
  writeSafetensors,
} from "@implicit-rank/array-files";
import { damagedDataset, DatasetError, type Refuse } from "../error.ts";
import {
  IMAGE_SOURCES,
  type ImageSourceName,
  type ImageSplit,
  type LabelledImages,
} from "../image-source/labelled-images.ts";
import { areLabels } from "../labels.ts";
import { refuseAlteredMetadata } from "../metadata-check.ts";
import type { ImagePairs } from "./pairs.ts";
import { isSameFromTorch } from "./torch-dataset.ts";

const FORMAT = "implicit-rank is-same dataset";
const FORMAT_VERSION = "1";
const METADATA_KEYS = [
  "format",
  "format_version",
  "source",
  "split",
  "images_sha256",
  "provenance",
  "content_sha256",
];

/** Pairs of images of a source, as numbers; the images stay in the source's files. */
export interface IsSameDataset extends ImagePairs {
  readonly samples: number;
  readonly source: ImageSourceName;
  readonly split: ImageSplit;
  /** SHA-256 of the source's images and classes, so that others are noticed; the Python scripts record none. */
  readonly imagesSha256?: string;
  readonly provenance: Readonly<Record<string, unknown>>;
}

/** SHA-256 over classes and pixels of images. */
export function hashImages({ labels, pixels, height, width, channels }: LabelledImages): string {
  const hash = createHash("sha256").update(`${channels} ${height} ${width}\n`);
  return hash.update(labels).update(pixels).digest("hex");
}

/** Writes a data set; throws ArrayFileError. */
export async function writeIsSameDataset(
  path: string,
  dataset: IsSameDataset,
  options: { readonly overwrite?: boolean } = {},
): Promise<void> {
  await writeSafetensors(path, isSameFile(dataset), options);
}

/** Arrays and metadata of the file of a data set. */
export function isSameFile(dataset: IsSameDataset): ArrayFile {
  const arrays = {
    pairs: { shape: [dataset.samples, 2], data: dataset.pairs },
    labels: { shape: [dataset.samples], data: dataset.labels },
  };
  const metadata: Record<string, string> = withChecksum({
    format: FORMAT,
    format_version: FORMAT_VERSION,
    source: dataset.source,
    split: dataset.split,
    ...(dataset.imagesSha256 === undefined ? {} : { images_sha256: dataset.imagesSha256 }),
    provenance: JSON.stringify(dataset.provenance),
    content_sha256: contentHash({ arrays }),
  });
  return { arrays, metadata };
}

/** Reads and checks a data set, ours or a `.pt` of the Python scripts. Throws DatasetError or ArrayFileError. */
export async function readIsSameDataset(path: string): Promise<IsSameDataset> {
  if (extname(path) === ".pt") return isSameFromTorch(await readTorchFile(path), path);
  if (extname(path) !== ".safetensors") {
    throw new DatasetError(
      `${path}: is-same data sets are .safetensors or .pt files; make one with "data is-same"`,
      2,
    );
  }
  const { arrays, metadata } = await readSafetensors(path);
  const refuse = damagedDataset(path);
  if (metadata.format !== FORMAT) {
    throw new DatasetError(
      `${path}: format: not an is-same data set; make one with "implicit-rank data is-same"`,
      2,
    );
  }
  if (metadata.format_version !== FORMAT_VERSION) {
    throw new DatasetError(
      `${path}: format_version: not known to this version (${FORMAT_VERSION} is); upgrade implicit-rank`,
      1,
    );
  }
  if (metadata.content_sha256 !== contentHash({ arrays })) {
    throw refuse("content_sha256", "does not match the arrays, the file was altered");
  }
  refuseAlteredMetadata(metadata, METADATA_KEYS, refuse);
  const pairs = arrays.pairs?.data;
  const labels = arrays.labels?.data;
  if (!areLabels(labels)) throw refuse("labels", "must be bytes 0 and 1");
  if (!(pairs instanceof Int32Array) || arrays.pairs!.shape.join() !== `${labels.length},2`) {
    throw refuse("pairs", `must be an int32 array of ${labels.length} × 2`);
  }
  if (pairs.some((index) => index < 0)) throw refuse("pairs", "has negative numbers");
  const source = IMAGE_SOURCES.find((name) => name === metadata.source);
  const split = (["train", "test"] as const).find((name) => name === metadata.split);
  if (source === undefined || split === undefined) throw refuse("source", "is not known");
  return {
    pairs,
    labels,
    samples: labels.length,
    source,
    split,
    ...(metadata.images_sha256 === undefined ? {} : { imagesSha256: metadata.images_sha256 }),
    provenance: parseProvenance(metadata.provenance, refuse),
  };
}

function parseProvenance(
  text: string | undefined,
  refuse: Refuse,
): Readonly<Record<string, unknown>> {
  try {
    const value = JSON.parse(text ?? "") as unknown;
    if (typeof value === "object" && value !== null && !Array.isArray(value)) {
      return value as Record<string, unknown>;
    }
  } catch {
    // the same message as for other values
  }
  throw refuse("provenance", "is not an object of JSON");
}

/** Throws DatasetError (exit code 2) unless these are the images that the pairs were drawn from. */
export function checkImages(
  path: string,
  dataset: IsSameDataset,
  images: LabelledImages,
  folder: string,
): void {
  const areInside = dataset.pairs.every((index) => index < images.count);
  const hash = dataset.imagesSha256;
  const areTheOnes =
    hash === undefined ? labelsAgree(dataset, images) : hashImages(images) === hash;
  if (!areInside || !areTheOnes) {
    throw new DatasetError(
      `${path}: images: those in ${folder} are not the ones that the pairs were drawn from; give their folder or make the data set again`,
      2,
    );
  }
}

function labelsAgree({ pairs, labels }: IsSameDataset, images: LabelledImages): boolean {
  const classOf = (place: number) => images.labels[pairs[place]!];
  return labels.every((label, i) => (classOf(2 * i) === classOf(2 * i + 1)) === (label === 1));
}

export function isSamePath(folder: string, name: string): string {
  return join(folder, `${name}.safetensors`);
}
