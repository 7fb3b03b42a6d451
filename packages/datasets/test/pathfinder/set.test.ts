import { copyFile, mkdir, readdir, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import {
  contentHash,
  decodeNpyText,
  encodeNpyText,
  readSafetensors,
} from "@implicit-rank/array-files";
import { createRandom } from "@implicit-rank/random";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  generatePathfinderImages,
  generatePathfinderSets,
  openSamples,
  type PathfinderSetOptions,
} from "../../src/index.ts";
import { decodeGrayPng } from "../../src/image/gray-png.ts";
import { createResampler, TRIANGLE } from "../../src/image/resample.ts";
import { balancedSplit, uniformSplit } from "../../src/pathfinder/split.ts";
import { useTemporaryFolder } from "../temporary-folder.ts";

const temporary = useTemporaryFolder();
const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => {
      throw new Error("succeeded");
    },
    (error: unknown) => error as Error & { exitCode: number },
  );

const makeRaw = (path_lengths = [3], num_samples = 40) =>
  generatePathfinderImages({
    window_size: [120, 120],
    padding: 8,
    seed_distance: 15,
    path_lengths,
    num_samples,
    random_seed: 1,
    workers: 1,
    output_dir: temporary("raw"),
  });
const makeSets = (options: Partial<PathfinderSetOptions> = {}, overwrite = false) =>
  generatePathfinderSets(
    {
      dataset_path: temporary("raw"),
      output_dir: temporary("sets"),
      num_train_samples: 20,
      num_test_samples: 11,
      ...options,
    },
    { overwrite },
  );

describe("splits", () => {
  it("are disjoint, ascending and exactly as large as asked, at random", () => {
    fc.assert(
      fc.property(
        fc.nat({ max: 40 }),
        fc.nat({ max: 40 }),
        fc.nat({ max: 20 }),
        fc.nat(),
        (train, test, rest, seed) => {
          const split = uniformSplit(train + test + rest, train, test, createRandom(seed));
          expect([split.train.length, split.test.length]).toEqual([train, test]);
          const all = [...split.train, ...split.test];
          expect(new Set(all).size).toBe(all.length);
          expect(all.every((i) => i >= 0 && i < train + test + rest)).toBe(true);
          expect(split.train).toEqual(split.train.toSorted());
          expect(split.test).toEqual(split.test.toSorted());
        },
      ),
    );
  });

  it("balanced ones have half of each class", () => {
    const labels = Uint8Array.from({ length: 60 }, (_, i) => (i % 3 === 0 ? 1 : 0));
    const { train, test } = balancedSplit(labels, 21, 10, createRandom(1));
    const ones = (part: Int32Array) => part.reduce((sum, i) => sum + labels[i]!, 0);
    expect([train.length, ones(train), test.length, ones(test)]).toEqual([21, 11, 10, 5]);
    expect(new Set([...train, ...test]).size).toBe(31);
    expect(() => balancedSplit(labels, 30, 20, createRandom(1))).toThrow(
      '--num_train_samples: 15 + 10 test images of class 1 asked for, but there are 20; ask for fewer or make more with "data pathfinder-raw"',
    );
  });
});

describe("a set", () => {
  it("has the reduced images of its numbers, their labels, and statistics of the training images", async () => {
    await makeRaw();
    const seen: number[] = [];
    const [result] = await generatePathfinderSets(
      {
        dataset_path: temporary("raw/curv_contour_length_3"),
        output_dir: temporary("sets"),
        num_train_samples: 20,
        num_test_samples: 11,
      },
      { onProgress: ({ done }) => seen.push(done) },
    );
    expect(result!.path).toBe(
      temporary(
        "sets/self_gen_path_length_3_n_train_examples_20_n_test_examples_11_size_150.safetensors",
      ),
    );
    expect(seen.at(-1)).toBe(31);
    const { arrays, metadata } = await readSafetensors(result!.path);
    expect(metadata.content_sha256).toBe(contentHash({ arrays }));
    expect(metadata).toMatchObject({
      path_length: "3",
      num_train_examples: "20",
      num_test_examples: "11",
    });
    const folder = temporary("raw/curv_contour_length_3");
    const table = decodeNpyText(await readFile(join(folder, "metadata.npy")), "x");
    const enlarge = createResampler([120, 120], [150, 150], TRIANGLE);
    for (const split of ["train", "test"]) {
      const count = split === "train" ? 20 : 11;
      expect(arrays[`${split}_images`]!.shape).toEqual([count, 1, 150, 150]);
      const indices = arrays[`${split}_indices`]!.data as Int32Array;
      for (const [i, index] of indices.entries()) {
        const raw = decodeGrayPng(await readFile(join(folder, "imgs", `sample_${index}.png`)), "x");
        const image = (arrays[`${split}_images`]!.data as Uint8Array).subarray(
          i * 22_500,
          (i + 1) * 22_500,
        );
        expect(Buffer.compare(image, enlarge.bytes(raw.pixels))).toBe(0);
        expect(arrays[`${split}_labels`]!.data[i]).toBe(Number(table[index]![3]));
      }
    }
    const train = Float64Array.from(arrays.train_images!.data as Uint8Array, (byte) => byte / 255);
    const mean = train.reduce((sum, x) => sum + x, 0) / train.length;
    const variance = train.reduce((sum, x) => sum + (x - mean) ** 2, 0) / (train.length - 1);
    expect(Number(metadata.train_mean)).toBeCloseTo(mean, 12);
    expect(Number(metadata.train_std)).toBeCloseTo(Math.sqrt(variance), 12);
    expect(result).toMatchObject({
      trainMean: Number(metadata.train_mean),
      trainStd: Number(metadata.train_std),
    });
  });

  it("has images of the size that is asked for, which the loader reads", async () => {
    await makeRaw();
    const [set] = await makeSets({ image_size: 48 });
    expect(set!.path).toContain("_size_48.safetensors");
    const reader = await openSamples({
      kind: "pathfinder",
      path: set!.path,
      split: "train",
      layout: "nhwc",
    });
    expect(reader.sampleShape).toEqual([48, 48, 1]);
    const image = new Float32Array(48 * 48);
    reader.fill(0, image, 0);
    // A dark image with bright paddles, normalized: below the mean mostly, far above it somewhere.
    expect(image.filter((x) => x < 0).length).toBeGreaterThan(48 * 24);
    expect(Math.max(...image)).toBeGreaterThan(2);
  });

  it("is made for each length in a folder; the same seed gives the same bytes, another one others", async () => {
    await makeRaw([3, 4]);
    const sets = await makeSets();
    expect(sets.map(({ pathLength }) => pathLength)).toEqual([3, 4]);
    const [again] = await makeSets({ output_dir: temporary("again") });
    expect((await readFile(again!.path)).equals(await readFile(sets[0]!.path))).toBe(true);
    const [other] = await makeSets({ output_dir: temporary("other"), random_seed: 7 });
    expect((await readFile(other!.path)).equals(await readFile(sets[0]!.path))).toBe(false);
    const [balanced] = await makeSets({
      output_dir: temporary("balanced"),
      balance_classes: true,
      num_train_samples: 10,
      num_test_samples: 4,
    });
    expect(balanced!.positives).toEqual({ train: 5, test: 2 });
  });
});

