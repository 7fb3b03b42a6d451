import type { ArrayFile, NamedArray } from "./array-file.ts";
import {
  bytesOf,
  elementCount,
  elementTypeOf,
  READABLE_TYPES,
  type ElementType,
} from "./element-type.ts";
import { damagedFile } from "./error.ts";
import { isObject, quoted, parseJsonObject } from "./json-object.ts";
import { readBytes } from "./read-bytes.ts";
import { writeFileAtomic, type WriteOptions } from "./write-atomic.ts";

/*
 * Layout: 8 bytes little-endian header length n; n bytes of JSON
 *   {"__metadata__": {key: text}, NAME: {"dtype", "shape", "data_offsets": [begin, end]}, …}
 * padded with spaces; then the arrays, back to back, offsets counted from the end of the header.
 */
const METADATA = "__metadata__";
const LENGTH_BYTES = 8;
/** The limit of the reference implementation; a header is read whole, so it must be bounded. */
const MAX_HEADER_BYTES = 100_000_000;

/** The name, element type (as safetensors names it: "F32", "U8", …) and shape of an array to come. */
export interface ArrayDeclaration {
  readonly name: string;
  readonly dtype: string;
  readonly shape: readonly number[];
}

/** An array as the header places it; offsets count from the end of the header. */
export interface Entry extends ArrayDeclaration {
  readonly type: ElementType;
  readonly begin: number;
  readonly end: number;
}

