import * as tf from "@tensorflow/tfjs-core";
import { loadPackage } from "./load-package.ts";
import { onOneThread } from "./one-thread.ts";
import { selectBackend } from "./select-backend.ts";
import type { BackendRequest, StartedBackend } from "./started-backend.ts";
import { filterGradientKernel } from "./wasm-filter-gradient.ts";

/** The WebAssembly backend of tfjs (XNNPACK), with the kernel that training lacks there. */
export async function startWasm(request: BackendRequest): Promise<StartedBackend> {
  const name = "@tensorflow/tfjs-backend-wasm";
  await loadPackage(name, "wasm", [name]);
  await selectBackend("wasm", "wasm");
  if (tf.getKernel(filterGradientKernel.kernelName, "wasm") === undefined)
    tf.registerKernel(filterGradientKernel);
  return onOneThread("wasm", request);
}
