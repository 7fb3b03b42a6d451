import type { NamedArray } from "./array-file.ts";
import { elementCount, type ElementType, READABLE_TYPES } from "./element-type.ts";
import { damagedFile } from "./error.ts";
import { quoted } from "./json-object.ts";
import { readBytes } from "./read-bytes.ts";
import { reorderStrided, rowMajorStrides } from "./strides.ts";
import {
  runTorchPickle,
  type ReadTensor,
  type TorchStorage,
  type TorchValue,
} from "./torch-pickle.ts";
import { isZip, openZip, type ZipEntry } from "./zip-archive.ts";

/** torch storage classes and the safetensors names of their elements. */
const STORAGE_ELEMENTS: ReadonlyMap<string, string> = new Map([
  ["torch.FloatStorage", "F32"],
  ["torch.DoubleStorage", "F64"],
  ["torch.HalfStorage", "F16"],
  ["torch.BFloat16Storage", "BF16"],
  ["torch.LongStorage", "I64"],
  ["torch.IntStorage", "I32"],
  ["torch.ShortStorage", "I16"],
  ["torch.CharStorage", "I8"],
  ["torch.ByteStorage", "U8"],
  ["torch.BoolStorage", "BOOL"],
]);

/** Element types of tensors in a storage without a type of its own, and their names in safetensors. */
const UNTYPED_STORAGE = "torch.storage.UntypedStorage";
const DTYPES: ReadonlyMap<string, string> = new Map([
  ["torch.uint16", "U16"],
  ["torch.uint32", "U32"],
]);

/** A pickle of this number begins the files of PyTorch before 1.6. */
const LEGACY_MAGIC = [0x80, 0x02, 0x8a, 0x0a, 0x6c, 0xfc, 0x9c, 0x46, 0xf9, 0x20, 0x6a, 0xa8, 0x50];

/** The tensors of a file may have 1 GiB, or 100 times its size, in all: more is taken for a bomb. */
const UNSUSPICIOUS_BYTES = 2 ** 30;
const UNSUSPICIOUS_RATIO = 100;

/**
 * The value in a `.pt` file written by `torch.save` (PyTorch 1.6 or later): tensors, numbers, text, lists
 * and dictionaries of them. No code of the file runs; anything else in it is refused.
 * @throws ArrayFileError
 */
export async function readTorchFile(path: string): Promise<TorchValue> {
  return decodeTorchFile(await readBytes(path), path);
}

/**
 * `readTorchFile` for bytes that are in memory.
 *
 * @param source name of the file, for messages.
 * @throws ArrayFileError if the bytes are not a file of `torch.save`, are damaged, or hold anything but
 * tensors, numbers, text, lists and dictionaries.
 */
export function decodeTorchFile(bytes: Uint8Array, source: string): TorchValue {
  const damaged = damagedFile(
    source,
    "only files of torch.save (PyTorch 1.6 or later) with tensors, numbers, text, lists and dictionaries can be read",
  );
  if (LEGACY_MAGIC.every((byte, i) => bytes[i] === byte)) throw legacyFormat(source);
  if (!isZip(bytes)) throw damaged("format", "is no zip archive");
  const entries = openZip(bytes, source);
  const [pickle, other] = [...entries.values()].filter(({ name }) =>
    /^[^/]+\/data\.pkl$/.test(name),
  );
  if (pickle === undefined) throw damaged("data.pkl", "is missing");
  if (other !== undefined) throw damaged("data.pkl", "is there twice");
  const folder = pickle.name.slice(0, -"data.pkl".length);
  if (entries.has(`${folder}constants.pkl`)) {
    throw damaged("format", "is a TorchScript program, not data of torch.save");
  }
  const byteOrder = entries.get(`${folder}byteorder`);
  if (byteOrder !== undefined && new TextDecoder().decode(byteOrder.unpack()) !== "little") {
    throw damaged("byteorder", "is not little");
  }
  const refuse = (problem: string) => damaged("data.pkl", problem);
  const storages = new Map<string, Uint8Array>();
  const readStorage = (key: string): Uint8Array => {
    const known = storages.get(key) ?? unpackStorage(entries.get(`${folder}data/${key}`), refuse);
    storages.set(key, known);
    return known;
  };
  const mostBytes = Math.max(UNSUSPICIOUS_BYTES, UNSUSPICIOUS_RATIO * bytes.length);
  return runTorchPickle(pickle.unpack(), tensorReader(readStorage, mostBytes, refuse), refuse);
}

function legacyFormat(source: string): Error {
  return damagedFile(source, "load it with PyTorch 1.6 or later and save it again")(
    "format",
    "is that of PyTorch before 1.6",
  );
}

type Refuse = (problem: string) => Error;

function unpackStorage(entry: ZipEntry | undefined, refuse: Refuse): Uint8Array {
  if (entry === undefined) throw refuse("the data of a tensor is missing");
  return entry.unpack();
}

function tensorReader(
  readStorage: (key: string) => Uint8Array,
  mostBytes: number,
  refuse: Refuse,
): ReadTensor {
  let total = 0;
  return (storage, { offset, shape, strides, dtype }): NamedArray => {
    const type = elementTypeIn(storage, dtype, refuse);
    const bytes = readStorage(storage.key);
    const declared = storage.length * (dtype === undefined ? type.bytes : 1);
    if (declared !== bytes.length) throw refuse("the data of a tensor have the wrong size");
    const length = Math.floor(bytes.length / type.bytes);
    const count = elementCount(shape);
    if (count === undefined || count > length) {
      throw refuse("a tensor is larger than its data (save a contiguous copy)");
    }
    total += count * type.bytes;
    if (total > mostBytes) throw refuse("tensors repeat the same data without end");
    refuseOutside(offset, shape, strides, count, length, refuse);
    const isContiguous = rowMajorStrides(shape).every(
      (stride, axis) => stride === strides[axis] || shape[axis] === 1,
    );
    if (isContiguous) return { shape, data: type.view(bytes, offset * type.bytes, count) };
    return { shape, data: reorderStrided(type.view(bytes, 0, length), shape, strides, offset) };
  };
}

function elementTypeIn(
  storage: TorchStorage,
  dtype: string | undefined,
  refuse: Refuse,
): ElementType {
  const isUntyped = storage.type === UNTYPED_STORAGE;
  const name = dtype ?? storage.type;
  const element = (isUntyped ? DTYPES : STORAGE_ELEMENTS).get(name);
  const type = READABLE_TYPES.find((candidate) => candidate.safetensors === element);
  if (type === undefined) throw refuse(`a tensor of ${quoted(name)} is not supported`);
  return type;
}

function refuseOutside(
  offset: number,
  shape: readonly number[],
  strides: readonly number[],
  count: number,
  length: number,
  refuse: Refuse,
): void {
  const plausible =
    strides.length === shape.length &&
    [offset, ...strides].every((value) => Number.isSafeInteger(value) && value >= 0);
  if (!plausible) throw refuse("a tensor shape is garbled");
  const last = shape.reduce((sum, size, axis) => sum + (size - 1) * strides[axis]!, offset);
  const end = count === 0 ? offset : last + 1;
  if (!(end <= length)) throw refuse("a tensor reaches beyond its data");
}