describe("refused", () => {
  it("a folder without raw images, or more images than it has", async () => {
    expect(await failure(makeSets())).toMatchObject({
      message: `--dataset_path: ${temporary("raw")} is no folder; give one that "data pathfinder-raw" made`,
      exitCode: 2,
    });
    await mkdir(temporary("raw"));
    expect((await failure(makeSets())).message).toBe(
      `--dataset_path: ${temporary("raw")} has no metadata.npy; run "data pathfinder-raw" (again, if it was interrupted)`,
    );
    await makeRaw();
    expect(await failure(makeSets({ num_test_samples: 21 }))).toMatchObject({
      message:
        '--num_train_samples: 20 + 21 test images asked for, but there are 40; ask for fewer or make more with "data pathfinder-raw"',
      exitCode: 2,
    });
    expect((await failure(makeSets({ num_test_samples: 0 }))).message).toBe(
      "--num_test_samples: must be an integer of at least 1",
    );
  });

  it("an existing set, unless told to replace it", async () => {
    await makeRaw();
    const [set] = await makeSets();
    expect(await failure(makeSets())).toMatchObject({
      message: `${set!.path}: the file exists already; choose another name or pass --force to replace it`,
      exitCode: 2,
    });
    await expect(makeSets({}, true)).resolves.toHaveLength(1);
  });

  it("damaged or missing images and metadata, leaving nothing behind", async () => {
    await makeRaw();
    const folder = temporary("raw/curv_contour_length_3");
    const image = join(folder, "imgs/sample_3.png");
    const all = { num_train_samples: 30, num_test_samples: 10 };
    await copyFile(image, temporary("kept.png"));
    await truncate(image, 70);
    expect(await failure(makeSets(all))).toMatchObject({
      message: `${image}: image: is truncated; make or copy the file again`,
      exitCode: 1,
    });
    await rm(image);
    expect((await failure(makeSets(all))).message).toBe(
      `${image}: cannot read (ENOENT); run the same "data pathfinder-raw" again to complete the folder`,
    );
    await copyFile(temporary("kept.png"), image);
    const metadata = join(folder, "metadata.npy");
    const rows = decodeNpyText(await readFile(metadata), "x");
    const withRows = async (change: (row: string[]) => string[]) => {
      await writeFile(metadata, encodeNpyText(rows.map((row, i) => (i === 2 ? change(row) : row))));
      return (await failure(makeSets(all))).message.slice(metadata.length + 2);
    };
    const again = "; make the images again";
    expect(await withRows((row) => row.with(3, "2"))).toBe(`row 2: label must be 0 or 1${again}`);
    expect(await withRows((row) => row.with(1, "../../../etc/passwd"))).toBe(
      `row 2: file lies outside the folder${again}`,
    );
    expect(await withRows((row) => row.with(0, ".."))).toBe(
      `row 2: file lies outside the folder${again}`,
    );
    expect(await withRows((row) => row.with(5, "9"))).toBe(
      `row 2: has another path length${again}`,
    );
    const other = rows[2]![3] === "1" ? "0" : "1";
    expect(await withRows((row) => row.with(3, other))).toBe(
      `row 2: is not what the settings in generation.json give${again}`,
    );
    await writeFile(metadata, encodeNpyText([["a"]]));
    expect((await failure(makeSets(all))).message).toBe(
      `${metadata}: table: must have rows of 11 columns${again}`,
    );
    await writeFile(metadata, "x");
    expect((await failure(makeSets(all))).message).toContain("table: is not in npy format");
    expect(await readdir(temporary("sets"))).toEqual([]);
  });
});
