/** The element types that array files hold; every one is little endian on disk. */
export type ArrayData =
  | Float32Array
  | Float64Array
  | Int32Array
  | BigInt64Array
  | Uint8Array
  | Int8Array
  | Int16Array
  | Uint16Array
  | Uint32Array;

/** An array in row-major order; the product of `shape` is `data.length` (an empty shape is a scalar). */
export interface NamedArray {
  readonly shape: readonly number[];
  readonly data: ArrayData;
}

/** The content of a file: arrays by name and text metadata by key. */
export interface ArrayFile {
  readonly arrays: Readonly<Record<string, NamedArray>>;
  readonly metadata: Readonly<Record<string, string>>;
}
