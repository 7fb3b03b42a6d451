import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { DatasetError } from "../error.ts";
import type { ImageSplit, LabelledImages } from "./labelled-images.ts";
import { damagedSource, readSource, sizeOf } from "./source-file.ts";

export const MNIST_URL = "https://ossci-datasets.s3.amazonaws.com/mnist/";
/** The gzipped files of MNIST with their published MD5 checksums. */
export const MNIST_FILES: Readonly<Record<string, string>> = {
  "train-images-idx3-ubyte.gz": "f68b3c2dcbeaaa9fbdd348bbdeb94873",
  "train-labels-idx1-ubyte.gz": "d53e105ee54ea40749a09fcbcd1e9432",
  "t10k-images-idx3-ubyte.gz": "9fb629c4189551a2d022fa330f9573f3",
  "t10k-labels-idx1-ubyte.gz": "ec29112dd5afa0611ce80d1b7f02629c",
};

/** Of the 60,000 training images. */
const MEAN = [0.1307];
const STD = [0.3081];
/** No idx file may unpack to more; MNIST's largest has 47 million bytes. */
const MAX_UNPACKED = 2 ** 28;
const UNSIGNED_BYTES = 8;

/**
 * A split of MNIST from its idx files in `folder`, gzipped or not.
 * @throws DatasetError: exit code 2 if the files are not there, 1 if they are damaged
 */
export async function readMnist(folder: string, split: ImageSplit): Promise<LabelledImages> {
  const prefix = split === "train" ? "train" : "t10k";
  const images = await readIdx(folder, `${prefix}-images-idx3-ubyte`, 3);
  const labels = await readIdx(folder, `${prefix}-labels-idx1-ubyte`, 1);
  const [count, height, width] = images.shape as [number, number, number];
  if (labels.shape[0] !== count) {
    throw damagedSource(labels.file, `has ${labels.shape[0]} labels for ${count} images`);
  }
  const wrong = labels.data.findIndex((label) => label > 9);
  if (wrong >= 0) {
    throw damagedSource(labels.file, `label ${wrong} is ${labels.data[wrong]}, not 0 to 9`);
  }
  return {
    channels: 1,
    height,
    width,
    count,
    pixels: images.data,
    labels: labels.data,
    classes: Array.from({ length: 10 }, (_, digit) => String(digit)),
    mean: MEAN,
    std: STD,
  };
}

interface IdxArray {
  readonly file: string;
  readonly shape: readonly number[];
  readonly data: Uint8Array;
}

async function readIdx(folder: string, name: string, axes: number): Promise<IdxArray> {
  const plain = join(folder, name);
  if ((await sizeOf(plain)) !== undefined) return parseIdx(plain, await readSource(plain), axes);
  const packed = `${plain}.gz`;
  if ((await sizeOf(packed)) !== undefined) {
    return parseIdx(packed, gunzip(packed, await readSource(packed)), axes);
  }
  throw new DatasetError(
    `${folder}: ${name} is not there; put the four idx files of MNIST (gzipped or not, from ${MNIST_URL}) into the folder, or pass --download`,
    2,
  );
}

function gunzip(file: string, bytes: Uint8Array): Uint8Array {
  try {
    return new Uint8Array(gunzipSync(bytes, { maxOutputLength: MAX_UNPACKED }));
  } catch (error) {
    const tooLarge = error instanceof RangeError;
    throw damagedSource(
      file,
      tooLarge ? "unpacks to more than MNIST has" : "is truncated or not gzipped",
    );
  }
}

/** Two zero bytes, element type, number of axes, the sizes (big endian), the elements. */
function parseIdx(file: string, bytes: Uint8Array, axes: number): IdxArray {
  const headerBytes = 4 + 4 * axes;
  if (bytes.length < headerBytes) throw damagedSource(file, `has only ${bytes.length} bytes`);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(0) !== (UNSIGNED_BYTES << 8) + axes) {
    throw damagedSource(file, `is no idx file of bytes with ${axes} axes`);
  }
  const shape = Array.from({ length: axes }, (_, axis) => view.getUint32(4 + 4 * axis));
  const count = shape.reduce((product, size) => product * size, 1);
  if (count !== bytes.length - headerBytes || count === 0) {
    throw damagedSource(
      file,
      `declares ${shape.join(" × ")} bytes but has ${bytes.length - headerBytes}`,
    );
  }
  return { file, shape, data: bytes.subarray(headerBytes) };
}
