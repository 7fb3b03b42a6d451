import "@tensorflow/tfjs-backend-cpu";
import * as tf from "@tensorflow/tfjs-core";
import { onOneThread } from "./one-thread.ts";
import { selectBackend } from "./select-backend.ts";
import type { BackendRequest, StartedBackend } from "./started-backend.ts";

/** tfjs in plain JavaScript: runs everywhere, slowly. */
export async function startCpu(request: BackendRequest): Promise<StartedBackend> {
  await selectBackend("cpu", "cpu");
  // At its first tensor the backend prints an advertisement for tfjs-node.
  Object.assign(tf.backend(), { firstUse: false });
  return onOneThread("cpu", request);
}
