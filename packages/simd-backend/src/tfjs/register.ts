// Loading the cpu backend registers its kernels.
import "@tensorflow/tfjs-backend-cpu";
import {
  findBackend,
  getKernelsForBackend,
  registerBackend,
  registerKernel,
  unregisterKernel,
  type KernelConfig,
} from "@tensorflow/tfjs-core";
import { availableMemory } from "../environment.ts";
import { KernelArgumentError } from "../errors.ts";
import { createKernelRuntime } from "../kernel-runtime.ts";
import type { KernelVariant } from "../kernel-module.ts";
import { BACKEND_NAME } from "./define-kernel.ts";
import { batchNormalizationKernels } from "./kernels/batch-normalization.ts";
import { convolutionKernels } from "./kernels/convolutions.ts";
import { dataMovementKernels } from "./kernels/data-movement.ts";
import { elementwiseKernels } from "./kernels/elementwise.ts";
import { matrixProductKernels } from "./kernels/matrix-products.ts";
import { optimizerKernels } from "./kernels/optimizers.ts";
import { poolingKernels } from "./kernels/pooling.ts";
import { reductionKernels } from "./kernels/reductions.ts";
import { SimdBackend } from "./simd-backend.ts";

/** How much memory and how many threads the backend has. */
export interface SimdBackendOptions {
  /** Threads that share every operation, the calling one included; 1 unless given. */
  readonly threads?: number;
  /** Room for tensors: by default 3 GiB, or half of the free memory where that is less. Untouched pages cost nothing. */
  readonly bytes?: number;
  /** "auto": relaxed SIMD where the engine has it, else plain. */
  readonly variant?: KernelVariant | "auto";
}

const LARGEST_DEFAULT_BYTES = 3 * 2 ** 30;
const PROGRAM_BYTES = 0;

/** The kernels with a SIMD implementation, family by family. */
const simdKernels: readonly (readonly KernelConfig[])[] = [
  convolutionKernels,
  matrixProductKernels,
  elementwiseKernels,
  reductionKernels,
  dataMovementKernels,
  poolingKernels,
  batchNormalizationKernels,
  optimizerKernels,
];

/**
 * Registers the tfjs backend "simd", which `tf.setBackend("simd")` then selects: the cpu backend with SIMD kernels
 * on a heap of fixed size. Throws KernelArgumentError when it is registered already, and what createKernelRuntime throws.
 */
export async function registerSimdBackend(options: SimdBackendOptions = {}): Promise<SimdBackend> {
  requireUnregistered();
  const { threads = 1, variant = "auto", bytes = await defaultBytes() } = options;
  const runtime = await createKernelRuntime({
    bytes,
    threads,
    variant,
    programBytes: PROGRAM_BYTES,
  });
  // Another call may have come first meanwhile.
  try {
    requireUnregistered();
  } catch (error) {
    runtime.dispose();
    throw error;
  }
  const backend = new SimdBackend(runtime);
  registerBackend(BACKEND_NAME, () => backend, 0);
  registerKernels();
  return backend;
}

function requireUnregistered(): void {
  if (findBackend(BACKEND_NAME) === null) return;
  throw new KernelArgumentError(
    'backend simd is registered already; use tf.setBackend("simd"), or tf.removeBackend("simd") first',
  );
}

async function defaultBytes(): Promise<number> {
  const available = (await availableMemory()) ?? LARGEST_DEFAULT_BYTES;
  return Math.min(LARGEST_DEFAULT_BYTES, Math.floor(available / 2));
}

/** Every cpu kernel, on the cpu backend's storage that SimdBackend keeps up, and the SIMD ones in their place. */
function registerKernels(): void {
  for (const { kernelName } of getKernelsForBackend(BACKEND_NAME)) {
    unregisterKernel(kernelName, BACKEND_NAME);
  }
  const kernels = new Map<string, KernelConfig>();
  for (const kernel of getKernelsForBackend("cpu")) kernels.set(kernel.kernelName, kernel);
  for (const kernel of simdKernels.flat()) kernels.set(kernel.kernelName, kernel);
  for (const kernel of kernels.values()) registerKernel({ ...kernel, backendName: BACKEND_NAME });
}
