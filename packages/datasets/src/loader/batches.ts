import { createRandom } from "@implicit-rank/random";
import { DatasetError } from "../error.ts";
import { askWorker, inOrder, type WorkerReply } from "../ordered-workers.ts";
import { startWorker } from "../start-worker.ts";
import type { BatchRequest, LoadedBatch, OpenedSamples } from "./batch-worker.ts";
import type { ImagePlace } from "../is-same/composition.ts";
import type { SampleSource } from "./sample-reader.ts";

/** Some samples, side by side. */
export interface Batch {
  /** Shape batch × sample. */
  readonly inputs: Float32Array;
  readonly shape: readonly number[];
  readonly labels: Uint8Array;
  /** The samples' numbers in the set. */
  readonly indices: Int32Array;
}

/** How samples are put into batches. */
export interface LoaderOptions {
  /** 0 or less: all samples at once. */
  readonly batchSize: number;
  /** Shuffles each epoch in its own way; undefined: always in the order of the file. */
  readonly seed?: number;
}

/** Batches of a set, made by a worker thread while the one before is used. */
export interface BatchLoader {
  readonly count: number;
  /** Height, width and channels, in the layout that was asked for. */
  readonly sampleShape: readonly [number, number, number];
  /** SHA-256 of what the samples are made of. */
  readonly contentHash: string;
  /** Where the images of a pair lie; none in a pathfinder image. */
  readonly places: readonly ImagePlace[];
  readonly batchesPerEpoch: number;
  /** All samples once. The order depends on seed and epoch only, so a run can go on at any epoch. */
  epoch(epoch: number): AsyncGenerator<Batch>;
  /** Ends the thread that reads ahead, and closes the file. */
  close(): Promise<void>;
}

/** Opens a set in a worker thread. Throws DatasetError. */
export async function openBatches(
  source: SampleSource,
  options: LoaderOptions,
): Promise<BatchLoader> {
  const worker = startWorker(import.meta.url, "batch-worker");
  try {
    const opened = unwrap(await askWorker<WorkerReply<OpenedSamples>>(worker, { open: source }));
    const { count, sampleShape, contentHash, places } = opened;
    const { batchesPerEpoch, requests } = planBatches(count, options);
    return {
      count,
      sampleShape,
      contentHash,
      places,
      batchesPerEpoch,
      async *epoch(epoch) {
        for await (const reply of inOrder<BatchRequest, WorkerReply<LoadedBatch>>(
          [worker],
          requests(epoch),
        )) {
          const { inputs, labels, indices } = unwrap(reply);
          yield { inputs, labels, indices, shape: [indices.length, ...sampleShape] };
        }
      },
      close: async () => void (await worker.terminate()),
    };
  } catch (error) {
    await worker.terminate();
    throw error;
  }
}

function unwrap<Result>(reply: WorkerReply<Result>): Result {
  if ("result" in reply) return reply.result;
  throw new DatasetError(reply.failure.message, reply.failure.exitCode);
}

export interface BatchPlan {
  readonly batchesPerEpoch: number;
  /** The samples of each batch of an epoch. */
  requests(epoch: number): Iterable<BatchRequest>;
}

/** How `count` samples are cut into batches; the order depends on seed and epoch only. */
export function planBatches(count: number, { batchSize: wanted, seed }: LoaderOptions): BatchPlan {
  const batchSize = wanted > 0 ? Math.min(wanted, count) : count;
  return {
    batchesPerEpoch: Math.ceil(count / batchSize),
    requests: (epoch) => splitOrder(batchOrder(count, seed, epoch), batchSize),
  };
}

/** The samples of an epoch in order; it depends on seed and epoch only. */
function batchOrder(count: number, seed: number | undefined, epoch: number): Int32Array {
  const order = Int32Array.from({ length: count }, (_, i) => i);
  if (seed !== undefined) createRandom(seed).fork(`epoch ${epoch}`).shuffle(order);
  return order;
}

/** The samples of each batch; the last one may be smaller. */
function* splitOrder(order: Int32Array, batchSize: number): Generator<BatchRequest> {
  for (let start = 0; start < order.length; start += batchSize) {
    yield { indices: order.slice(start, start + batchSize) };
  }
}

/** The part of tfjs that is needed to make tensors: pass `@tensorflow/tfjs-core`, or the like. */
export interface TensorMaker<Tensor> {
  /** As `tf.tensor`. */
  tensor(values: Float32Array | Int32Array, shape: number[]): Tensor;
}

/**
 * A batch as two tensors, inputs and labels (batch × 1, float32 as the binary losses take them). The caller disposes of them.
 */
export function batchTensors<Tensor>(
  tf: TensorMaker<Tensor>,
  batch: Batch,
): { inputs: Tensor; labels: Tensor } {
  return {
    inputs: tf.tensor(batch.inputs, [...batch.shape]),
    labels: tf.tensor(Float32Array.from(batch.labels), [batch.labels.length, 1]),
  };
}
