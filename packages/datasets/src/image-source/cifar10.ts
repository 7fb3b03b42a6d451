import { createHash } from "node:crypto";
import { createReadStream } from "node:fs";
import { join } from "node:path";
import { pipeline } from "node:stream/promises";
import { createGunzip } from "node:zlib";
import { extract, type Header } from "tar-stream";
import { DatasetError } from "../error.ts";
import type { ImageSplit, LabelledImages } from "./labelled-images.ts";
import { damagedSource, readSource, sizeOf } from "./source-file.ts";

/** What the files of CIFAR-10's binary version are; tests read smaller ones. */
export interface Cifar10Edition {
  readonly imagesPerFile: number;
  /** MD5 that the authors publish for the archive; undefined: not checked. */
  readonly archiveMd5: string | undefined;
}

export const CIFAR10: Cifar10Edition = {
  imagesPerFile: 10_000,
  archiveMd5: "c32a1d4ab5d03f1284b67883e8d87530",
};
export const CIFAR10_ARCHIVE = "cifar-10-binary.tar.gz";
export const CIFAR10_URL = `https://www.cs.toronto.edu/~kriz/${CIFAR10_ARCHIVE}`;

const FOLDER = "cifar-10-batches-bin";
const SIDE = 32;
const IMAGE_BYTES = 3 * SIDE * SIDE;
const ROW_BYTES = 1 + IMAGE_BYTES;
const CLASSES = "airplane automobile bird cat deer dog frog horse ship truck".split(" ");
/** Of the 50,000 training images. */
const MEAN = [0.4914, 0.4822, 0.4465];
const STD = [0.247, 0.2435, 0.2616];
/** An archive may unpack to this many bytes; CIFAR-10 has 184 million. */
const MAX_UNPACKED = 2 ** 30;

function fileNames(split: ImageSplit): readonly string[] {
  return split === "test" ? ["test_batch.bin"] : [1, 2, 3, 4, 5].map((i) => `data_batch_${i}.bin`);
}

/**
 * A split of CIFAR-10 from its binary version: the `.bin` files in `folder` (or in
 * `cifar-10-batches-bin` in it), else those in the archive `cifar-10-binary.tar.gz`, whose checksum is
 * verified.
 * @throws DatasetError: exit code 2 if the files are not there, 1 if they are damaged
 */
export async function readCifar10(
  folder: string,
  split: ImageSplit,
  edition: Cifar10Edition = CIFAR10,
): Promise<LabelledImages> {
  const names = fileNames(split);
  for (const place of [folder, join(folder, FOLDER)]) {
    if ((await sizeOf(join(place, names[0]!))) === undefined) continue;
    // One after the other: of several that are missing, the first is always the one that is named.
    const batches: Batch[] = [];
    for (const file of names.map((name) => join(place, name))) {
      batches.push({ file, bytes: await readSource(file) });
    }
    return fromBatches(batches, edition);
  }
  const archive = join(folder, CIFAR10_ARCHIVE);
  if ((await sizeOf(archive)) !== undefined) {
    return fromBatches(await readArchive(archive, names, edition), edition);
  }
  throw new DatasetError(
    `${folder}: CIFAR-10 is not there; put ${CIFAR10_ARCHIVE} of ${CIFAR10_URL} (170 MB) or its .bin files into the folder, or pass --download`,
    2,
  );
}

interface Batch {
  readonly file: string;
  readonly bytes: Uint8Array;
}

/** Rows of one label byte and 3072 pixel bytes: the red plane, the green one, the blue one. */
function fromBatches(batches: readonly Batch[], edition: Cifar10Edition): LabelledImages {
  const count = batches.length * edition.imagesPerFile;
  const pixels = new Uint8Array(count * IMAGE_BYTES);
  const labels = new Uint8Array(count);
  let image = 0;
  for (const { file, bytes } of batches) {
    const expected = edition.imagesPerFile * ROW_BYTES;
    if (bytes.length !== expected) {
      throw damagedSource(file, `has ${bytes.length} bytes instead of ${expected}`);
    }
    for (let row = 0; row < bytes.length; row += ROW_BYTES) {
      const label = bytes[row]!;
      if (label >= CLASSES.length) {
        throw damagedSource(file, `image ${row / ROW_BYTES} has the class ${label}, not 0 to 9`);
      }
      labels[image] = label;
      pixels.set(bytes.subarray(row + 1, row + ROW_BYTES), image * IMAGE_BYTES);
      image++;
    }
  }
  return {
    channels: 3,
    height: SIDE,
    width: SIDE,
    count,
    pixels,
    labels,
    classes: CLASSES,
    mean: MEAN,
    std: STD,
  };
}

/** The wanted files of an archive, unpacked in memory only: no name in it becomes a path. */
async function readArchive(
  archive: string,
  names: readonly string[],
  edition: Cifar10Edition,
): Promise<Batch[]> {
  const found = new Map<string, Uint8Array>();
  const digest = createHash("md5");
  const source = createReadStream(archive);
  source.on("data", (chunk) => digest.update(chunk));
  const unpack = extract();
  let unpacked = 0;
  unpack.on("entry", (header, stream, next) => {
    stream.on("error", () => undefined); // the archive's own error is reported below
    unpacked += header.size ?? 0;
    const problem = hostile(header, unpacked, edition);
    if (problem !== undefined) return next(damagedSource(archive, problem));
    const name = names.find((wanted) => header.name === `${FOLDER}/${wanted}`);
    const chunks: Uint8Array[] = [];
    stream.on("data", (chunk) => {
      if (name !== undefined) chunks.push(chunk as Uint8Array);
    });
    stream.on("end", () => {
      if (name !== undefined) found.set(name, new Uint8Array(Buffer.concat(chunks)));
      next();
    });
  });
  try {
    await pipeline(source, createGunzip(), unpack);
  } catch (error) {
    if (error instanceof DatasetError) throw error;
    throw damagedSource(archive, "is truncated or no gzipped tar archive");
  }
  const md5 = digest.digest("hex");
  if (edition.archiveMd5 !== undefined && md5 !== edition.archiveMd5) {
    throw damagedSource(archive, `has the MD5 checksum ${md5} instead of ${edition.archiveMd5}`);
  }
  return names.map((name) => {
    const bytes = found.get(name);
    if (bytes === undefined) throw damagedSource(archive, `lacks ${FOLDER}/${name}`);
    return { file: `${archive}: ${name}`, bytes };
  });
}

function hostile(header: Header, unpacked: number, edition: Cifar10Edition): string | undefined {
  const name = JSON.stringify(header.name.slice(0, 80));
  if (header.name.startsWith("/") || header.name.split(/[/\\]/).includes("..")) {
    return `holds the path ${name}, which leads out of the folder`;
  }
  if (header.type !== "file" && header.type !== "directory") {
    return `holds ${name}, which is neither file nor folder`;
  }
  const largest = edition.imagesPerFile * ROW_BYTES;
  if ((header.size ?? 0) > largest || unpacked > MAX_UNPACKED) {
    return `holds ${name} with ${header.size} bytes, more than CIFAR-10 has`;
  }
  return undefined;
}
