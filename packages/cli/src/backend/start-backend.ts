import { availableParallelism } from "node:os";
import type { BackendName } from "@implicit-rank/locality-bias/experiment";
import { startAuto } from "./auto.ts";
import type { BackendRequest, StartedBackend } from "./started-backend.ts";

export interface StartOptions extends BackendRequest {
  readonly backend: BackendName;
  /** 0: `defaultThreads`, or one for each core. */
  readonly threads: number;
}

/** More threads than this no backend takes. */
const MOST_THREADS = 128;

/** One thread for each core of the machine. */
export function coresToUse(): number {
  return Math.min(availableParallelism(), MOST_THREADS);
}

/**
 * Starts the backend that a flag names and makes it the one that tfjs uses. Backends are loaded when they
 * are asked for, since most of them take a while.
 *
 * @throws BackendError: exit code 2 if it is not installed, 1 if it does not start
 */
export async function startBackend(
  { backend, threads, log }: StartOptions,
  defaultThreads = coresToUse(),
): Promise<StartedBackend> {
  const asked = threads > 0;
  const request = {
    threads: asked ? threads : defaultThreads,
    // That a backend has one thread is news only to those who asked for more.
    log: asked ? log : () => undefined,
  };
  switch (backend) {
    case "auto":
      return startAuto({ ...request, log });
    case "simd":
      return (await import("./simd.ts")).startSimd(request);
    case "node":
    case "node-gpu":
      return (await import("./node.ts")).startNode(backend, request);
    case "webgpu":
      return (await import("./webgpu.ts")).startWebGpu(request);
    case "wasm":
      return (await import("./wasm.ts")).startWasm(request);
    case "cpu":
      return (await import("./cpu.ts")).startCpu(request);
  }
}
