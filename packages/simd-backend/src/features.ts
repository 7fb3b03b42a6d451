/** What the WebAssembly engine at hand offers to the kernels. */
export interface SupportedFeatures {
  /** 128-bit vectors: without them there are no kernels. */
  readonly simd: boolean;
  /** Fused multiply-add (V8 from 11.4 on: Node 21, Chrome 114). */
  readonly relaxedSimd: boolean;
  /** A memory that several threads share, and Node's worker threads to share it with. */
  readonly sharedMemory: boolean;
}

const HEADER = [0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0];
// One function of type () -> v128.
const VECTOR_FUNCTION = [1, 5, 1, 0x60, 0, 1, 0x7b, 3, 2, 1, 0];
// i32.const 0, i8x16.splat.
const ZEROS = [0x41, 0, 0xfd, 15];
const END = 0x0b;
const SIMD_MODULE = [...HEADER, ...VECTOR_FUNCTION, 10, 8, 1, 6, 0, ...ZEROS, END];
// Three vectors, f32x4.relaxed_madd.
const RELAXED_MODULE = [
  ...HEADER,
  ...VECTOR_FUNCTION,
  ...[10, 19, 1, 17, 0],
  ...[...ZEROS, ...ZEROS, ...ZEROS],
  ...[0xfd, 0x85, 0x02, END],
];
// A memory of one page, shared.
const SHARED_MEMORY_MODULE = [...HEADER, 5, 4, 1, 3, 1, 1];

/** Detects features by validating tiny modules; nothing is run. */
export function supportedFeatures(): SupportedFeatures {
  const simd = validates(SIMD_MODULE);
  return {
    simd,
    relaxedSimd: simd && validates(RELAXED_MODULE),
    sharedMemory:
      runsInNode() && typeof SharedArrayBuffer !== "undefined" && validates(SHARED_MEMORY_MODULE),
  };
}

function validates(bytes: readonly number[]): boolean {
  return typeof WebAssembly !== "undefined" && WebAssembly.validate(Uint8Array.from(bytes));
}

/** Node, and not a page that imitates `process`. */
export function runsInNode(): boolean {
  return typeof process !== "undefined" && typeof process.versions?.node === "string";
}
