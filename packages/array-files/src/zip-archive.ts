import { constants, inflateRawSync } from "node:zlib";
import { crc32 } from "./crc32.ts";
import { damagedFile } from "./error.ts";
import { quoted } from "./json-object.ts";

/*
 * A reader of zip archives held in memory, as far as npz and PyTorch files use them: central directory,
 * stored and deflated entries, zip64. Every size is checked before anything is allocated for it.
 */
const END_SIGNATURE = 0x06054b50;
const END_BYTES = 22;
const ZIP64_LOCATOR_SIGNATURE = 0x07064b50;
const ZIP64_LOCATOR_BYTES = 20;
const ZIP64_END_SIGNATURE = 0x06064b50;
const ZIP64_END_BYTES = 56;
const DIRECTORY_SIGNATURE = 0x02014b50;
const DIRECTORY_ENTRY_BYTES = 46;
const LOCAL_SIGNATURE = 0x04034b50;
const LOCAL_HEADER_BYTES = 30;
const IN_ZIP64 = 0xffffffff;
const ENCRYPTED = 1;
const STORED = 0;
const DEFLATED = 8;
/** Deflate cannot pack better than this. */
const MAX_DEFLATE_RATIO = 1032;
/** An archive may unpack to 1 GiB, or to 100 times its size: more is taken for a zip bomb. */
const UNSUSPICIOUS_BYTES = 2 ** 30;
const UNSUSPICIOUS_RATIO = 100;

export interface ZipEntry {
  readonly name: string;
  readonly size: number;
  /** The unpacked bytes, checked against size and CRC-32; stored entries share the archive's memory. */
  readonly unpack: () => Uint8Array;
}

interface DirectoryEntry {
  readonly name: string;
  readonly method: number;
  readonly crc: number;
  readonly packedSize: number;
  readonly size: number;
  readonly localHeader: number;
}

export function isZip(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && bytes[0] === 0x50 && bytes[1] === 0x4b && bytes[2]! <= 5;
}

/** The entries of an archive by name. Throws ArrayFileError for damaged and for hostile archives. */
export function openZip(bytes: Uint8Array, source: string): ReadonlyMap<string, ZipEntry> {
  const damaged = damagedFile(source, "the file is damaged, truncated or of the wrong kind");
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const listed = readDirectory(view, (problem) => damaged("zip directory", problem));

  const packed = listed.reduce((sum, entry) => sum + entry.packedSize, 0);
  const unpacked = listed.reduce((sum, entry) => sum + entry.size, 0);
  if (packed > bytes.length) throw damaged("zip directory", "entries overlap");
  if (unpacked > UNSUSPICIOUS_BYTES && unpacked > UNSUSPICIOUS_RATIO * bytes.length) {
    throw damaged("zip directory", `would unpack to ${unpacked} bytes, refused as a zip bomb`);
  }

  const entries = new Map<string, ZipEntry>();
  for (const entry of listed) {
    const field = `entry ${quoted(entry.name)}`;
    const refuse = (problem: string) => damaged(field, problem);
    if (entries.has(entry.name)) throw refuse("is there twice");
    entries.set(entry.name, {
      name: entry.name,
      size: entry.size,
      unpack: () => unpackEntry(bytes, view, entry, refuse),
    });
  }
  return entries;
}

type Refuse = (problem: string) => Error;

interface DirectoryPlace {
  readonly entries: number;
  readonly offset: number;
  readonly bytes: number;
}

function readDirectory(view: DataView, refuse: Refuse): DirectoryEntry[] {
  const place = findDirectory(view, refuse);
  if (place.offset + place.bytes > view.byteLength) throw refuse("lies outside the file");
  if (place.entries * DIRECTORY_ENTRY_BYTES > place.bytes) throw refuse("is too short");
  const entries: DirectoryEntry[] = [];
  let position = place.offset;
  const end = place.offset + place.bytes;
  for (let i = 0; i < place.entries; i++) {
    if (position + DIRECTORY_ENTRY_BYTES > end) throw refuse("is too short");
    if (view.getUint32(position, true) !== DIRECTORY_SIGNATURE) throw refuse("is garbled");
    const variable =
      view.getUint16(position + 28, true) +
      view.getUint16(position + 30, true) +
      view.getUint16(position + 32, true);
    const next = position + DIRECTORY_ENTRY_BYTES + variable;
    if (next > end) throw refuse("is too short");
    entries.push(readDirectoryEntry(view, position, refuse));
    position = next;
  }
  if (position !== end) throw refuse("has more entries than the file says");
  return entries;
}

/** The end record is the last thing in the file but for a comment of up to 65,535 bytes. */
function findDirectory(view: DataView, refuse: Refuse): DirectoryPlace {
  const last = view.byteLength - END_BYTES;
  for (let position = last; position >= 0 && position >= last - 0xffff; position--) {
    if (view.getUint32(position, true) !== END_SIGNATURE) continue;
    if (position + END_BYTES + view.getUint16(position + 20, true) !== view.byteLength) continue;
    const zip64 = findZip64Directory(view, position, refuse);
    if (zip64 !== undefined) return zip64;
    return {
      entries: view.getUint16(position + 10, true),
      bytes: view.getUint32(position + 12, true),
      offset: view.getUint32(position + 16, true),
    };
  }
  throw refuse("is missing");
}

