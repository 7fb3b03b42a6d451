/**
 * A backend of TensorFlow.js made of these kernels.
 *
 * ```ts
 * import { registerSimdBackend } from "@implicit-rank/simd-backend/tfjs";
 * ```
 *
 * @module
 */

export { HeapExhaustedError } from "./heap-exhausted-error.ts";
export { registerSimdBackend, type SimdBackendOptions } from "./register.ts";
export type { Output, SimdBackend } from "./simd-backend.ts";
