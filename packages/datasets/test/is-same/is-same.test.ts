import { readFile, writeFile } from "node:fs/promises";
import {
  contentHash,
  readSafetensors,
  withChecksum,
  writeSafetensors,
} from "@implicit-rank/array-files";
import { createRandom } from "@implicit-rank/random";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  createComposer,
  generateIsSameDataset,
  pairPlaces,
  readIsSameDataset,
  readMnist,
  type LabelledImages,
} from "../../src/index.ts";
import { decodeColorPng } from "../../src/image/gray-png.ts";
import { checkImages } from "../../src/is-same/dataset-file.ts";
import { drawPairs } from "../../src/is-same/pairs.ts";
import { writeMnist } from "../image-source/source-files.ts";
import { useTemporaryFolder } from "../temporary-folder.ts";

const temporary = useTemporaryFolder();

function imagesWith(labels: readonly number[], classes: number): LabelledImages {
  return {
    channels: 3,
    height: 2,
    width: 2,
    count: labels.length,
    pixels: new Uint8Array(labels.length * 12).map((_, i) => i % 256),
    labels: Uint8Array.from(labels),
    classes: Array.from({ length: classes }, (_, i) => `class ${i}`),
    mean: [0.5, 0.25, 0],
    std: [0.5, 0.25, 1],
  };
}

describe("pairs", () => {
  it("have the label that their images' classes give, and never an image twice", () => {
    const labels = fc
      .array(fc.nat({ max: 3 }), { maxLength: 30 })
      .map((some) => [0, 0, 1, 1, 2, 2, 3, 3, ...some]);
    fc.assert(
      fc.property(labels, fc.nat(), (classes, seed) => {
        const { pairs, labels: same } = drawPairs(imagesWith(classes, 4), 50, createRandom(seed));
        same.forEach((label, i) => {
          const [a, b] = [pairs[2 * i]!, pairs[2 * i + 1]!];
          expect(a).not.toBe(b);
          expect(label).toBe(classes[a] === classes[b] ? 1 : 0);
        });
      }),
    );
  });

  it("are drawn evenly: labels, classes, and images within them", () => {
    // Classes of 2, 3 and 5 images: the chance of each ordered pair is known.
    const classes = [0, 0, 1, 1, 1, 2, 2, 2, 2, 2];
    const sizes = [2, 3, 5];
    const draws = 300_000;
    const { pairs } = drawPairs(imagesWith(classes, 3), draws, createRandom(1));
    const seen = new Float64Array(100);
    for (let i = 0; i < draws; i++) seen[pairs[2 * i]! * 10 + pairs[2 * i + 1]!]! += 1;
    for (let a = 0; a < 10; a++) {
      for (let b = 0; b < 10; b++) {
        const size = sizes[classes[a]!]!;
        const others = classes[a] === classes[b] ? size - 1 : 10 - size;
        const chance = a === b ? 0 : 1 / 2 / 3 / size / others;
        const error = 5 * Math.sqrt(draws * chance * (1 - chance));
        expect(Math.abs(seen[a * 10 + b]! - draws * chance)).toBeLessThanOrEqual(error);
      }
    }
  });

  it("need two classes with two images each", () => {
    expect(() => drawPairs(imagesWith([0, 0, 1], 2), 5, createRandom(1))).toThrow(
      "--source: the split of 3 images has 1 images of class class 1; two classes with two images each are needed",
    );
    expect(() => drawPairs(imagesWith([0, 0], 1), 5, createRandom(1))).toThrow("has one class");
  });
});

