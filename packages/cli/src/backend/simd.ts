import { availableMemory } from "node:process";
import { supportedFeatures } from "@implicit-rank/simd-backend";
import { registerSimdBackend } from "@implicit-rank/simd-backend/tfjs";
import * as tf from "@tensorflow/tfjs-core";
import { selectBackend } from "./select-backend.ts";
import { BackendError, type BackendRequest, type StartedBackend } from "./started-backend.ts";

/** What 32-bit WebAssembly can address, less what the kernels need themselves. */
const MOST_BYTES = 2 ** 32 - 2 ** 27;

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
    await registerSimdBackend({ threads, bytes: roomForTensors() });
    registeredThreads = threads;
  }
  await selectBackend("simd", "simd", "use fewer --threads or --backend cpu");
  return { name: "simd", threads };
}

/** Pages that are never touched cost nothing, so a small network does not pay for the room of a large one. */
function roomForTensors(): number {
  return Math.min(MOST_BYTES, Math.floor(availableMemory() / 2));
}
