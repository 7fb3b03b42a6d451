import { createHash, type Hash } from "node:crypto";
import { availableParallelism } from "node:os";
import { join } from "node:path";
import type { Worker } from "node:worker_threads";
import { type StreamedArray, writeSafetensorsStream } from "@implicit-rank/array-files";
import { createRandom } from "@implicit-rank/random";
import { DatasetError } from "../error.ts";
import { makeFolder } from "../make-folder.ts";
import { parseOptions, resolveSeed } from "../flags.ts";
import { inOrder, type WorkerReply } from "../ordered-workers.ts";
import { recordProvenance } from "../provenance.ts";
import { startWorker } from "../start-worker.ts";
import { addGrayValues, meanAndDeviation } from "./gray-moments.ts";
import { findRawFolders, readRawTable, type RawTable } from "./raw-table.ts";
import type { ResizeTask } from "./resize-worker.ts";
import {
  pathfinderSetFlags,
  type PathfinderSetFlags,
  type PathfinderSetOptions,
} from "./set-flags.ts";
import { setMetadata } from "./set-format.ts";
import { balancedSplit, uniformSplit, type Split } from "./split.ts";

/** How many samples of the set of one path length are written. */
export interface SetProgress {
  readonly pathLength: number;
  readonly done: number;
  readonly total: number;
}

/**
 * A set that was written, with mean and standard deviation of the gray values of its train split (in [0,
 * 1]), by which samples are normalized.
 */
export interface PathfinderSetResult {
  readonly path: string;
  readonly pathLength: number;
  readonly trainMean: number;
  readonly trainStd: number;
  /** Images of class 1 in each split. */
  readonly positives: { readonly train: number; readonly test: number };
}

/** Images that a worker reads at once. */
const CHUNK = 64;

/**
 * Makes train and test sets of raw pathfinder images, a file for each path length: disjoint samples in
 * ascending order, reduced to a square of `image_size` pixels. Images pass through in small groups, so memory does not grow
 * with their number.
 * @throws DatasetError or ArrayFileError
 */
export async function generatePathfinderSets(
  options: PathfinderSetOptions,
  hooks: {
    readonly overwrite?: boolean;
    readonly onProgress?: (progress: SetProgress) => void;
  } = {},
): Promise<readonly PathfinderSetResult[]> {
  const flags = parseOptions(pathfinderSetFlags, options);
  const seed = resolveSeed(flags.random_seed);
  const tables = await Promise.all((await findRawFolders(flags.dataset_path)).map(readRawTable));
  const splits = tables.map((table) => drawSplit(table, flags, seed));
  await makeFolder(flags.output_dir);
  const chunks = Math.ceil((flags.num_train_samples + flags.num_test_samples) / CHUNK);
  const workers = Array.from({ length: Math.min(availableParallelism(), chunks) }, () =>
    startWorker(import.meta.url, "resize-worker"),
  );
  try {
    const results: PathfinderSetResult[] = [];
    for (const [i, table] of tables.entries()) {
      results.push(await writeSet(table, splits[i]!, flags, seed, workers, hooks));
    }
    return results;
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}

function drawSplit(table: RawTable, flags: PathfinderSetFlags, seed: number): Split {
  const random = createRandom(seed).fork(`pathfinder split ${table.pathLength}`);
  const { num_train_samples: train, num_test_samples: test } = flags;
  return flags.balance_classes
    ? balancedSplit(table.labels, train, test, random)
    : uniformSplit(table.files.length, train, test, random);
}

async function writeSet(
  table: RawTable,
  split: Split,
  flags: PathfinderSetFlags,
  seed: number,
  workers: readonly Worker[],
  hooks: { readonly overwrite?: boolean; readonly onProgress?: (progress: SetProgress) => void },
): Promise<PathfinderSetResult> {
  const { pathLength } = table;
  const { num_train_samples: train, num_test_samples: test, image_size: side } = flags;
  const name = `self_gen_path_length_${pathLength}_n_train_examples_${train}_n_test_examples_${test}_size_${side}`;
  const path = join(flags.output_dir, `${name}.safetensors`);
  const hash = createHash("sha256");
  const moments = { sum: 0, squares: 0, count: 0 };
  let done = 0;
  const onImages = (images: Uint8Array) => {
    done += images.length / side ** 2;
    hooks.onProgress?.({ pathLength, done, total: train + test });
  };
  const testArrays = splitArrays("test", table, split.test, side, workers, hash, onImages);
  const trainArrays = splitArrays("train", table, split.train, side, workers, hash, (images) => {
    addGrayValues(moments, images);
    onImages(images);
  });
  const metadata = () =>
    setMetadata({
      pathLength,
      counts: { train, test },
      ...meanAndDeviation(moments),
      provenance: recordProvenance("data pathfinder", flags, seed),
      contentHash: hash.digest("hex"),
    });
  await writeSafetensorsStream(path, [...testArrays, ...trainArrays], metadata, {
    overwrite: hooks.overwrite ?? false,
  });
  const { mean, std } = meanAndDeviation(moments);
  const positives = (part: Int32Array) => part.reduce((sum, i) => sum + table.labels[i]!, 0);
  return {
    path,
    pathLength,
    trainMean: mean,
    trainStd: std,
    positives: { train: positives(split.train), test: positives(split.test) },
  };
}

/**
 * The arrays of one split. Images come last when read from disk but first in the order of names, in which
 * the content hash takes them; the small arrays are in memory and join right after.
 */
function splitArrays(
  name: "train" | "test",
  table: RawTable,
  numbers: Int32Array,
  side: number,
  workers: readonly Worker[],
  hash: Hash,
  onImages: (images: Uint8Array) => void,
): readonly StreamedArray[] {
  const labels = Uint8Array.from(numbers, (i) => table.labels[i]!);
  const indices = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
  const shape = [numbers.length, 1, side, side];
  const hashLine = (key: string, dtype: string, dimensions: readonly number[]) =>
    hash.update(`${JSON.stringify([`${name}_${key}`, dtype, dimensions])}\n`);
  async function* images() {
    hashLine("images", "U8", shape);
    const wanted = tasks(table, numbers, side);
    const replies = inOrder<ResizeTask, WorkerReply<Uint8Array>>(workers, wanted);
    for await (const reply of replies) {
      if ("failure" in reply) throw new DatasetError(reply.failure.message, reply.failure.exitCode);
      hash.update(reply.result);
      onImages(reply.result);
      yield reply.result;
    }
    hashLine("indices", "I32", [numbers.length]).update(indices);
    hashLine("labels", "U8", [numbers.length, 1]).update(labels);
  }
  return [
    { name: `${name}_images`, dtype: "U8", shape, pieces: images },
    { name: `${name}_labels`, dtype: "U8", shape: [numbers.length, 1], pieces: () => [labels] },
    { name: `${name}_indices`, dtype: "I32", shape: [numbers.length], pieces: () => [indices] },
  ];
}

function* tasks(table: RawTable, numbers: Int32Array, side: number): Generator<ResizeTask> {
  for (let start = 0; start < numbers.length; start += CHUNK) {
    const files = Array.from(numbers.subarray(start, start + CHUNK), (i) => table.files[i]!);
    yield { files, side };
  }
}
