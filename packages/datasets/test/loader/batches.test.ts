import { describe, expect, it } from "vitest";
import {
  contentHash,
  readSafetensors,
  withChecksum,
  writeSafetensors,
  type ArrayFile,
} from "@implicit-rank/array-files";
import {
  batchTensors,
  generateIsSameDataset,
  generatePathfinderImages,
  generatePathfinderSets,
  openBatches,
  openSamples,
  preloadBatches,
  type Batch,
  type IsSameSamples,
  type SampleSource,
} from "../../src/index.ts";
import { writeMnist } from "../image-source/source-files.ts";
import { useTemporaryFolder } from "../temporary-folder.ts";

const temporary = useTemporaryFolder();

const failure = (promise: Promise<unknown>) =>
  promise.then(
    () => {
      throw new Error("succeeded");
    },
    (error: unknown) => error as Error & { exitCode: number },
  );

async function isSame(options: Partial<IsSameSamples> = {}): Promise<IsSameSamples> {
  writeMnist(temporary("mnist"), 5);
  const { path } = await generateIsSameDataset({
    source: "mnist",
    source_dir: temporary("mnist"),
    output_dir: temporary("out"),
    random_seed: 1,
  });
  return {
    kind: "is-same",
    path,
    folder: temporary("mnist"),
    distance: 4,
    height: 40,
    width: 70,
    layout: "nhwc",
    ...options,
  };
}

async function pathfinder(): Promise<string> {
  await generatePathfinderImages({
    num_samples: 20,
    path_lengths: [3],
    output_dir: temporary("raw"),
    random_seed: 1,
    workers: 1,
  });
  const [set] = await generatePathfinderSets({
    dataset_path: temporary("raw"),
    output_dir: temporary("sets"),
    num_train_samples: 12,
    num_test_samples: 5,
  });
  return set!.path;
}

async function collect(batches: AsyncIterable<Batch>): Promise<Batch[]> {
  const all: Batch[] = [];
  for await (const batch of batches) all.push(batch);
  return all;
}

describe("an epoch", () => {
  it("has every sample once, as it is when read alone, in an order of its own", async () => {
    const source = await isSame();
    const reader = await openSamples(source);
    const loader = await openBatches(source, { batchSize: 8, seed: 3 });
    expect(loader).toMatchObject({ count: 50, sampleShape: [40, 70, 1], batchesPerEpoch: 7 });
    const first = await collect(loader.epoch(1));
    expect(first.map(({ labels }) => labels.length)).toEqual([8, 8, 8, 8, 8, 8, 2]);
    const order = first.flatMap(({ indices }) => [...indices]);
    expect(order.toSorted((a, b) => a - b)).toEqual(Array.from({ length: 50 }, (_, i) => i));
    expect(order).not.toEqual(order.toSorted((a, b) => a - b));
    const sample = new Float32Array(40 * 70);
    for (const { inputs, indices, labels, shape } of first) {
      expect(shape).toEqual([indices.length, 40, 70, 1]);
      indices.forEach((index, i) => {
        reader.fill(index, sample, 0);
        expect(inputs.subarray(i * 2800, (i + 1) * 2800)).toEqual(sample);
        expect(labels[i]).toBe(reader.labels[index]);
      });
    }
    expect(await collect(loader.epoch(1))).toEqual(first);
    const second = (await collect(loader.epoch(2))).flatMap(({ indices }) => [...indices]);
    expect(second).not.toEqual(order);
    await loader.close();
  });

  it("without a seed is in the order of the file, and without a batch size one batch", async () => {
    const loader = await openBatches(await isSame({ samples: 10 }), { batchSize: -1 });
    const batches = await collect(loader.epoch(0));
    expect(batches.map(({ indices }) => [...indices])).toEqual([[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]]);
    await loader.close();
  });

  it("can be left early", async () => {
    const loader = await openBatches(await isSame(), { batchSize: 4 });
    for await (const batch of loader.epoch(0)) {
      expect(batch.labels.length).toBe(4);
      break;
    }
    const indices = (batches: Batch[]) => batches.flatMap((batch) => [...batch.indices]);
    const all = Array.from({ length: 50 }, (_, i) => i);
    expect(indices(await collect(loader.epoch(0)))).toEqual(all);
    await loader.close();
  });

  it("can be read beside another one", async () => {
    const loader = await openBatches(await isSame(), { batchSize: 4, seed: 1 });
    const alone = [await collect(loader.epoch(1)), await collect(loader.epoch(2))];
    expect(await Promise.all([collect(loader.epoch(1)), collect(loader.epoch(2))])).toEqual(alone);
    await loader.close();
  });

  it("of a closed loader is an error", async () => {
    const loader = await openBatches(await isSame({ samples: 3 }), { batchSize: 3 });
    await loader.close();
    expect((await failure(collect(loader.epoch(0)))).message).toBe("the worker thread has ended");
  });

  it("is the same from memory as from the worker", async () => {
    const source = await isSame();
    const options = { batchSize: 8, seed: 3 };
    const [loader, preloaded] = [
      await openBatches(source, options),
      await preloadBatches(source, options),
    ];
    const { count, sampleShape, batchesPerEpoch, contentHash, places } = loader;
    expect(preloaded).toMatchObject({ count, sampleShape, batchesPerEpoch, contentHash, places });
    expect(places).toEqual([
      { top: 6, left: 5, height: 28, width: 28 },
      { top: 6, left: 37, height: 28, width: 28 },
    ]);
    expect(contentHash).toMatch(/^[0-9a-f]{64}$/);
    expect(await collect(preloaded.epoch(2))).toEqual(await collect(loader.epoch(2)));
    await loader.close();
  });

  it("can be taken as tensors", async () => {
    const loader = await openBatches(await isSame({ samples: 3 }), { batchSize: 3 });
    const [batch] = await collect(loader.epoch(0));
    const tf = {
      tensor: (values: ArrayLike<number>, shape: number[]) => ({ size: values.length, shape }),
    };
    expect(batchTensors(tf, batch!)).toEqual({
      inputs: { size: 3 * 2800, shape: [3, 40, 70, 1] },
      labels: { size: 3, shape: [3, 1] },
    });
    await loader.close();
  });
});

