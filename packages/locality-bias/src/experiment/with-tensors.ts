import * as tf from "@tensorflow/tfjs-core";
import { LocalityBiasError } from "../errors.ts";
import type { TrainingBatch } from "../training/trainer.ts";
import { checkBatch, type ImageBatch } from "./image-batches.ts";

/**
 * Does something with a batch on the backend, and disposes of the batch.
 *
 * @param place where it is, for messages: "epoch 3, batch 5 of 79"
 * @throws LocalityBiasError naming the place, for bad data and for what the backend cannot do
 */
export async function withTensors<Result>(
  batch: ImageBatch,
  place: string,
  action: (tensors: Pick<TrainingBatch, "x" | "labels">) => Promise<Result>,
): Promise<Result> {
  checkBatch(batch, place);
  const x = tf.tensor4d(batch.inputs, batch.shape as [number, number, number, number]);
  const labels = tf.tensor1d(Float32Array.from(batch.labels));
  try {
    return await action({ x, labels });
  } catch (error) {
    throw atPlace(error, place);
  } finally {
    tf.dispose([x, labels]);
  }
}

/** An error that is meant for the user also says where it happened. */
function atPlace(error: unknown, place: string): unknown {
  if (!(error instanceof Error && "exitCode" in error)) return error;
  const exitCode = error.exitCode === 2 ? 2 : 1;
  const isMemory = error.name === "HeapExhaustedError";
  const message = isMemory
    ? `${error.message.split(";", 1)[0]}; use a smaller --batch_size, with --gradient_accumulation for updates of as many samples`
    : error.message;
  return new LocalityBiasError(`${place}: ${message}`, exitCode, { cause: error });
}
