import fc from "fast-check";
import type { ArrayData, ArrayFile, NamedArray } from "../src/index.ts";

export const SAMPLE: ArrayFile = {
  arrays: {
    weights: { shape: [2, 3], data: Float32Array.of(1, -2.5, 3, 0, 1e-40, Infinity) },
    exact: { shape: [2], data: Float64Array.of(Math.PI, -0) },
    indices: { shape: [3], data: Int32Array.of(-1, 0, 2 ** 31 - 1) },
    long: { shape: [2], data: BigInt64Array.of(-(2n ** 63n), 2n ** 63n - 1n) },
    bytes: { shape: [3], data: Uint8Array.of(0, 127, 255) },
    signed: { shape: [1, 1, 3], data: Int8Array.of(-128, 0, 127) },
    short: { shape: [1], data: Int16Array.of(-32768) },
    word: { shape: [1], data: Uint16Array.of(65535) },
    wide: { shape: [1], data: Uint32Array.of(2 ** 32 - 1) },
    scalar: { shape: [], data: Float32Array.of(7) },
    empty: { shape: [0, 4], data: new Float32Array(0) },
  },
  metadata: { who: "test", empty: "", 'ключ "\n': "значение \\ \u0000" },
};

const CONSTRUCTORS = [
  Float32Array,
  Float64Array,
  Int32Array,
  Uint8Array,
  Int8Array,
  Int16Array,
  Uint16Array,
  Uint32Array,
] as const;

const namedArray: fc.Arbitrary<NamedArray> = fc
  .tuple(
    fc.array(fc.nat({ max: 4 }), { maxLength: 4 }),
    fc.nat({ max: CONSTRUCTORS.length }),
    fc.nat(),
  )
  .map(([shape, type, seed]) => {
    const count = shape.reduce((product, size) => product * size, 1);
    const numbers = Array.from({ length: count }, (_, i) => (seed * 31 + i * 17) % 251);
    const constructor = CONSTRUCTORS[type];
    const data: ArrayData =
      constructor === undefined ? BigInt64Array.from(numbers, BigInt) : constructor.from(numbers);
    return { shape, data };
  });

// Names are anything, the names that objects inherit included.
const name = fc.oneof(
  fc.string({ minLength: 1, unit: "grapheme" }),
  fc.constantFrom("__proto__", "constructor", "toString", "hasOwnProperty", 'a"b\\c:{}'),
);

export const arrayFiles: fc.Arbitrary<ArrayFile> = fc
  .tuple(
    fc.array(fc.tuple(name, namedArray), { maxLength: 6 }),
    fc.array(fc.tuple(name, fc.string({ unit: "grapheme" })), { maxLength: 3 }),
  )
  .map(([arrays, metadata]) => ({
    arrays: Object.fromEntries(arrays.filter(([key]) => key !== "__metadata__")),
    metadata: Object.fromEntries(metadata),
  }));

/** Both sides as plain entries: results have no prototype, inputs do. */
export function entriesOf(file: ArrayFile): unknown {
  const sorted = <T>(record: Readonly<Record<string, T>>) =>
    Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1));
  return { arrays: sorted(file.arrays), metadata: sorted(file.metadata) };
}
