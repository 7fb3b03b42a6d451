import { KernelsUnavailableError } from "./errors.ts";
import type { SupportedFeatures } from "./features.ts";
import * as binaries from "./generated/kernel-binaries.ts";

/** Flags of the limits of a memory in a WebAssembly binary. */
const WITH_MAXIMUM = 0x01;
const SHARED_WITH_MAXIMUM = 0x03;

/** "relaxed": fused multiply-add; "plain": every operation rounded as IEEE 754 says, on every machine. */
export type KernelVariant = "relaxed" | "plain";

/**
 * What the compiled AssemblyScript exports.
 * @internal
 */
export interface KernelExports {
  configure(threadIndex: number, threadCount: number, scratch: number, sharedWork: number): void;
  run(tape: number, length: number): void;
  serve(): void;
  dismiss(): void;
  symmetricEigenvalues(matrix: number, order: number, out: number): number;
  multiplyAddLoop(turns: number, x: number, y: number): number;
}

export function chooseVariant(
  wanted: KernelVariant | "auto",
  features: SupportedFeatures,
): KernelVariant {
  if (!features.simd) {
    throw new KernelsUnavailableError(
      "WebAssembly SIMD is missing in this JavaScript engine; use another engine (plain, tfjs) or a newer Node",
    );
  }
  if (wanted === "relaxed" && !features.relaxedSimd) {
    throw new KernelsUnavailableError(
      "variant relaxed: this JavaScript engine lacks relaxed SIMD; use variant auto, or Node 22 and up",
    );
  }
  if (wanted !== "auto") return wanted;
  return features.relaxedSimd ? "relaxed" : "plain";
}

/**
 * Compiles the kernels, for a memory that threads share or for one that they do not. The same binary does for
 * both, since one thread alone never waits: only the flags of the memory that it imports differ.
 * @internal
 */
export function compileKernels(
  variant: KernelVariant,
  shared: boolean,
): Promise<WebAssembly.Module> {
  const { base64, memoryFlags } = binaries[variant];
  const bytes = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
  bytes[memoryFlags] = shared ? SHARED_WITH_MAXIMUM : WITH_MAXIMUM;
  return WebAssembly.compile(bytes);
}

/** @internal */
export async function instantiateKernels(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
): Promise<KernelExports> {
  const instance = await WebAssembly.instantiate(module, { env: { memory } });
  return instance.exports as unknown as KernelExports;
}
