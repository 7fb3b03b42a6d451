import { zipSync, type Zippable } from "fflate";
import type { ArrayFile, NamedArray } from "./array-file.ts";
import { ArrayFileError, damagedFile } from "./error.ts";
import { parseJsonObject, quoted } from "./json-object.ts";
import { decodeNpy, encodeNpy } from "./npy.ts";
import { readBytes } from "./read-bytes.ts";
import { writeFileAtomic, type WriteOptions } from "./write-atomic.ts";
import { openZip } from "./zip-archive.ts";

/** npz has no metadata: they go into an array of bytes with this name, as JSON. */
const METADATA = "__metadata__";
const SUFFIX = ".npy";
const MAX_ZIP_BYTES = 2 ** 32 - 2 ** 20;

/** The bytes of an npz file (stored, not packed); the same content gives the same bytes. */
export function encodeNpz(file: ArrayFile): Uint8Array {
  const entries: Zippable = Object.create(null) as Zippable;
  // A fixed date, given in local time because zip stores local time.
  const options = { level: 0, mtime: new Date(1980, 0, 1) } as const;
  for (const name of Object.keys(file.arrays).sort()) {
    if (name === METADATA) throw new RangeError(`npz: "${METADATA}" cannot name an array`);
    entries[name + SUFFIX] = [encodeNpy(file.arrays[name]!), options];
  }
  if (Object.keys(file.metadata).length > 0) {
    const sorted = Object.entries(file.metadata).sort(([a], [b]) => (a < b ? -1 : 1));
    const data = new TextEncoder().encode(JSON.stringify(Object.fromEntries(sorted)));
    entries[METADATA + SUFFIX] = [encodeNpy({ shape: [data.length], data }), options];
  }
  return zipSync(entries);
}

/** The arrays and metadata in the bytes of an npz file. Throws ArrayFileError (exit code 1). */
export function decodeNpz(bytes: Uint8Array, source: string): ArrayFile {
  const damaged = damagedFile(source, "convert it with numpy or make the file again");
  const arrays = Object.create(null) as Record<string, NamedArray>;
  let metadata = Object.create(null) as Record<string, string>;
  for (const entry of openZip(bytes, source).values()) {
    const field = `array ${quoted(entry.name)}`;
    if (!entry.name.endsWith(SUFFIX)) throw damaged(field, "does not end in .npy");
    const name = entry.name.slice(0, -SUFFIX.length);
    const array = decodeNpy(entry.unpack(), (problem) => damaged(field, problem));
    if (name === METADATA) metadata = decodeMetadata(array, (p) => damaged(METADATA, p));
    else arrays[name] = array;
  }
  return { arrays, metadata };
}

function decodeMetadata(
  array: NamedArray,
  refuse: (problem: string) => Error,
): Record<string, string> {
  if (!(array.data instanceof Uint8Array)) throw refuse("is not JSON in bytes");
  const parsed = parseJsonObject(array.data, refuse);
  const metadata = Object.create(null) as Record<string, string>;
  for (const [key, text] of Object.entries(parsed)) {
    if (typeof text !== "string") throw refuse(`the value of ${quoted(key)} is not text`);
    metadata[key] = text;
  }
  return metadata;
}

/** Reads and checks an npz file, packed or not. Throws ArrayFileError. */
export async function readNpz(path: string): Promise<ArrayFile> {
  return decodeNpz(await readBytes(path), path);
}

/** Writes an npz file that `numpy.load` opens, atomically; see `writeFileAtomic` for the errors. */
export async function writeNpz(
  path: string,
  file: ArrayFile,
  options: WriteOptions = {},
): Promise<void> {
  const total = Object.values(file.arrays).reduce((sum, { data }) => sum + data.byteLength, 0);
  if (total > MAX_ZIP_BYTES) {
    throw new ArrayFileError({
      file: path,
      field: "",
      problem: `${total} bytes do not fit an npz file (4 GiB)`,
      remedy: "write a .safetensors file instead",
      exitCode: 2,
    });
  }
  await writeFileAtomic(path, encodeNpz(file), options);
}