describe("composition", () => {
  const images = imagesWith([0, 1, 0, 1], 2);

  it("places CIFAR images as the formulas say", () => {
    const cifar = { height: 32, width: 32 };
    const canvas = (distance: number) => ({ height: 224, width: 224, distance });
    expect(pairPlaces(canvas(0), cifar)).toEqual({ top: 96, firstLeft: 80, secondLeft: 112 });
    expect(pairPlaces(canvas(75), cifar)).toEqual({ top: 96, firstLeft: 43, secondLeft: 150 });
    expect(pairPlaces(canvas(160), cifar)).toEqual({ top: 96, firstLeft: 0, secondLeft: 192 });
  });

  it("refuses a distance that does not fit, and says what fits", () => {
    const cifar = { height: 32, width: 32 };
    const attempt = (height: number, width: number, distance: number) => () =>
      pairPlaces({ height, width, distance }, cifar);
    expect(attempt(224, 224, 161)).toThrow(
      "--distance: 161 is too large for two images of width 32 on a canvas of width 224; at most 160 fit",
    );
    expect(attempt(224, 63, 0)).toThrow("make --input_width at least 64");
    expect(attempt(224, 224, -1)).toThrow("--distance: must be an integer of at least 0 (got -1)");
    expect(attempt(31, 224, 0)).toThrow(
      "--input_height: 31 is too small for images of height 32; use at least that",
    );
    for (let width = 60; width < 90; width++) {
      const said = /at most (\d+) fit/.exec(
        String(
          attempt(40, width, 1000) instanceof Function ? tryMessage(attempt(40, width, 1000)) : "",
        ),
      );
      if (said === null) expect(width).toBeLessThan(64);
      else {
        expect(attempt(40, width, Number(said[1]))).not.toThrow();
        expect(attempt(40, width, Number(said[1]) + 1)).toThrow();
      }
    }
  });

  it("normalizes pixels by channel and leaves zeros around, in both layouts", () => {
    const canvas = { height: 5, width: 9, distance: 1 };
    const first = createComposer(images, { ...canvas, layout: "nchw" });
    const last = createComposer(images, { ...canvas, layout: "nhwc" });
    expect(first.sampleShape).toEqual([3, 5, 9]);
    expect(last.sampleShape).toEqual([5, 9, 3]);
    const a = new Float32Array(3 * 45 + 2).fill(9);
    const b = new Float32Array(3 * 45 + 2).fill(9);
    first.compose(1, 2, a, 1);
    last.compose(1, 2, b, 1);
    const { top, firstLeft, secondLeft } = pairPlaces(canvas, images);
    for (let c = 0; c < 3; c++) {
      for (let y = 0; y < 5; y++) {
        for (let x = 0; x < 9; x++) {
          const pixel = (image: number, left: number) =>
            (images.pixels[image * 12 + c * 4 + (y - top) * 2 + (x - left)]! / 255 -
              images.mean[c]!) /
            images.std[c]!;
          const inRows = y >= top && y < top + 2;
          let expected = 0;
          if (inRows && x >= firstLeft && x < firstLeft + 2) expected = pixel(1, firstLeft);
          if (inRows && x >= secondLeft && x < secondLeft + 2) expected = pixel(2, secondLeft);
          expect(a[1 + c * 45 + y * 9 + x]).toBe(Math.fround(expected));
          expect(b[1 + (y * 9 + x) * 3 + c]).toBe(Math.fround(expected));
        }
      }
    }
    expect([a[0], a.at(-1), b[0], b.at(-1)]).toEqual([9, 9, 9, 9]);
  });
});

function tryMessage(action: () => unknown): string {
  try {
    action();
  } catch (error) {
    return (error as Error).message;
  }
  return "";
}

const time = new Date("2026-03-04T05:06:07Z");
const generate = (flags: Record<string, unknown> = {}) =>
  generateIsSameDataset(
    {
      source: "mnist",
      source_dir: temporary("mnist"),
      output_dir: temporary("out"),
      random_seed: 1,
      ...flags,
    },
    { time },
  );
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => {
      throw new Error("succeeded");
    },
    (error: unknown) => error as Error & { exitCode: number },
  );

describe("a data set", () => {
  it("of real digits has as many pairs as the split has images, under the name that tells so", async () => {
    writeMnist(temporary("mnist"), 6);
    const result = await generate();
    expect(result.path).toBe(
      temporary("out/mnist_is_same_test_s_60_2026_03_04-05_06_07.safetensors"),
    );
    const dataset = await readIsSameDataset(result.path);
    expect(dataset).toMatchObject({ samples: 60, source: "mnist", split: "test" });
    expect(dataset.labels.reduce((sum, label) => sum + label, 0)).toBe(result.positives);
    const { labels } = await readMnist(temporary("mnist"), "test");
    dataset.labels.forEach((label, i) => {
      expect(label === 1).toBe(labels[dataset.pairs[2 * i]!] === labels[dataset.pairs[2 * i + 1]!]);
    });
    expect(dataset.provenance).toMatchObject({
      generator: "data is-same",
      seed: 1,
      flags: { train: false, source: "mnist" },
    });
    const again = await generate();
    expect(again.path).toBe(
      temporary("out/mnist_is_same_test_s_60_2026_03_04-05_06_07_2.safetensors"),
    );
    expect((await readFile(again.path)).equals(await readFile(result.path))).toBe(true);
    const other = await generate({
      train: true,
      num_samples: 7,
      custom_file_name: "mine",
      random_seed: 2,
    });
    expect(other.path).toBe(temporary("out/mine_2026_03_04-05_06_07.safetensors"));
    expect(await readIsSameDataset(other.path)).toMatchObject({ samples: 7, split: "train" });
  });

  it("can be previewed: images in pairs with words", async () => {
    writeMnist(temporary("mnist"), 3);
    const { previewPath } = await generate({ preview: true, num_samples: 8 });
    const sheet = decodeColorPng(await readFile(previewPath!), "x");
    expect(sheet.size).toEqual([2 * (28 * 2 + 7 + 18) + 6, 6 * ((2 * 28 + 2) * 2 + 6) + 6]);
    const colors = new Set<string>();
    for (let i = 0; i < sheet.pixels.length; i += 3)
      colors.add(sheet.pixels.subarray(i, i + 3).join());
    expect(colors.has("0,90,181") || colors.has("220,80,0")).toBe(true);
  });

  it("that cannot be made says why", async () => {
    expect(await failure(generate())).toMatchObject({
      message: expect.stringContaining("t10k-images-idx3-ubyte is not there") as string,
      exitCode: 2,
    });
    expect((await failure(generate({ source: "imagenet" }))).message).toBe(
      "--source: must be cifar10, mnist or folder",
    );
    expect((await failure(generate({ num_samples: 0 }))).message).toBe(
      "--num_samples: must not be 0 (below 0: all)",
    );
    writeMnist(temporary("mnist"), 2);
    await writeFile(temporary("file"), "");
    expect((await failure(generate({ output_dir: temporary("file/x") }))).message).toBe(
      `${temporary("file/x")}: cannot create the folder (ENOTDIR); choose a folder you may write to with --output_dir`,
    );
  });
});

