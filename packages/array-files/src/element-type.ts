import type { ArrayData } from "./array-file.ts";

/** An element type as safetensors and npy name it. */
export interface ElementType {
  readonly safetensors: string;
  readonly npy: string;
  readonly bytes: number;
  /** The array of `length` elements that starts at `offset`; shares memory where alignment permits. */
  readonly view: (bytes: Uint8Array, offset: number, length: number) => ArrayData;
}

type TypedArrayConstructor<T extends ArrayData> = {
  readonly BYTES_PER_ELEMENT: number;
  new (buffer: ArrayBufferLike, byteOffset: number, length: number): T;
};

function viewAs<T extends ArrayData>(constructor: TypedArrayConstructor<T>) {
  return (bytes: Uint8Array, offset: number, length: number): T => {
    const size = constructor.BYTES_PER_ELEMENT;
    const start = bytes.byteOffset + offset;
    if (start % size === 0) return new constructor(bytes.buffer, start, length);
    const aligned = bytes.slice(offset, offset + length * size);
    return new constructor(aligned.buffer, aligned.byteOffset, length);
  };
}

function native<T extends ArrayData>(
  safetensors: string,
  npy: string,
  constructor: TypedArrayConstructor<T>,
): ElementType {
  return { safetensors, npy, bytes: constructor.BYTES_PER_ELEMENT, view: viewAs(constructor) };
}

/** Types that are written and read as they are. */
const NATIVE_TYPES: readonly ElementType[] = [
  native("F32", "<f4", Float32Array),
  native("F64", "<f8", Float64Array),
  native("I32", "<i4", Int32Array),
  native("I64", "<i8", BigInt64Array),
  native("U8", "|u1", Uint8Array),
  native("I8", "|i1", Int8Array),
  native("I16", "<i2", Int16Array),
  native("U16", "<u2", Uint16Array),
  native("U32", "<u4", Uint32Array),
];

/** Types that are only read: half precision becomes float32 (exactly), booleans become 0 and 1. */
const CONVERTED_TYPES: readonly ElementType[] = [
  { safetensors: "F16", npy: "<f2", bytes: 2, view: convertHalf(float16ToNumber) },
  { safetensors: "BF16", npy: "", bytes: 2, view: convertHalf(bfloat16ToNumber) },
  { safetensors: "BOOL", npy: "|b1", bytes: 1, view: convertBooleans },
];

export const READABLE_TYPES: readonly ElementType[] = [...NATIVE_TYPES, ...CONVERTED_TYPES];

/** The type that an array is written as. */
export function elementTypeOf(data: ArrayData): ElementType {
  const constructors = [
    Float32Array,
    Float64Array,
    Int32Array,
    BigInt64Array,
    Uint8Array,
    Int8Array,
    Int16Array,
    Uint16Array,
    Uint32Array,
  ];
  const index = constructors.findIndex((constructor) => data instanceof constructor);
  if (index < 0) throw new TypeError("arrays must be typed arrays of a type that files can hold");
  return NATIVE_TYPES[index]!;
}

function convertHalf(toNumber: (bits: number) => number) {
  return (bytes: Uint8Array, offset: number, length: number): Float32Array => {
    const halves = viewAs(Uint16Array)(bytes, offset, length);
    return Float32Array.from(halves, toNumber);
  };
}

function float16ToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1;
  const exponent = (bits >>> 10) & 0x1f;
  const fraction = bits & 0x3ff;
  if (exponent === 0x1f) return fraction === 0 ? sign * Infinity : NaN;
  if (exponent === 0) return sign * fraction * 2 ** -24;
  return sign * (1024 + fraction) * 2 ** (exponent - 25);
}

function bfloat16ToNumber(bits: number): number {
  const word = new Uint32Array([bits << 16]);
  return new Float32Array(word.buffer)[0]!;
}

function convertBooleans(bytes: Uint8Array, offset: number, length: number): Uint8Array {
  return bytes.slice(offset, offset + length).map((value) => (value === 0 ? 0 : 1));
}

/** Number of elements of a shape; undefined unless all sizes are integers ≥ 0 with a product below 2⁵³. */
export function elementCount(shape: readonly unknown[]): number | undefined {
  let count = 1;
  for (const size of shape) {
    if (typeof size !== "number" || !Number.isSafeInteger(size) || size < 0) return undefined;
    count *= size;
    if (!Number.isSafeInteger(count)) return undefined;
  }
  return count;
}

/** The bytes of an array, shared with it. */
export function bytesOf(data: ArrayData): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength);
}
