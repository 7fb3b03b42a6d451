import { createHash } from "node:crypto";
import { copyFile, mkdir, readdir, readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { readTorchFile } from "@implicit-rank/array-files";
import {
  decodeGrayPng,
  openSamples,
  readCifar10,
  readFactorizationDataset,
  readImageFolder,
  readMnist,
  readRawTable,
  writeFactorizationDataset,
  type LabelledImages,
  type SampleSource,
} from "@implicit-rank/datasets";
import {
  expandPlan,
  listRuns,
  lockRun,
  readCheckpoint,
  readMetrics,
  readPlan,
  readRunConfig,
  readSummary,
  readSweep,
  readTaskStatuses,
  runPaths,
  showRun,
  type MetricHistory,
} from "@implicit-rank/experiment-kit";
import { readPlotConfig } from "@implicit-rank/experiment-kit/figures";
import { pack } from "tar-stream";
import { doCli } from "../programs/call-cli.ts";
import { factorizations } from "../programs/experiments.ts";
import {
  makeImageFolder,
  matrixFlags,
  rawFlags,
  setFlags,
  tensorFlags,
} from "../programs/tiny-sets.ts";
import type { Damageable } from "./check-readers.ts";

/** Files of several kinds, made in a folder. */
export type MakeFiles = (folder: string) => Promise<readonly Damageable[]>;

const binary = (name: string, file: string, read: () => Promise<unknown>): Damageable => ({
  name,
  file,
  content: "binary",
  read,
});
const text = (name: string, file: string, read: () => Promise<unknown>): Damageable => ({
  name,
  file,
  content: "text",
  read,
});

/** Data sets of the factorizations, in both formats that are written. */
export const factorizationSets: MakeFiles = async (folder) => {
  const made = [
    ["matrix", `data matrix ${matrixFlags}`],
    ["sensed matrix", `data matrix ${matrixFlags} --task_type sensing`],
    ["tensor", `data tensor ${tensorFlags} --task_type completion`],
    ["sensed tensor", `data tensor ${tensorFlags}`],
  ] as const;
  const files: Damageable[] = [];
  for (const [i, [name, command]] of made.entries()) {
    const path = (JSON.parse(await doCli(`${command} --json`, folder)) as { path: string }).path;
    const safetensors = join(folder, `${i}.safetensors`);
    await copyFile(join(folder, path), safetensors);
    const npz = join(folder, `${i}.npz`);
    await writeFactorizationDataset(npz, await readFactorizationDataset(safetensors));
    files.push(
      binary(`${name}.safetensors`, safetensors, () => readFactorizationDataset(safetensors)),
    );
    files.push(binary(`${name}.npz`, npz, () => readFactorizationDataset(npz)));
  }
  return files;
};

/** A file of torch.save. */
export const torchFile: MakeFiles = async (folder) => {
  const path = join(folder, "values.pt");
  const fixture = new URL("../../packages/array-files/test/fixtures/values.pt", import.meta.url);
  await copyFile(fileURLToPath(fixture), path);
  return [binary("torch.save .pt", path, () => readTorchFile(path))];
};

/** All that a sample source gives. */
async function samplesOf(source: SampleSource): Promise<unknown> {
  const { fill, ...facts } = await openSamples(source);
  const size = facts.sampleShape.reduce((product, side) => product * side, 1);
  const values = new Float32Array(facts.count * size);
  for (let i = 0; i < facts.count; i++) fill(i, values, i * size);
  return { ...facts, values };
}

/** Raw pathfinder images and a set of them. */
export const pathfinderFiles: MakeFiles = async (folder) => {
  await doCli(`data pathfinder-raw ${rawFlags} --output_dir raw`, folder);
  await doCli(`data pathfinder --dataset_path raw --output_dir sets ${setFlags}`, folder);
  const raw = join(folder, "raw", "curv_contour_length_3");
  const [name] = await readdir(join(folder, "sets"));
  const set = join(folder, "sets", name!);
  const image = join(raw, "imgs", "sample_3.png");
  const table = join(raw, "metadata.npy");
  const record = join(raw, "generation.json");
  const split = { kind: "pathfinder", path: set, split: "train", layout: "nhwc" } as const;
  return [
    binary("pathfinder set", set, () => samplesOf(split)),
    binary("raw image", image, async () => decodeGrayPng(await readFile(image), image)),
    binary("metadata.npy", table, () => readRawTable(raw)),
    { ...text("generation.json", record, () => readRawTable(raw)), place: raw },
  ];
};

/** Pairs of images of a folder. */
export const isSameFiles: MakeFiles = async (folder) => {
  const images = join(folder, "images");
  await makeImageFolder(images);
  const flags = `--source folder --source_dir ${images} --num_samples 8 --seed 1 --custom_file_name pairs`;
  await doCli(`data is-same ${flags} --output_dir sets`, folder);
  const [name] = await readdir(join(folder, "sets"));
  const pairs = join(folder, "sets", name!);
  const canvas = { distance: 0, height: 10, width: 20, layout: "nhwc" } as const;
  const read = () => samplesOf({ kind: "is-same", path: pairs, folder: images, ...canvas });
  const image = join(images, "coarse", "2.png");
  return [
    binary("is-same pairs", pairs, read),
    // A readable image that is another one is noticed by the set that names the images.
    { ...binary("image of a pair", image, read), place: folder },
    {
      ...binary("image of a folder", image, () => readImageFolder(images, "train")),
      place: images,
    },
  ];
};

/** Plain pixels have no checksum; what is made of them must at least be images of ten classes. */
function areImages(given: unknown, whole: unknown): boolean {
  const [read, original] = [given as LabelledImages, whole as LabelledImages];
  const { count, height, width, channels, pixels, labels } = read;
  return (
    count === original.count &&
    labels.length === count &&
    labels.every((label) => label < 10) &&
    pixels.length === count * height * width * channels
  );
}

/** MNIST and CIFAR-10 as they are distributed, with few images. */
export const imageSources: MakeFiles = async (folder) => {
  const mnist = join(folder, "mnist");
  await mkdir(mnist, { recursive: true });
  const pixels = Uint8Array.from({ length: 40 * 49 }, (_, p) => (p * 37) % 256);
  const labels = Uint8Array.from({ length: 40 }, (_, i) => i % 10);
  const images = Buffer.concat([idxHeader(40, 7, 7), pixels]);
  const plain = join(mnist, "train-images-idx3-ubyte");
  const plainLabels = join(mnist, "train-labels-idx1-ubyte");
  const packed = join(mnist, "t10k-images-idx3-ubyte.gz");
  await writeFile(plain, images);
  await writeFile(plainLabels, Buffer.concat([idxHeader(40), labels]));
  await writeFile(packed, gzipSync(images));
  await writeFile(join(mnist, "t10k-labels-idx1-ubyte"), Buffer.concat([idxHeader(40), labels]));
  const pairs = `--source mnist --source_dir ${mnist} --train --num_samples 12 --seed 1`;
  await doCli(`data is-same ${pairs} --output_dir sets --custom_file_name pairs`, folder);
  const [name] = await readdir(join(folder, "sets"));
  const set = {
    kind: "is-same",
    path: join(folder, "sets", name!),
    folder: mnist,
    distance: 0,
    height: 20,
    width: 20,
    layout: "nchw",
  } as const;
  const readPacked = () => readMnist(mnist, "test");
  return [
    { ...binary("idx images", plain, () => readMnist(mnist, "train")), mayDiffer: areImages },
    { ...binary("idx labels", plainLabels, () => readMnist(mnist, "train")), mayDiffer: areImages },
    // gzip's own checksum leaves its header out: time, name, operating system.
    binary("gzipped idx images", packed, readPacked),
    { ...binary("idx images of a set", plain, () => samplesOf(set)), place: folder },
    { ...binary("idx labels of a set", plainLabels, () => samplesOf(set)), place: folder },
    ...(await cifarFiles(folder)),
  ];
};

function idxHeader(...shape: readonly number[]): Buffer {
  const header = Buffer.alloc(4 + 4 * shape.length);
  header.writeUInt32BE(0x0800 + shape.length);
  shape.forEach((size, axis) => header.writeUInt32BE(size, 4 + 4 * axis));
  return header;
}

async function cifarFiles(folder: string): Promise<readonly Damageable[]> {
  const perFile = 2;
  const batch = Buffer.alloc(perFile * 3073);
  batch.forEach((_, i) => (batch[i] = i % 3073 === 0 ? i % 10 : (i * 31) % 256));
  const [bins, archives] = [join(folder, "cifar"), join(folder, "cifar-archive")];
  await mkdir(bins, { recursive: true });
  await mkdir(archives, { recursive: true });
  const bin = join(bins, "test_batch.bin");
  const archive = join(archives, "cifar-10-binary.tar.gz");
  await writeFile(bin, batch);
  const bytes = await tarGz("cifar-10-batches-bin/test_batch.bin", batch);
  await writeFile(archive, bytes);
  const md5 = createHash("md5").update(bytes).digest("hex");
  const read = (place: string, archiveMd5: string | undefined) => () =>
    readCifar10(place, "test", { imagesPerFile: perFile, archiveMd5 });
  return [
    { ...binary("CIFAR-10 .bin", bin, read(bins, undefined)), mayDiffer: areImages },
    binary("CIFAR-10 archive", archive, read(archives, md5)),
  ];
}

async function tarGz(name: string, content: Buffer): Promise<Buffer> {
  const archive = pack();
  archive.entry({ name }, content);
  archive.finalize();
  const chunks: Buffer[] = [];
  for await (const chunk of archive) chunks.push(Buffer.from(chunk as Uint8Array));
  return gzipSync(Buffer.concat(chunks));
}

/** A run that has ended, one without an end, and its lock. */
export const runFiles: MakeFiles = async (folder) => {
  await doCli(`data matrix ${matrixFlags} --output_dir data --custom_file_name m`, folder);
  const [name] = await readdir(join(folder, "data"));
  const flags = `--dataset_path data/${name!} --num_train_samples 30 --epochs 40 --validate_every 5 --epoch_log_interval 5 --save_checkpoints --seed 1 --quiet`;
  await doCli(`train mf ${flags} --outputs_dir ended`, folder);
  await doCli(`train mf ${flags} --outputs_dir killed`, folder);
  const onlyOne = async (place: string) =>
    join(folder, place, (await readdir(join(folder, place)))[0]!);
  const [ended, killed] = [await onlyOne("ended"), await onlyOne("killed")];
  await rm(runPaths(killed).summary);
  const { config, summary, metrics, checkpoints } = runPaths(ended);
  const checkpoint = join(checkpoints, "epoch_39.safetensors");
  return [
    text("config.json", config, () => readRunConfig(ended)),
    text("summary.json", summary, () => readSummary(ended)),
    text("metrics.jsonl", metrics, () => readMetrics(ended)),
    {
      // Without a summary there is nothing to compare with until the run is resumed.
      ...text("metrics.jsonl without an end", runPaths(killed).metrics, () => readMetrics(killed)),
      mayDiffer: (given) => areMetrics(given as MetricHistory),
    },
    binary("checkpoint", checkpoint, () => readCheckpoint(checkpoint)),
    {
      isTolerant: true,
      ...text("config.json in a list", config, () => listRuns(join(folder, "ended"))),
      mayDiffer: ([run]: Awaited<ReturnType<typeof listRuns>>) =>
        run === undefined || run.status === "damaged",
    } as Damageable,
  ];
};

function areMetrics({ epochs, seconds, series }: MetricHistory): boolean {
  return (
    epochs.every((epoch) => epoch >= 0) &&
    epochs.length === seconds.length &&
    [...series.values()].every((metric) => metric.epochs.length === metric.values.length)
  );
}

/** The lock of a live process: whatever becomes of it, the run must not look free. */
export const lockFile: MakeFiles = async (folder) => {
  await doCli(`data matrix ${matrixFlags} --output_dir data --custom_file_name m`, folder);
  const [name] = await readdir(join(folder, "data"));
  await doCli(
    `train mf --dataset_path data/${name!} --num_train_samples 30 --epochs 2 --outputs_dir runs --quiet`,
    folder,
  );
  const run = join(folder, "runs", (await readdir(join(folder, "runs")))[0]!);
  await lockRun(run);
  const readStatus = async () => (await showRun(run)).status;
  return [{ ...text("run.lock", runPaths(run).lock, readStatus), isTolerant: true }];
};

/** What a sweep keeps. */
export const sweepFiles: MakeFiles = async (folder) => {
  await doCli(`data matrix ${matrixFlags} --output_dir data --custom_file_name m`, folder);
  const [name] = await readdir(join(folder, "data"));
  await doCli(
    `sweep mf --dataset_path data/${name!} --num_train_samples 30 --epochs 2 --seed 0,1 --workers 1 --sweep_dir sweep --quiet`,
    folder,
  );
  const sweep = join(folder, "sweep");
  const file = join(sweep, "sweep.json");
  const { tasks } = await readSweep(sweep);
  const failures = join(sweep, "failures");
  await mkdir(failures, { recursive: true });
  await rm(tasks[0]!.folder, { recursive: true });
  const failure = join(failures, `${tasks[0]!.folder.split("/").at(-1)!}.json`);
  const record = { message: "out of memory", time: "2026-01-01T00:00:00.000Z", attempts: 1 };
  await writeFile(failure, JSON.stringify(record, null, 2));
  return [
    text("sweep.json", file, () => readSweep(sweep)),
    {
      isTolerant: true,
      // Its words are for people; that the run failed must stay.
      ...text("failure of a run", failure, () => readTaskStatuses(sweep, tasks)),
      mayDiffer: ([first, second]: Awaited<ReturnType<typeof readTaskStatuses>>) =>
        first?.state === "failed" && second?.state === "finished",
    } as Damageable,
  ];
};

/** Files that people write: whatever is well-formed is what they want. */
export const filesOfUsers: MakeFiles = async (folder) => {
  const plan = join(folder, "plan.json");
  const content = {
    name: "rates",
    experiment: "mf",
    repetitions: 2,
    configurations: [
      {
        base_config: { dataset_path: "data/m.safetensors", experiment_name: "mf_{lr}", epochs: 20 },
        options: { lr: [0.01, 0.001], depth: [2, 3] },
      },
    ],
  };
  await writeFile(plan, JSON.stringify(content, null, 2));
  const figure = join(folder, "figure.json");
  const shipped = new URL(
    import.meta
      .resolve("@implicit-rank/experiment-kit/plot-configs/mf_tf_htf_dyn_plot_config.json"),
  );
  await copyFile(fileURLToPath(shipped), figure);
  const expand = async () => expandPlan(await readPlan(plan), factorizations, { source: plan });
  return [
    { ...text("plan", plan, expand), mayDiffer: () => true, place: "" },
    {
      ...text("figure configuration", figure, () => readPlotConfig(figure)),
      mayDiffer: () => true,
    },
  ];
};
