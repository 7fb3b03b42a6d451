import { supportedFeatures } from "@implicit-rank/simd-backend";
import { registerSimdBackend } from "@implicit-rank/simd-backend/tfjs";
import * as tf from "@tensorflow/tfjs-core";
import { selectBackend } from "./select-backend.ts";
import { BackendError, type BackendRequest, type StartedBackend } from "./started-backend.ts";

let registeredThreads = 0;

export function hasSimd(): boolean {
  return supportedFeatures().simd;
}

/** The backend of this project: WebAssembly kernels that share each operation among threads. */
export async function startSimd({ threads }: BackendRequest): Promise<StartedBackend> {
  if (!hasSimd())
    throw new BackendError(
      "--backend: simd needs WebAssembly SIMD, which this Node.js does not have; use --backend cpu",
      2,
    );
  if (registeredThreads !== threads) {
    if (registeredThreads > 0) tf.removeBackend("simd");
    await registerSimdBackend({ threads });
    registeredThreads = threads;
  }
  await selectBackend("simd", "simd", "use fewer --threads or --backend cpu");
  return { name: "simd", threads };
}