function findZip64Directory(
  view: DataView,
  end: number,
  refuse: Refuse,
): DirectoryPlace | undefined {
  const locator = end - ZIP64_LOCATOR_BYTES;
  if (locator < 0 || view.getUint32(locator, true) !== ZIP64_LOCATOR_SIGNATURE) return undefined;
  const position = readUint64(view, locator + 8, refuse);
  if (position + ZIP64_END_BYTES > view.byteLength) throw refuse("lies outside the file");
  if (view.getUint32(position, true) !== ZIP64_END_SIGNATURE) throw refuse("is garbled");
  return {
    entries: readUint64(view, position + 32, refuse),
    bytes: readUint64(view, position + 40, refuse),
    offset: readUint64(view, position + 48, refuse),
  };
}

function readUint64(view: DataView, position: number, refuse: Refuse): number {
  const value = view.getBigUint64(position, true);
  if (value > BigInt(Number.MAX_SAFE_INTEGER)) throw refuse("gives an impossible size");
  return Number(value);
}

function readDirectoryEntry(view: DataView, position: number, refuse: Refuse): DirectoryEntry {
  const nameBytes = view.getUint16(position + 28, true);
  const extraBytes = view.getUint16(position + 30, true);
  const nameStart = position + DIRECTORY_ENTRY_BYTES;
  const name = readText(view, nameStart, nameBytes);
  if ((view.getUint16(position + 8, true) & ENCRYPTED) !== 0) {
    throw refuse(`entry ${quoted(name)} is encrypted`);
  }
  const narrow = {
    size: view.getUint32(position + 24, true),
    packedSize: view.getUint32(position + 20, true),
    localHeader: view.getUint32(position + 42, true),
  };
  const extraStart = nameStart + nameBytes;
  const places = widen(narrow, view, extraStart, extraStart + extraBytes, refuse);
  const method = view.getUint16(position + 10, true);
  if (method !== STORED && method !== DEFLATED) {
    throw refuse(`entry ${quoted(name)} is packed with the unsupported method ${method}`);
  }
  const possible =
    method === STORED
      ? places.size === places.packedSize
      : places.size <= MAX_DEFLATE_RATIO * places.packedSize;
  if (!possible) throw refuse(`entry ${quoted(name)} declares the impossible size ${places.size}`);
  return { name, method, crc: view.getUint32(position + 16, true), ...places };
}

function readText(view: DataView, start: number, length: number): string {
  return new TextDecoder().decode(new Uint8Array(view.buffer, view.byteOffset + start, length));
}

interface Places {
  readonly size: number;
  readonly packedSize: number;
  readonly localHeader: number;
}

/** Values of 2³² - 1 stand in the zip64 extra field (kind 1) as 64-bit numbers, in this order. */
function widen(narrow: Places, view: DataView, start: number, end: number, refuse: Refuse): Places {
  const wide = { ...narrow };
  const missing = (["size", "packedSize", "localHeader"] as const).filter(
    (key) => narrow[key] === IN_ZIP64,
  );
  if (missing.length === 0) return wide;
  let position = start;
  while (position + 4 <= end) {
    const kind = view.getUint16(position, true);
    const length = view.getUint16(position + 2, true);
    if (kind === 1 && length >= 8 * missing.length && position + 4 + length <= end) {
      missing.forEach((key, i) => {
        wide[key] = readUint64(view, position + 4 + 8 * i, refuse);
      });
      return wide;
    }
    position += 4 + length;
  }
  throw refuse("lacks a 64-bit size");
}

function unpackEntry(
  bytes: Uint8Array,
  view: DataView,
  entry: DirectoryEntry,
  refuse: Refuse,
): Uint8Array {
  const header = entry.localHeader;
  if (
    header + LOCAL_HEADER_BYTES > bytes.length ||
    view.getUint32(header, true) !== LOCAL_SIGNATURE
  ) {
    throw refuse("has no header");
  }
  const nameBytes = view.getUint16(header + 26, true);
  const start = header + LOCAL_HEADER_BYTES + nameBytes + view.getUint16(header + 28, true);
  if (start + entry.packedSize > bytes.length) throw refuse("is truncated");
  const name = readText(view, header + LOCAL_HEADER_BYTES, nameBytes);
  if (name !== entry.name) throw refuse(`is called ${quoted(name)} in its own header`);
  const packed = bytes.subarray(start, start + entry.packedSize);
  const unpacked = entry.method === STORED ? packed : inflate(packed, entry.size, refuse);
  if (unpacked.length !== entry.size) {
    throw refuse(`has ${unpacked.length} bytes instead of ${entry.size}`);
  }
  if (crc32(unpacked) !== entry.crc) throw refuse("fails its checksum");
  return unpacked;
}

/** Memory grows with what is really there, and stops at the declared size. */
function inflate(packed: Uint8Array, size: number, refuse: Refuse): Uint8Array {
  try {
    return inflateRawSync(packed, {
      maxOutputLength: Math.max(size, 1),
      finishFlush: constants.Z_FINISH,
    });
  } catch {
    throw refuse(`does not unpack to ${size} bytes`);
  }
}
