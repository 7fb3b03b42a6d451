import { createHash } from "node:crypto";
import { open, type FileHandle } from "node:fs/promises";
import type { ArrayData } from "./array-file.ts";
import { hashLine } from "./content-hash.ts";
import { bytesOf, elementCount, elementTypeOf } from "./element-type.ts";
import { ArrayFileError, readError } from "./error.ts";
import { quoted } from "./json-object.ts";
import {
  dataStartOf,
  decodeHeader,
  encodeHeader,
  layOut,
  type ArrayDeclaration,
  type SafetensorsHeader,
} from "./safetensors.ts";
import { writeAtomic, writeWhole, type OpenFile, type WriteOptions } from "./write-atomic.ts";

/** An array whose bytes come in pieces, in order. */
export interface StreamedArray extends ArrayDeclaration {
  /** The bytes of the array, little-endian and row-major, in pieces of any size. */
  readonly pieces: () => Iterable<Uint8Array> | AsyncIterable<Uint8Array>;
}

/** Room that is kept in the header for metadata that is known only at the end. */
const METADATA_BYTES = 16_384;

/**
 * Writes a safetensors file that need not fit memory, atomically. The arrays are asked for their pieces
 * one after another (wide elements first, then by name); `metadata` is called after the last piece, for
 * hashes and statistics of what was written.
 * @throws RangeError if pieces or metadata have another size than declared; ArrayFileError as
 *   `writeFileAtomic` does
 */
export async function writeSafetensorsStream(
  path: string,
  arrays: readonly StreamedArray[],
  metadata: () => Readonly<Record<string, string>>,
  options: WriteOptions = {},
): Promise<void> {
  const entries = layOut(arrays);
  const headerBytes = encodeHeader(entries, {}).length + METADATA_BYTES;
  const byName = new Map(arrays.map((array) => [array.name, array]));
  await writeAtomic(path, options, async (file) => {
    for (const { name, begin, end } of entries) {
      const { pieces } = byName.get(name)!;
      await writePieces(file, pieces(), headerBytes + begin, headerBytes + end, name);
    }
    const header = encodeHeader(entries, metadata(), headerBytes);
    if (header.length !== headerBytes)
      throw new RangeError("safetensors: the metadata are too long");
    await writeWhole(file, header, 0);
  });
}

async function writePieces(
  file: OpenFile,
  pieces: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  begin: number,
  end: number,
  name: string,
): Promise<void> {
  let position = begin;
  for await (const piece of pieces) {
    if (position + piece.length > end) throw unfitting(name);
    await writeWhole(file, piece, position);
    position += piece.length;
  }
  if (position !== end) throw unfitting(name);
}

function unfitting(name: string): RangeError {
  return new RangeError(`array "${name}": pieces do not fit the shape`);
}

/** A safetensors file that is open for reading parts of its arrays. */
export interface SafetensorsReader extends SafetensorsHeader {
  /** `count` rows (along the first axis) from `first` on. Throws ArrayFileError if there is no such array or row. */
  readRows(name: string, first: number, count: number): Promise<ArrayData>;
  /** The `contentHash` of all arrays, read piece by piece. */
  contentHash(): Promise<string>;
  /** Closes the file; nothing can be read afterwards. */
  close(): Promise<void>;
}

/** Opens a safetensors file; the header is checked in full, the arrays stay on disk. */
export async function openSafetensors(path: string): Promise<SafetensorsReader> {
  const file = await open(path, "r").catch((error: unknown) => {
    throw readError(path, error);
  });
  try {
    const { size } = await file.stat();
    const length = await readAt(file, 0, Math.min(8, size), path);
    const start = await readAt(file, 0, dataStartOf(length, size, path), path);
    const header = decodeHeader(start, size, path);
    return {
      ...header,
      readRows: (name, first, count) => readRows(file, path, header, name, first, count),
      contentHash: () => hashArrays(file, path, header),
      close: () => file.close(),
    };
  } catch (error) {
    await file.close();
    throw readError(path, error);
  }
}

async function readRows(
  file: FileHandle,
  path: string,
  { entries, dataStart }: SafetensorsHeader,
  name: string,
  first: number,
  count: number,
): Promise<ArrayData> {
  const entry = entries.find((candidate) => candidate.name === name);
  const rows = entry?.shape[0];
  if (entry === undefined || rows === undefined || first < 0 || first + count > rows) {
    throw new ArrayFileError({
      file: path,
      field: `array ${quoted(name)}`,
      problem: `has no rows ${first} to ${first + count - 1}`,
      remedy: "make the file again",
      exitCode: 1,
    });
  }
  const rowElements = elementCount(entry.shape.slice(1))!;
  const start = dataStart + entry.begin + first * rowElements * entry.type.bytes;
  const bytes = await readAt(file, start, count * rowElements * entry.type.bytes, path);
  return entry.type.view(bytes, 0, count * rowElements);
}

const HASH_ELEMENTS = 2 ** 20;

async function hashArrays(
  file: FileHandle,
  path: string,
  { entries, dataStart }: SafetensorsHeader,
): Promise<string> {
  const hash = createHash("sha256");
  for (const { name, type, shape, begin } of entries.toSorted((a, b) =>
    a.name < b.name ? -1 : 1,
  )) {
    const { safetensors: dtype } = elementTypeOf(type.view(new Uint8Array(0), 0, 0));
    hash.update(hashLine(name, dtype, shape));
    const elements = elementCount(shape)!;
    for (let first = 0; first < elements; first += HASH_ELEMENTS) {
      const count = Math.min(HASH_ELEMENTS, elements - first);
      const start = dataStart + begin + first * type.bytes;
      const bytes = await readAt(file, start, count * type.bytes, path);
      hash.update(bytesOf(type.view(bytes, 0, count)));
    }
  }
  return hash.digest("hex");
}

async function readAt(
  file: FileHandle,
  position: number,
  length: number,
  path: string,
): Promise<Uint8Array> {
  const bytes = new Uint8Array(length);
  let filled = 0;
  while (filled < length) {
    const wanted = Math.min(length - filled, 2 ** 30);
    const { bytesRead } = await file.read(bytes, filled, wanted, position + filled);
    if (bytesRead === 0) {
      throw new ArrayFileError({
        file: path,
        field: "",
        problem: "the file got shorter while it was read",
        remedy: "make it again",
        exitCode: 1,
      });
    }
    filled += bytesRead;
  }
  return bytes;
}
