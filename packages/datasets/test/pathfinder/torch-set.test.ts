import { readFile } from "node:fs/promises";
import {
  contentHash,
  readTorchFile,
  type TorchDictionary,
  type TorchValue,
  writeSafetensors,
} from "@implicit-rank/array-files";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { datasetFileFromTorch, openSamples, type PathfinderSamples } from "../../src/index.ts";
import { useTemporaryFolder } from "../temporary-folder.ts";

const temporary = useTemporaryFolder();
const fixture = (name: string) => new URL(`../fixtures/${name}`, import.meta.url).pathname;
const readFixture = async () =>
  (await readTorchFile(fixture("pytorch-pathfinder.pt"))) as TorchDictionary;
interface OfSplits<Value> {
  readonly train: Value;
  readonly test: Value;
}
/** What the scripts of imp_reg_htf make of the fixture, on PyTorch 2.15. */
const expected = JSON.parse(await readFile(fixture("pytorch-pathfinder.json"), "utf8")) as {
  readonly mean: number;
  readonly std: number;
  readonly pixels: OfSplits<readonly number[]>;
  readonly labels: OfSplits<readonly number[]>;
  readonly indices: OfSplits<readonly number[]>;
  readonly normalized: readonly number[];
};

describe("a pathfinder set of the Python scripts", () => {
  it("has its gray values as bytes, its labels, numbers and statistics, and all of its test images", async () => {
    const { arrays, metadata } = datasetFileFromTorch(await readFixture(), "set.pt")!;
    expect(arrays).toEqual({
      train_images: { shape: [7, 1, 16, 16], data: Uint8Array.from(expected.pixels.train) },
      train_labels: { shape: [7, 1], data: Uint8Array.from(expected.labels.train) },
      train_indices: { shape: [7], data: Int32Array.from(expected.indices.train) },
      test_images: { shape: [5, 1, 16, 16], data: Uint8Array.from(expected.pixels.test) },
      test_labels: { shape: [5, 1], data: Uint8Array.from(expected.labels.test) },
      test_indices: { shape: [5], data: Int32Array.from(expected.indices.test) },
    });
    expect(metadata).toMatchObject({
      path_length: "9",
      num_train_examples: "7",
      num_test_examples: "5",
      train_mean: String(expected.mean),
      train_std: String(expected.std),
      content_sha256: contentHash({ arrays }),
    });
  });

  it("is loaded with the values that torchvision's Normalize gives", async () => {
    const path = temporary("set.safetensors");
    await writeSafetensors(path, datasetFileFromTorch(await readFixture(), "set.pt")!);
    const source: PathfinderSamples = { kind: "pathfinder", path, split: "test", layout: "nchw" };
    const reader = await openSamples(source);
    const sample = new Float32Array(16 * 16);
    reader.fill(4, sample, 0);
    expect([reader.count, reader.sampleShape]).toEqual([5, [1, 16, 16]]);
    // Ours is computed in float64 and rounded once, theirs in float32: two units of values up to 8.
    for (const [i, value] of sample.entries())
      expect(Math.abs(value - expected.normalized[i]!)).toBeLessThanOrEqual(2 * 2 ** -21);
  });

  it("that is not converted is refused with the command that does it", async () => {
    const opened = openSamples({
      kind: "pathfinder",
      path: "sets/nine.pt",
      split: "train",
      layout: "nchw",
    });
    await expect(opened).rejects.toMatchObject({
      message:
        'sets/nine.pt: is a file of PyTorch; make a data set of it with "implicit-rank data convert"',
      exitCode: 2,
    });
  });
});

