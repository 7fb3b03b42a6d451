import { createArena } from "./arena.ts";
import { availableCores, availableMemory } from "./environment.ts";
import { KernelArgumentError, KernelFailureError, MemoryUnavailableError } from "./errors.ts";
import { supportedFeatures, type SupportedFeatures } from "./features.ts";
import {
  chooseVariant,
  compileKernels,
  instantiateKernels,
  type KernelExports,
  type KernelVariant,
} from "./kernel-module.ts";
import {
  LARGEST_MEMORY_BYTES,
  LARGEST_THREAD_COUNT,
  layOutMemory,
  PAGE_BYTES,
  type MemoryLayout,
} from "./memory-layout.ts";
import {
  createImmediateOperations,
  createProgramBuilder,
  type ProgramHost,
} from "./create-program-builder.ts";
import type { ImmediateOperations, ProgramBuilder } from "./program.ts";
import { RECORD_BYTES } from "./operations.ts";
import { startThreads, type ThreadPool } from "./thread-pool.ts";

/** How much memory and how many threads a runtime has. */
export interface KernelRuntimeOptions {
  /** What will be allocated, each allocation rounded up to a multiple of 64 (allocationBytes). */
  readonly bytes: number;
  /** Threads that share every operation, the calling one included. */
  readonly threads?: number;
  /** "auto": relaxed where the engine has it, else plain. */
  readonly variant?: KernelVariant | "auto";
  /** Room for programs; 128 bytes an operation. */
  readonly programBytes?: number;
  /**
   * Operations with less work than this (the product of their sizes; m · n · k of a matrix product) are done by the
   * calling thread alone: waking the others would cost more than they save.
   */
  readonly sharedWork?: number;
}

/** Kernels on a memory of fixed size: views of it never detach. */
export interface KernelRuntime {
  readonly variant: KernelVariant;
  readonly threads: number;
  /** Bytes for allocations, and how many of them are taken. */
  readonly capacity: number;
  readonly used: number;
  /** What differs from what was asked for, in sentences for the user; often empty. */
  readonly notices: readonly string[];
  /**
   * Address of `bytes` bytes, a multiple of 64. They are zero the first time, and as they were left after a release.
   * Throws ArenaExhaustedError with the label, the bytes needed and the bytes left.
   */
  allocate(bytes: number, label?: string): number;
  /** A view of `length` float32 values at `pointer`. Views stay good until `dispose`. */
  floats(pointer: number, length: number): Float32Array;
  /** A view of `length` float64 values at `pointer`. */
  doubles(pointer: number, length: number): Float64Array;
  /** A view of `length` 32-bit integers at `pointer`. */
  ints(pointer: number, length: number): Int32Array;
  /** Everything allocated after mark() is given back by release(mark). */
  mark(): number;
  /** Gives back everything that was allocated after `mark()` returned this. */
  release(mark: number): void;
  /** Begins a program. */
  program(): ProgramBuilder;
  /** The same operations without a program: each runs when it is called, and is done when the call returns. */
  readonly immediate: ImmediateOperations;
  /**
   * Eigenvalues of a symmetric float64 matrix (n × n, row-major) in descending order into out (n float64);
   * the matrix is destroyed. Householder tridiagonalization and implicit QL: an error of a few ulp of the largest
   * eigenvalue. Throws KernelFailureError for a matrix with NaN or infinity.
   */
  symmetricEigenvalues(matrix: number, n: number, out: number): void;
  /** `turns` × 12 four-lane multiply-adds on registers: a yardstick for benchmarks. */
  multiplyAddLoop(turns: number): number;
  /** Ends the threads. The runtime cannot run programs afterwards. */
  dispose(): void;
}

const DEFAULT_PROGRAM_BYTES = 256 * 1024;
const DEFAULT_SHARED_WORK = 65536;

/**
 * Compiles the kernels and reserves memory. Throws MemoryUnavailableError when the sizes are beyond what
 * WebAssembly addresses (4 GiB) or the system has, KernelsUnavailableError without SIMD, KernelArgumentError.
 */
export async function createKernelRuntime(options: KernelRuntimeOptions): Promise<KernelRuntime> {
  const { bytes, threads: wanted = 1, programBytes = DEFAULT_PROGRAM_BYTES } = options;
  const { sharedWork = DEFAULT_SHARED_WORK } = options;
  requireWhole("bytes", bytes, 0, Number.MAX_SAFE_INTEGER);
  requireWhole("programBytes", programBytes, 0, LARGEST_MEMORY_BYTES);
  requireWhole("threads", wanted, 1, LARGEST_THREAD_COUNT);
  requireWhole("sharedWork", sharedWork, 0, 2 ** 31 - 1);
  const features = supportedFeatures();
  const variant = chooseVariant(options.variant ?? "auto", features);
  const notices: string[] = [];
  const threads = await possibleThreads(wanted, features, notices);
  if (!features.relaxedSimd && options.variant !== "plain") {
    notices.push(
      "this JavaScript engine has no relaxed SIMD: the kernels run without fused multiply-add, more slowly",
    );
  }
  const layout = layOutMemory(bytes, programBytes + RECORD_BYTES, threads);
  const memory = await reserveMemory(layout, threads > 1);
  const module = await compileKernels(variant, threads > 1);
  const kernels = await instantiateKernels(module, memory);
  kernels.configure(0, threads, layout.scratch[0]!, sharedWork);
  const pool =
    threads > 1 ? await startThreads(module, memory, layout.scratch, sharedWork) : undefined;
  return assemble({ variant, threads, notices, layout, memory, kernels, pool });
}