describe("a data set file", () => {
  it("that was altered, or is of another kind or version, is refused", async () => {
    writeMnist(temporary("mnist"), 2);
    const { path } = await generate();
    const good = await readSafetensors(path);
    const altered = async (metadata: Record<string, string>, arrays: object = {}) => {
      const changed = { ...good.arrays, ...arrays };
      const file = {
        arrays: changed,
        metadata: withChecksum({
          ...good.metadata,
          content_sha256: contentHash({ arrays: changed }),
          ...metadata,
        }),
      };
      await writeSafetensors(temporary("bad.safetensors"), file, { overwrite: true });
      return (await failure(readIsSameDataset(temporary("bad.safetensors")))).message.slice(
        temporary("bad.safetensors").length + 2,
      );
    };
    const again = "; make the data set again";
    expect(await altered({ format: "x" })).toBe(
      'format: not an is-same data set; make one with "implicit-rank data is-same"',
    );
    expect(await altered({ format_version: "9" })).toBe(
      "format_version: not known to this version (1 is); upgrade implicit-rank",
    );
    expect(await altered({ content_sha256: "x" })).toBe(
      `content_sha256: does not match the arrays, the file was altered${again}`,
    );
    const edited = { ...good, metadata: { ...good.metadata, source: "cifar10" } };
    await writeSafetensors(temporary("bad.safetensors"), edited, { overwrite: true });
    expect((await failure(readIsSameDataset(temporary("bad.safetensors")))).message).toContain(
      `checksum: does not fit the metadata, the file was altered${again}`,
    );
    expect(await altered({ source: "x" })).toBe(`source: is not known${again}`);
    expect(await altered({ provenance: "[]" })).toBe(
      `provenance: is not an object of JSON${again}`,
    );
    expect(await altered({}, { labels: { shape: [20], data: new Uint8Array(20).fill(2) } })).toBe(
      `labels: must be bytes 0 and 1${again}`,
    );
    expect(await altered({}, { pairs: { shape: [40], data: new Int32Array(40) } })).toBe(
      `pairs: must be an int32 array of 20 × 2${again}`,
    );
    expect(
      await altered({}, { pairs: { shape: [20, 2], data: new Int32Array(40).fill(-1) } }),
    ).toBe(`pairs: has negative numbers${again}`);
    expect((await failure(readIsSameDataset(temporary("a.csv")))).message).toBe(
      `${temporary("a.csv")}: is-same data sets are .safetensors or .pt files; make one with "data is-same"`,
    );
  });
});

describe("a file of the Python scripts", () => {
  const fixture = (name: string) => new URL(`../fixtures/${name}`, import.meta.url).pathname;

  it("is read, and images whose classes contradict its labels are refused", async () => {
    const path = fixture("pytorch-is-same.pt");
    const dataset = await readIsSameDataset(path);
    expect(dataset).toEqual({
      pairs: Int32Array.of(0, 1, 7, 5, 19, 3),
      labels: Uint8Array.of(1, 0, 0),
      samples: 3,
      source: "cifar10",
      split: "test",
      provenance: { generator: "PyTorch is_same_class_data_generator" },
    });
    const classes = (first: number) => [
      first,
      1,
      0,
      3,
      0,
      4,
      0,
      2,
      ...new Array<number>(12).fill(0),
    ];
    expect(() => checkImages(path, dataset, imagesWith(classes(1), 5), "here")).not.toThrow();
    for (const images of [imagesWith(classes(2), 5), imagesWith(classes(1).slice(0, 19), 5)]) {
      expect(() => checkImages(path, dataset, images, "here")).toThrow(
        "those in here are not the ones that the pairs were drawn from",
      );
    }
  });

  it("with other content is refused", async () => {
    const path = fixture("pytorch-matrix-sensing.pt");
    expect(await failure(readIsSameDataset(path))).toMatchObject({
      message: `${path}: content: is not an is-same data set of the Python scripts; give the file that their data generator wrote`,
      exitCode: 1,
    });
  });
});