describe("a pathfinder set that is refused", () => {
  /** The set with one value in one of its dictionaries replaced, or all of the dictionary. */
  const altered = async (part: string, key: string | undefined, value: TorchValue | undefined) => {
    const content = new Map(await readFixture());
    const old = content.get(part) as TorchDictionary;
    const replaced = key === undefined ? value : withEntry(old, key, value);
    return withEntry(content, part, replaced);
  };
  const withEntry = (
    map: TorchDictionary,
    key: string,
    value: TorchValue | undefined,
  ): TorchDictionary => {
    const copy = new Map(map);
    if (value === undefined) copy.delete(key);
    else copy.set(key, value);
    return copy;
  };
  const floats = (shape: readonly number[], value = 0) => ({
    shape,
    data: new Float32Array(shape.reduce((product, size) => product * size, 1)).fill(value),
  });
  const labels = { shape: [7, 1], data: Uint8Array.of(0, 0, 2, 1, 0, 0, 1) };

  it.each([
    ["train", undefined, undefined, "train: is missing"],
    ["test", undefined, 3, "test: is missing"],
    ["train", "images", undefined, "train.images: must be a float32 tensor"],
    ["train", "images", labels, "train.images: must be a float32 tensor"],
    [
      "train",
      "images",
      floats([7, 16, 16]),
      "train.images: have the shape 7 × 16 × 16, not n × 1 × size × size",
    ],
    [
      "test",
      "images",
      floats([5, 1, 16, 8]),
      "test.images: have the shape 5 × 1 × 16 × 8, not n × 1 × size × size",
    ],
    [
      "test",
      "images",
      floats([0, 1, 16, 16]),
      "test.images: have the shape 0 × 1 × 16 × 16, not n × 1 × size × size",
    ],
    [
      "test",
      "images",
      floats([5, 1, 8, 8]),
      "test.images: have another size than those of the train split",
    ],
    [
      "train",
      "images",
      floats([7, 1, 16, 16], 0.5),
      "train.images: have the value 0.5, which is no gray value k / 255",
    ],
    [
      "train",
      "images",
      floats([7, 1, 16, 16], NaN),
      "train.images: have the value NaN, which is no gray value k / 255",
    ],
    ["train", "labels", labels, "train.labels: must be 7 bytes 0 and 1"],
    ["test", "labels", labels, "test.labels: must be 5 bytes 0 and 1"],
    ["test", "labels", undefined, "test.labels: must be 5 bytes 0 and 1"],
    [
      "train",
      "original_indices",
      [1, 2],
      "train.original_indices: must be the numbers of 7 images",
    ],
    [
      "test",
      "original_indices",
      [1, 2, 3, 4, -5],
      "test.original_indices: must be the numbers of 5 images",
    ],
    ["meta_attributes", "path_length", 2.5, "meta_attributes.path_length: is no path length"],
    [
      "meta_attributes",
      "train_mean",
      floats([], 1.00002 * expected.mean),
      "meta_attributes.train_mean: is not that of the training images",
    ],
    [
      "meta_attributes",
      "train_std",
      undefined,
      "meta_attributes.train_std: is not that of the training images",
    ],
    [
      "meta_attributes",
      "train_std",
      floats([], NaN),
      "meta_attributes.train_std: is not that of the training images",
    ],
  ] as const)("%s, %s", async (part, key, value, message) => {
    const content = await altered(part, key, value);
    expect(() => datasetFileFromTorch(content, "set.pt")).toThrow(
      expect.objectContaining({
        message: `set.pt: ${message}; make the data set again`,
        exitCode: 1,
      }) as Error,
    );
  });

  it("values between gray values, however close", async () => {
    const content = await readFixture();
    const train = content.get("train") as TorchDictionary;
    const images = train.get("images") as { shape: readonly number[]; data: Float32Array };
    const bits = new Int32Array(images.data.buffer, images.data.byteOffset, images.data.length);
    fc.assert(
      fc.property(fc.nat(images.data.length - 1), fc.constantFrom(-1, 1), (place, step) => {
        const kept = bits[place]!;
        bits[place] = kept === 0 ? 1 : kept + step;
        try {
          expect(() => datasetFileFromTorch(content, "set.pt")).toThrow("which is no gray value");
        } finally {
          bits[place] = kept;
        }
      }),
    );
  });

  it("is none at all: neither a model nor other values are taken for data sets", () => {
    for (const value of [3, [1], new Map([["weight", floats([2])]])])
      expect(datasetFileFromTorch(value, "set.pt")).toBeUndefined();
  });
});