function requireWhole(name: string, value: number, least: number, most: number): void {
  if (!Number.isSafeInteger(value) || value < least || value > most) {
    throw new KernelArgumentError(
      `${name} is ${value}; give a whole number from ${least} to ${most}`,
    );
  }
}

async function possibleThreads(
  wanted: number,
  features: SupportedFeatures,
  notices: string[],
): Promise<number> {
  if (wanted === 1) return 1;
  if (!features.sharedMemory) {
    notices.push(
      `shared memory or worker threads are missing here: 1 thread is used instead of ${wanted}`,
    );
    return 1;
  }
  const cores = await availableCores();
  if (cores !== undefined && wanted > cores) {
    notices.push(`${wanted} threads on ${cores} cores: more threads than cores slow a run down`);
  }
  return wanted;
}

async function reserveMemory(layout: MemoryLayout, shared: boolean): Promise<WebAssembly.Memory> {
  const needed = layout.totalBytes;
  if (needed > LARGEST_MEMORY_BYTES) {
    throw new MemoryUnavailableError(needed, LARGEST_MEMORY_BYTES, "what WebAssembly can address");
  }
  const available = await availableMemory();
  if (available !== undefined && needed > available) {
    throw new MemoryUnavailableError(needed, available, "free memory of this machine");
  }
  const pages = needed / PAGE_BYTES;
  try {
    return new WebAssembly.Memory({ initial: pages, maximum: pages, shared });
  } catch (cause) {
    if (!(cause instanceof RangeError)) throw cause;
    throw new MemoryUnavailableError(needed, 0, "the JavaScript engine refused the reservation");
  }
}

interface Parts {
  readonly variant: KernelVariant;
  readonly threads: number;
  readonly notices: readonly string[];
  readonly layout: MemoryLayout;
  readonly memory: WebAssembly.Memory;
  readonly kernels: KernelExports;
  readonly pool: ThreadPool | undefined;
}

function assemble({
  variant,
  threads,
  notices,
  layout,
  memory,
  kernels,
  pool,
}: Parts): KernelRuntime {
  const arena = createArena(layout.arena, layout.arenaEnd);
  const tapes = createArena(layout.programs, layout.programsEnd);
  const buffer = memory.buffer;
  let state: "ready" | "failed" | "disposed" = "ready";

  function requireReady(): void {
    if (state !== "ready") throw new KernelFailureError(`the kernel runtime is ${state}`);
  }

  function execute(tape: number, length: number): void {
    if (state !== "ready") requireReady();
    try {
      kernels.run(tape, length);
    } catch (cause) {
      state = "failed";
      pool?.abandon();
      throw new KernelFailureError(
        `a kernel program stopped: ${(cause as Error).message}; an index or a pointer is wrong`,
        { cause },
      );
    }
  }

  const host: ProgramHost = {
    threads,
    buffer,
    allocate: arena.allocate,
    allocateTape: (bytes) => tapes.allocate(bytes, "a program (option programBytes)"),
    execute,
  };

  return {
    variant,
    threads,
    notices,
    capacity: arena.capacity,
    get used() {
      return arena.used;
    },
    allocate: arena.allocate,
    mark: arena.mark,
    release: arena.release,
    floats: (pointer, length) => new Float32Array(buffer, pointer, length),
    doubles: (pointer, length) => new Float64Array(buffer, pointer, length),
    ints: (pointer, length) => new Int32Array(buffer, pointer, length),
    program: () => createProgramBuilder(host),
    immediate: createImmediateOperations(host),
    symmetricEigenvalues(matrix, n, out) {
      requireReady();
      requireWhole("symmetricEigenvalues: n", n, 0, Math.floor(layout.scratchBytes / 24));
      if (kernels.symmetricEigenvalues(matrix, n, out) === 0) {
        throw new KernelFailureError(
          "eigenvalues do not converge: the matrix holds NaN or infinity",
        );
      }
    },
    multiplyAddLoop: (turns) => kernels.multiplyAddLoop(turns, 0.5, 0.25),
    dispose() {
      if (state === "disposed") return;
      state = "disposed";
      kernels.dismiss();
      pool?.dispose();
    },
  };
}
