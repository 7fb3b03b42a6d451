import "@tensorflow/tfjs-backend-cpu";
import { onOneThread } from "./one-thread.ts";
import { selectBackend } from "./select-backend.ts";
import type { BackendRequest, StartedBackend } from "./started-backend.ts";

/** tfjs in plain JavaScript: runs everywhere, slowly. */
export async function startCpu(request: BackendRequest): Promise<StartedBackend> {
  await selectBackend("cpu", "cpu");
  return onOneThread("cpu", request);
}
