import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { expect, it } from "vitest";
import { withTensors } from "../../src/experiment/with-tensors.ts";
import type { ImageBatch } from "../../src/experiment/index.ts";

const batch: ImageBatch = {
  inputs: new Float32Array(2 * 9),
  shape: [2, 3, 3, 1],
  labels: Uint8Array.of(0, 1),
  indices: Int32Array.of(4, 7),
};
const failing = (error: Error) =>
  withTensors(batch, "epoch 2, batch 3 of 4", () => Promise.reject(error)).catch(
    (thrown: unknown) => thrown as Error & { exitCode: number },
  );

it("gives the batch as tensors and disposes of them, also where it fails", async () => {
  await tf.setBackend("cpu");
  const before = tf.memory().numTensors;
  const shapes = await withTensors(batch, "here", ({ x, labels }) =>
    Promise.resolve([x.shape, labels.shape]),
  );
  expect(shapes).toEqual([[2, 3, 3, 1], [2]]);
  await failing(new Error("broken"));
  expect(tf.memory().numTensors).toBe(before);
});

it("says where it was, in errors that are meant for the user", async () => {
  const heap = Object.assign(
    new Error("backend simd: a tensor needs 8 bytes; use a smaller batch"),
    {
      name: "HeapExhaustedError",
      exitCode: 1,
    },
  );
  expect(await failing(heap)).toMatchObject({
    message:
      "epoch 2, batch 3 of 4: backend simd: a tensor needs 8 bytes; use a smaller --batch_size, with --gradient_accumulation for updates of as many samples",
    exitCode: 1,
  });
  const misuse = Object.assign(new Error("model: one value of each channel"), { exitCode: 2 });
  expect(await failing(misuse)).toMatchObject({
    message: "epoch 2, batch 3 of 4: model: one value of each channel",
    exitCode: 2,
  });
  const defect = new Error("not meant for the user");
  expect(await failing(defect)).toBe(defect);
});
