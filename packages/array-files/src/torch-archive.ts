import type { NamedArray } from "./array-file.ts";
import { elementCount, READABLE_TYPES } from "./element-type.ts";
import { damagedFile } from "./error.ts";
import { readBytes } from "./read-bytes.ts";
import { reorderStrided, rowMajorStrides } from "./strides.ts";
import { runTorchPickle, type ReadTensor, type TorchValue } from "./torch-pickle.ts";
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

/**
 * The value in a `.pt` file written by `torch.save` (PyTorch 1.6 or later): tensors, numbers, text, lists
 * and dictionaries of them. No code of the file runs; anything else in it is refused.
 * @throws ArrayFileError
 */
export async function readTorchFile(path: string): Promise<TorchValue> {
  return decodeTorchFile(await readBytes(path), path);
}

export function decodeTorchFile(bytes: Uint8Array, source: string): TorchValue {
  const damaged = damagedFile(
    source,
    "only files of torch.save (PyTorch 1.6 or later) with tensors, numbers, text, lists and dictionaries can be read",
  );
  if (!isZip(bytes)) throw damaged("format", "is no zip archive");
  const entries = openZip(bytes, source);
  const pickle = [...entries.values()].find((entry) => /^[^/]+\/data\.pkl$/.test(entry.name));
  if (pickle === undefined) throw damaged("data.pkl", "is missing");
  const folder = pickle.name.slice(0, -"data.pkl".length);
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
  return runTorchPickle(pickle.unpack(), tensorReader(readStorage, refuse), refuse);
}

type Refuse = (problem: string) => Error;

function unpackStorage(entry: ZipEntry | undefined, refuse: Refuse): Uint8Array {
  if (entry === undefined) throw refuse("the data of a tensor is missing");
  return entry.unpack();
}

function tensorReader(readStorage: (key: string) => Uint8Array, refuse: Refuse): ReadTensor {
  return (storage, offset, shape, strides): NamedArray => {
    const element = STORAGE_ELEMENTS.get(storage.type);
    const type = READABLE_TYPES.find((candidate) => candidate.safetensors === element);
    if (type === undefined) throw refuse(`${storage.type} is not supported`);
    const bytes = readStorage(storage.key);
    const length = Math.floor(bytes.length / type.bytes);
    if (storage.length !== length) throw refuse("the data of a tensor have the wrong size");
    const count = elementCount(shape);
    if (count === undefined || count > length) {
      throw refuse("a tensor is larger than its data (save a contiguous copy)");
    }
    refuseOutside(offset, shape, strides, count, length, refuse);
    const isContiguous = rowMajorStrides(shape).every(
      (stride, axis) => stride === strides[axis] || shape[axis] === 1,
    );
    if (isContiguous) return { shape, data: type.view(bytes, offset * type.bytes, count) };
    return { shape, data: reorderStrided(type.view(bytes, 0, length), shape, strides, offset) };
  };
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