it("pathfinder images are normalized with the training images' mean and deviation", async () => {
  const path = await pathfinder();
  for (const layout of ["nchw", "nhwc"] as const) {
    const reader = await openSamples({ kind: "pathfinder", path, split: "train", layout });
    expect(reader.sampleShape).toEqual(layout === "nchw" ? [1, 150, 150] : [150, 150, 1]);
    const all = new Float32Array(12 * 22_500);
    for (let i = 0; i < 12; i++) reader.fill(i, all, i * 22_500);
    const mean = all.reduce((sum, value) => sum + value, 0) / all.length;
    const variance = all.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (all.length - 1);
    expect(mean).toBeCloseTo(0, 4);
    expect(variance).toBeCloseTo(1, 3);
  }
  const loader = await openBatches(
    { kind: "pathfinder", path, split: "test", layout: "nhwc" },
    { batchSize: 2 },
  );
  expect((await collect(loader.epoch(0))).map(({ shape }) => shape)).toEqual([
    [2, 150, 150, 1],
    [2, 150, 150, 1],
    [1, 150, 150, 1],
  ]);
  await loader.close();
});

describe("refused, by the loader as by the reader", () => {
  const message = async (source: SampleSource) => {
    const [alone, loader] = [
      await failure(openSamples(source)),
      await failure(openBatches(source, { batchSize: 1 })),
    ];
    expect(loader).toMatchObject({ message: alone.message, exitCode: alone.exitCode });
    return alone.message;
  };

  it("more samples than there are, a distance that does not fit, other images", async () => {
    const source = await isSame();
    expect(await message({ ...source, samples: 51 })).toBe(
      `--num_test_samples: 51 asked for, but ${source.path} has 50; ask for 1 to 50, or -1 for all`,
    );
    expect(await message({ ...source, distance: 15 })).toBe(
      "--distance: 15 is too large for two images of width 28 on a canvas of width 70; at most 14 fit",
    );
    writeMnist(temporary("other"), 6);
    expect(await message({ ...source, folder: temporary("other") })).toBe(
      `${source.path}: images: those in ${temporary("other")} are not the ones that the pairs were drawn from; give their folder or make the data set again`,
    );
    expect(await message({ ...source, path: temporary("none.safetensors") })).toContain(
      "no such file",
    );
  });

  it("files that are no pathfinder set", async () => {
    const path = await pathfinder();
    const good = await readSafetensors(path);
    const bad = temporary("bad.safetensors");
    const refused = async (file: ArrayFile, samples = -1) => {
      await writeSafetensors(bad, file, { overwrite: true });
      return (
        await failure(
          openSamples({ kind: "pathfinder", path: bad, split: "train", layout: "nhwc", samples }),
        )
      ).message;
    };
    const { arrays, metadata } = good;
    expect(await refused({ arrays, metadata: { ...metadata, format: "x" } })).toBe(
      `${bad}: format: not a pathfinder data set; make one with "implicit-rank data pathfinder"`,
    );
    expect(await refused({ arrays, metadata: { ...metadata, format_version: "2" } })).toContain(
      "upgrade implicit-rank",
    );
    expect(await refused({ arrays, metadata: { ...metadata, train_std: "0" } })).toContain(
      "train_mean, train_std: are not numbers",
    );
    expect(await refused({ arrays, metadata: { ...metadata, train_mean: "0.5" } })).toContain(
      "checksum: does not fit the metadata, the file was altered; make the data set again",
    );
    /** With hashes that fit, so that only the content is wrong. */
    const sealed = (changed: ArrayFile["arrays"]): ArrayFile => ({
      arrays: changed,
      metadata: withChecksum({ ...metadata, content_sha256: contentHash({ arrays: changed }) }),
    });
    const pixels = arrays["train_images"]!;
    const flipped = { ...pixels, data: pixels.data.slice() };
    flipped.data[7] = Number(flipped.data[7]) ^ 1;
    expect(await refused({ arrays: { ...arrays, train_images: flipped }, metadata })).toContain(
      "content_sha256: does not match the arrays, the file was altered; make the data set again",
    );
    const wrong = { shape: [1, 1, 3, 4], data: new Uint8Array(12) };
    expect(await refused(sealed({ ...arrays, train_images: wrong }))).toContain(
      "train_images: must be bytes of the shape n × 1 × size × size",
    );
    const labels = { shape: [12, 1], data: new Uint8Array(12).fill(3) };
    expect(await refused(sealed({ ...arrays, train_labels: labels }))).toContain(
      "train_labels: must be bytes 0 and 1",
    );
    expect(await refused(good, 13)).toBe(
      `--num_train_samples: 13 asked for, but ${bad} has 12; ask for 1 to 12, or -1 for all`,
    );
  });
});
