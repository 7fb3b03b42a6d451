import type { NamedArray } from "./array-file.ts";
import { bytesOf, elementCount, elementTypeOf, READABLE_TYPES } from "./element-type.ts";
import { quoted } from "./json-object.ts";
import { reorderStrided, rowMajorStrides } from "./strides.ts";

/*
 * The npy format: "\x93NUMPY", version, header length (2 bytes in version 1, 4 in 2 and 3), a Python
 * dictionary literal {'descr', 'fortran_order', 'shape'} padded with spaces, then the elements.
 */
const MAGIC = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59];
const MAX_HEADER_BYTES = 65_536;
const ALIGNMENT = 64;

/** The bytes of an npy file (version 1.0, row-major). */
export function encodeNpy(array: NamedArray): Uint8Array {
  const header = npyHeader(elementTypeOf(array.data).npy, array.shape);
  const bytes = new Uint8Array(header.length + array.data.byteLength);
  bytes.set(header);
  bytes.set(bytesOf(array.data), header.length);
  return bytes;
}

/** What stands before the elements of a row-major array. */
export function npyHeader(descr: string, shape: readonly number[]): Uint8Array {
  const sizes = shape.length === 1 ? `${shape[0]},` : shape.join(", ");
  const dictionary = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${sizes}), }`;
  const unpadded = MAGIC.length + 4 + dictionary.length + 1;
  const dataStart = Math.ceil(unpadded / ALIGNMENT) * ALIGNMENT;
  const header = `${dictionary.padEnd(dataStart - MAGIC.length - 5)}\n`;
  const bytes = new Uint8Array(dataStart);
  bytes.set(MAGIC);
  bytes.set([1, 0, header.length & 0xff, header.length >>> 8], MAGIC.length);
  bytes.set(new TextEncoder().encode(header), MAGIC.length + 4);
  return bytes;
}

/**
 * The array in an npy file, versions 1 to 3, little endian; column-major (`fortran_order`) data is put
 * into row-major order. Python objects (pickles), text and structured types are refused.
 */
export function decodeNpy(bytes: Uint8Array, refuse: (problem: string) => Error): NamedArray {
  const { descr, shape, fortranOrder, dataStart } = splitNpy(bytes, refuse);
  const type = READABLE_TYPES.find((candidate) => candidate.npy === descr);
  if (type === undefined) throw refuse(unsupported(descr));
  const count = elementCount(shape)!;
  const available = bytes.length - dataStart;
  if (count * type.bytes !== available) {
    const needed = `shape (${shape.join(", ")}) of ${descr} needs ${count * type.bytes} bytes`;
    throw refuse(`${needed}, found ${available}`);
  }
  const data = type.view(bytes, dataStart, count);
  if (!fortranOrder || shape.length < 2) return { shape, data };
  const columnMajor = rowMajorStrides([...shape].reverse()).reverse();
  return { shape, data: reorderStrided(data, shape, columnMajor, 0) };
}

interface NpyParts {
  readonly descr: string;
  readonly shape: number[];
  readonly fortranOrder: boolean;
  readonly dataStart: number;
}

/** Parses the header of an npy file; the shape's product is below 2^53. */
export function splitNpy(bytes: Uint8Array, refuse: (problem: string) => Error): NpyParts {
  const { header, dataStart } = splitHeader(bytes, refuse);
  const descr = descriptor(header, refuse);
  const fortran = /'fortran_order'\s*:\s*(True|False)\s*[,}]/.exec(header)?.[1];
  if (fortran === undefined) throw refuse("npy header lacks fortran_order");
  const shape = shapeOf(header, refuse);
  if (elementCount(shape) === undefined) {
    throw refuse("shape must be integers ≥ 0 with a product below 2^53");
  }
  return { descr, shape, fortranOrder: fortran === "True", dataStart };
}

function splitHeader(
  bytes: Uint8Array,
  refuse: (problem: string) => Error,
): { header: string; dataStart: number } {
  if (bytes.length < 12 || MAGIC.some((byte, i) => bytes[i] !== byte)) {
    throw refuse("is not in npy format");
  }
  const version = bytes[6]!;
  if (version < 1 || version > 3) {
    throw refuse(`npy version ${version} is not known (1 to 3 are)`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const headerStart = version === 1 ? 10 : 12;
  const headerLength = version === 1 ? view.getUint16(8, true) : view.getUint32(8, true);
  if (headerLength > MAX_HEADER_BYTES || headerStart + headerLength > bytes.length) {
    throw refuse("npy header is truncated or too long");
  }
  const dataStart = headerStart + headerLength;
  const header = new TextDecoder().decode(bytes.subarray(headerStart, dataStart)).trim();
  if (!header.startsWith("{") || !header.endsWith("}")) throw refuse("npy header is garbled");
  return { header, dataStart };
}

function descriptor(header: string, refuse: (problem: string) => Error): string {
  const descr = /'descr'\s*:\s*(?:'([^']*)'|(\[))/.exec(header);
  if (descr === null) throw refuse("npy header lacks descr");
  if (descr[2] !== undefined) throw refuse("structured arrays are not supported");
  return descr[1]!;
}

function unsupported(descr: string): string {
  if (descr.includes("O")) return "holds pickled Python objects, which could run code";
  if (descr.startsWith(">")) return `element type ${quoted(descr)} is big endian`;
  return `element type ${quoted(descr)} is not supported`;
}

function shapeOf(header: string, refuse: (problem: string) => Error): number[] {
  const sizes = /'shape'\s*:\s*\(([\d\s,]*)\)/.exec(header)?.[1];
  if (sizes === undefined) throw refuse("npy header lacks a shape");
  return sizes
    .split(",")
    .map((size) => size.trim())
    .filter((size) => size !== "")
    .map(Number);
}