function byCodeUnits(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function typeNamed(dtype: string): ElementType {
  const type = READABLE_TYPES.find((candidate) => candidate.safetensors === dtype);
  if (type === undefined) throw new TypeError(`safetensors: unknown element type ${dtype}`);
  return type;
}

/** Where each array goes: wide elements first and then by name, so that every array is aligned. */
export function layOut(declarations: readonly ArrayDeclaration[]): readonly Entry[] {
  const typed = declarations.map((declaration) => ({
    ...declaration,
    type: typeNamed(declaration.dtype),
  }));
  typed.sort((a, b) => b.type.bytes - a.type.bytes || byCodeUnits(a.name, b.name));
  let begin = 0;
  return typed.map((entry) => {
    const count = elementCount(entry.shape);
    if (count === undefined) {
      throw new RangeError(`safetensors: array "${entry.name}" has an impossible shape`);
    }
    const end = begin + count * entry.type.bytes;
    const placed = { ...entry, begin, end };
    begin = end;
    return placed;
  });
}

/** The header's bytes, its length included, padded with spaces to at least `minimum` bytes. */
export function encodeHeader(
  entries: readonly Entry[],
  metadata: Readonly<Record<string, string>>,
  minimum = 0,
): Uint8Array {
  const fields: string[] = [];
  const keys = Object.keys(metadata).sort(byCodeUnits);
  if (keys.length > 0) {
    const pairs = keys.map((key) => `${JSON.stringify(key)}:${JSON.stringify(metadata[key])}`);
    fields.push(`"${METADATA}":{${pairs.join(",")}}`);
  }
  for (const { name, dtype, shape, begin, end } of entries) {
    if (name === METADATA) throw new RangeError(`safetensors: "${METADATA}" cannot name an array`);
    const value = JSON.stringify({ dtype, shape, data_offsets: [begin, end] });
    fields.push(`${JSON.stringify(name)}:${value}`);
  }
  const json = new TextEncoder().encode(`{${fields.join(",")}}`);
  const length = Math.ceil(Math.max(json.length, minimum - LENGTH_BYTES) / 8) * 8;
  const header = new Uint8Array(LENGTH_BYTES + length).fill(0x20);
  header.set(json, LENGTH_BYTES);
  new DataView(header.buffer).setBigUint64(0, BigInt(length), true);
  return header;
}

function declare(file: ArrayFile): ArrayDeclaration[] {
  return Object.entries(file.arrays).map(([name, { shape, data }]) => {
    if (elementCount(shape) !== data.length) {
      throw new RangeError(
        `array "${name}": shape [${shape.join(", ")}] does not fit ${data.length} elements`,
      );
    }
    return { name, dtype: elementTypeOf(data).safetensors, shape };
  });
}

/** The file's pieces in order; arrays are not copied. */
function encodePieces(file: ArrayFile): Uint8Array[] {
  const entries = layOut(declare(file));
  const arrays = entries.map(({ name }) => bytesOf(file.arrays[name]!.data));
  return [encodeHeader(entries, file.metadata), ...arrays];
}

/**
 * The bytes of a safetensors file; the same content gives the same bytes, whatever the order of names.
 * @throws RangeError if a shape does not fit its data or an array is called `__metadata__`.
 */
export function encodeSafetensors(file: ArrayFile): Uint8Array {
  const parts = encodePieces(file);
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let offset = 0;
  for (const part of parts) {
    bytes.set(part, offset);
    offset += part.length;
  }
  return bytes;
}

/**
 * The arrays and metadata of a safetensors file, checked in full: header length and JSON, no repeated
 * name, known element types, sizes that match shapes, no gap, overlap or rest. Arrays share memory with
 * `bytes` where alignment permits. `F16` and `BF16` become float32, `BOOL` becomes 0 and 1 in bytes.
 *
 * @param source name of the file for messages
 * @throws ArrayFileError (exit code 1) that names the field that is wrong
 */
export function decodeSafetensors(bytes: Uint8Array, source: string): ArrayFile {
  const { metadata, entries, dataStart } = decodeHeader(bytes, bytes.length, source);
  // No prototype: a file may call an array "__proto__" or "constructor".
  const arrays = Object.create(null) as Record<string, NamedArray>;
  for (const { name, type, shape, begin } of entries) {
    const data = type.view(bytes, dataStart + begin, elementCount(shape)!);
    arrays[name] = { shape, data };
  }
  return { arrays, metadata };
}

/** What the header says: metadata, and where each array lies, counted from `dataStart`. */
export interface SafetensorsHeader {
  readonly metadata: Readonly<Record<string, string>>;
  readonly entries: readonly Entry[];
  readonly dataStart: number;
}

/** The first byte of the data, from the first 8 bytes of a file of `fileBytes` bytes. */
export function dataStartOf(start: Uint8Array, fileBytes: number, source: string): number {
  const damaged = damagedSafetensors(source);
  if (start.length < LENGTH_BYTES) {
    throw damaged("header length", `the file has ${start.length} bytes, fewer than 8`);
  }
  const view = new DataView(start.buffer, start.byteOffset, LENGTH_BYTES);
  const headerLength = view.getBigUint64(0, true);
  const available = fileBytes - LENGTH_BYTES;
  if (headerLength > BigInt(MAX_HEADER_BYTES)) {
    throw damaged("header length", `${headerLength} bytes, more than ${MAX_HEADER_BYTES}`);
  }
  if (headerLength > BigInt(available)) {
    throw damaged("header length", `${headerLength} bytes, but only ${available} follow`);
  }
  return LENGTH_BYTES + Number(headerLength);
}

/** Parses and checks the header in the first bytes of a file of `fileBytes` bytes. */
export function decodeHeader(
  start: Uint8Array,
  fileBytes: number,
  source: string,
): SafetensorsHeader {
  const damaged = damagedSafetensors(source);
  const dataStart = dataStartOf(start, fileBytes, source);
  const header = parseJsonObject(start.subarray(LENGTH_BYTES, dataStart), (problem) =>
    damaged("header", problem),
  );
  const metadata = readMetadata(header[METADATA], damaged);
  const entries = Object.keys(header)
    .filter((name) => name !== METADATA)
    .map((name) => readEntry(name, header[name], damaged))
    .sort((a, b) => a.begin - b.begin || a.end - b.end);
  refuseGaps(entries, fileBytes - dataStart, damaged);
  return { metadata, entries, dataStart };
}

function damagedSafetensors(source: string): Damaged {
  return damagedFile(source, "the file is damaged or no safetensors file: make it again");
}

type Damaged = ReturnType<typeof damagedFile>;

function readMetadata(value: unknown, damaged: Damaged): Record<string, string> {
  const metadata = Object.create(null) as Record<string, string>;
  if (value === undefined) return metadata;
  if (!isObject(value)) throw damaged(METADATA, "is not an object");
  for (const key of Object.keys(value)) {
    const text = value[key];
    if (typeof text !== "string") {
      throw damaged(METADATA, `the value of ${quoted(key)} is not text`);
    }
    metadata[key] = text;
  }
  return metadata;
}

function readEntry(name: string, value: unknown, damaged: Damaged): Entry {
  const field = `array ${quoted(name)}`;
  if (!isObject(value)) throw damaged(field, "is not an object");
  const { dtype, shape, data_offsets: offsets, ...unknown } = value;
  const extra = Object.keys(unknown)[0];
  if (extra !== undefined) throw damaged(field, `has the unknown key ${quoted(extra)}`);
  const type = READABLE_TYPES.find((candidate) => candidate.safetensors === dtype);
  if (type === undefined) {
    const given = typeof dtype === "string" ? quoted(dtype) : "missing";
    throw damaged(field, `element type ${given} is not supported`);
  }
  if (!Array.isArray(shape)) throw damaged(field, "has no shape");
  const count = elementCount(shape);
  if (count === undefined)
    throw damaged(field, "shape must be integers ≥ 0 with a product below 2^53");
  const [begin, end] = readOffsets(offsets, field, damaged);
  const needed = count * type.bytes;
  if (end - begin !== needed) {
    throw damaged(
      field,
      `shape [${shape.join(", ")}] of ${type.safetensors} needs ${needed} bytes, but data_offsets give ${end - begin}`,
    );
  }
  return { name, dtype: type.safetensors, type, shape: shape as number[], begin, end };
}

function readOffsets(offsets: unknown, field: string, damaged: Damaged): [number, number] {
  const isPair =
    Array.isArray(offsets) &&
    offsets.length === 2 &&
    offsets.every((offset) => Number.isSafeInteger(offset) && offset >= 0) &&
    offsets[0] <= offsets[1];
  if (!isPair) throw damaged(field, "data_offsets must be two ascending integers");
  return [offsets[0] as number, offsets[1] as number];
}

function refuseGaps(entries: readonly Entry[], dataBytes: number, damaged: Damaged): void {
  let expected = 0;
  for (const { name, begin, end } of entries) {
    if (begin !== expected) {
      const how = begin < expected ? "overlaps the array before it" : "leaves a gap before it";
      throw damaged(`array ${quoted(name)}`, how);
    }
    expected = end;
  }
  if (expected !== dataBytes) {
    const what = dataBytes < expected ? "is truncated" : "has bytes after the last array";
    throw damaged("data", `${what}: the header describes ${expected} bytes, found ${dataBytes}`);
  }
}

/** Reads and checks a safetensors file; see `decodeSafetensors`. Throws ArrayFileError. */
export async function readSafetensors(path: string): Promise<ArrayFile> {
  return decodeSafetensors(await readBytes(path), path);
}

/** Writes a safetensors file, atomically; see `writeFileAtomic` for the errors. */
export async function writeSafetensors(
  path: string,
  file: ArrayFile,
  options: WriteOptions = {},
): Promise<void> {
  await writeFileAtomic(path, encodePieces(file), options);
}
