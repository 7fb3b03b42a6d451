export { HeapExhaustedError } from "./heap-exhausted-error.ts";
export { registerSimdBackend, type SimdBackendOptions } from "./register.ts";
export type { SimdBackend } from "./simd-backend.ts";
