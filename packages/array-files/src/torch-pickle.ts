import type { NamedArray } from "./array-file.ts";
import { quoted } from "./json-object.ts";

/*
 * The pickle instructions of a `data.pkl` that torch.save wrote for tensors, numbers, text, lists and
 * dictionaries. A pickle is a program; this interpreter knows five functions, none of which can do
 * anything but build such a value, and refuses everything else.
 */
export type TorchValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | NamedArray
  | readonly TorchValue[]
  | ReadonlyMap<TorchKey, TorchValue>;
export type TorchKey = string | number | bigint | boolean;

/** Gives the tensor at `offset` with `shape` and `strides` in the storage `key` of torch class `type`. */
export type ReadTensor = (
  storage: { readonly type: string; readonly key: string; readonly length: number },
  offset: number,
  shape: readonly number[],
  strides: readonly number[],
) => NamedArray;

type Refuse = (problem: string) => Error;

/* What may lie on the stack besides finished values. */
interface Global {
  readonly global: string;
}
interface Tuple {
  readonly tuple: readonly Item[];
}
interface Storage {
  readonly storage: { readonly type: string; readonly key: string; readonly length: number };
}
interface Mark {
  readonly mark: true;
}
type Item = Plain | Global | Tuple | Storage | Mark | NamedArray | Item[] | Map<TorchKey, Item>;
type Plain = null | boolean | number | bigint | string;

const MARK: Mark = { mark: true };
const ORDERED_DICT = "collections.OrderedDict";
const REBUILD_TENSOR = "torch._utils._rebuild_tensor_v2";
const REBUILD_PARAMETER = "torch._utils._rebuild_parameter";
const STORAGE_TYPE = /^torch\.[A-Z][A-Za-z0-9]*Storage$/;
const MAX_DEPTH = 100;

const STOP = 0x2e;

function isGlobal(item: Item | undefined, name?: string): item is Global {
  if (typeof item !== "object" || item === null || !("global" in item)) return false;
  return name === undefined || item.global === name;
}

function isTuple(item: Item | undefined): item is Tuple {
  return typeof item === "object" && item !== null && "tuple" in item;
}

function isStorage(item: Item | undefined): item is Storage {
  return typeof item === "object" && item !== null && "storage" in item;
}

function isArray(item: Item | undefined): item is NamedArray {
  return typeof item === "object" && item !== null && "shape" in item;
}

/** Runs the pickle in `bytes`. `refuse` makes the error for anything but the few known constructs. */
export function runTorchPickle(
  bytes: Uint8Array,
  readTensor: ReadTensor,
  refuse: Refuse,
): TorchValue {
  const machine = new PickleMachine(bytes, readTensor, refuse);
  return finish(machine.run(), refuse);
}

class PickleMachine {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly #readTensor: ReadTensor;
  readonly #refuse: Refuse;
  readonly #stack: Item[] = [];
  readonly #memo = new Map<number, Item>();
  #position = 0;

  constructor(bytes: Uint8Array, readTensor: ReadTensor, refuse: Refuse) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#readTensor = readTensor;
    this.#refuse = refuse;
  }

  run(): Item {
    for (;;) {
      const opcode = this.#byte();
      if (opcode === STOP) return this.#pop();
      this.#execute(opcode);
    }
  }

  #execute(opcode: number): void {
    const stack = this.#stack;
    switch (String.fromCharCode(opcode)) {
      case "\x80": {
        const protocol = this.#byte();
        if (protocol !== 2) throw this.#refuse(`pickle protocol ${protocol}, only 2 is known`);
        return;
      }
      case "(":
        stack.push(MARK);
        return;
      case "N":
        stack.push(null);
        return;
      case "\x88":
        stack.push(true);
        return;
      case "\x89":
        stack.push(false);
        return;
      case "K":
        stack.push(this.#byte());
        return;
      case "M":
        stack.push(this.#number(2, (at) => this.#view.getUint16(at, true)));
        return;
      case "J":
        stack.push(this.#number(4, (at) => this.#view.getInt32(at, true)));
        return;
      case "G":
        stack.push(this.#number(8, (at) => this.#view.getFloat64(at, false)));
        return;
      case "\x8a":
        stack.push(this.#long());
        return;
      case "X":
        stack.push(this.#text(this.#uint32()));
        return;
      case "c":
        stack.push(this.#global());
        return;
      case "}":
        stack.push(new Map());
        return;
      case "]":
        stack.push([]);
        return;
      case ")":
        stack.push({ tuple: [] });
        return;
      case "\x85":
        stack.push({ tuple: [this.#pop()] });
        return;
      case "\x86":
        stack.push({ tuple: this.#popMany(2) });
        return;
      case "\x87":
        stack.push({ tuple: this.#popMany(3) });
        return;
      case "t":
        stack.push({ tuple: this.#popToMark() });
        return;
      case "a":
        this.#append([this.#pop()]);
        return;
      case "e":
        this.#append(this.#popToMark());
        return;
      case "s":
        this.#setItems(this.#popMany(2));
        return;
      case "u":
        this.#setItems(this.#popToMark());
        return;
      case "q":
        this.#memo.set(this.#byte(), this.#top());
        return;
      case "r":
        this.#memo.set(this.#uint32(), this.#top());
        return;
      case "h":
        stack.push(this.#remembered(this.#byte()));
        return;
      case "j":
        stack.push(this.#remembered(this.#uint32()));
        return;
      case "Q":
        stack.push(this.#storage(this.#pop()));
        return;
      case "R":
        this.#call();
        return;
      case "b":
        this.#build();
        return;
      default:
        throw this.#refuse(`unknown pickle instruction 0x${opcode.toString(16)}`);
    }
  }

  #take(length: number): number {
    const start = this.#position;
    if (start + length > this.#bytes.length) throw this.#refuse("pickle is truncated");
    this.#position += length;
    return start;
  }

  #byte(): number {
    return this.#bytes[this.#take(1)]!;
  }

  #number(length: number, read: (at: number) => number): number {
    return read(this.#take(length));
  }

  #uint32(): number {
    return this.#number(4, (at) => this.#view.getUint32(at, true));
  }

  #text(length: number): string {
    const start = this.#take(length);
    return new TextDecoder().decode(this.#bytes.subarray(start, start + length));
  }

  /** Little-endian two's complement of up to 255 bytes; a number where that is exact. */
  #long(): number | bigint {
    const length = this.#byte();
    const start = this.#take(length);
    let value = 0n;
    for (let i = length - 1; i >= 0; i--) value = value * 256n + BigInt(this.#bytes[start + i]!);
    const signed = BigInt.asIntN(8 * length, value);
    return BigInt.asIntN(53, signed) === signed ? Number(signed) : signed;
  }

  #line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#position);
    if (end < 0) throw this.#refuse("pickle is truncated");
    const text = this.#text(end - this.#position);
    this.#position = end + 1;
    return text;
  }

  #global(): Global {
    const module = this.#line();
    const name = `${module}.${this.#line()}`;
    const known = [ORDERED_DICT, REBUILD_TENSOR, REBUILD_PARAMETER].includes(name);
    if (!known && !STORAGE_TYPE.test(name)) {
      throw this.#refuse(`asks for ${quoted(name)}, which could run code and is not loaded`);
    }
    return { global: name };
  }

  #top(): Item {
    const item = this.#stack.at(-1);
    if (item === undefined) throw this.#refuse("pickle is garbled");
    return item;
  }

  #pop(): Item {
    const item = this.#top();
    if (item === MARK) throw this.#refuse("pickle is garbled");
    this.#stack.pop();
    return item;
  }

  #popMany(count: number): Item[] {
    const items: Item[] = [];
    for (let i = 0; i < count; i++) items.unshift(this.#pop());
    return items;
  }

  #popToMark(): Item[] {
    const mark = this.#stack.lastIndexOf(MARK);
    if (mark < 0) throw this.#refuse("pickle is garbled");
    const items = this.#stack.splice(mark);
    return items.slice(1);
  }

  #remembered(index: number): Item {
    const item = this.#memo.get(index);
    if (item === undefined) throw this.#refuse("pickle is garbled");
    return item;
  }

  #append(items: Item[]): void {
    const list = this.#top();
    if (!Array.isArray(list)) throw this.#refuse("pickle is garbled");
    for (const item of items) list.push(item);
  }

  #setItems(items: Item[]): void {
    const map = this.#top();
    if (!(map instanceof Map) || items.length % 2 !== 0) throw this.#refuse("pickle is garbled");
    for (let i = 0; i < items.length; i += 2) {
      const key = items[i];
      if (typeof key !== "string" && typeof key !== "number" && typeof key !== "boolean") {
        throw this.#refuse("a dictionary key is neither text nor a number");
      }
      map.set(key, items[i + 1]!);
    }
  }

  #storage(id: Item): Storage {
    const [kind, type, key, , length] = isTuple(id) ? id.tuple : [];
    if (
      kind !== "storage" ||
      !isGlobal(type) ||
      !STORAGE_TYPE.test(type.global) ||
      typeof key !== "string" ||
      typeof length !== "number"
    ) {
      throw this.#refuse("a tensor storage is garbled");
    }
    return { storage: { type: type.global, key, length } };
  }

  #call(): void {
    const args = this.#pop();
    const callee = this.#pop();
    if (!isTuple(args) || !isGlobal(callee)) throw this.#refuse("pickle is garbled");
    this.#stack.push(this.#apply(callee, args.tuple));
  }

  #apply(callee: Global, args: readonly Item[]): Item {
    if (isGlobal(callee, ORDERED_DICT) && args.length === 0) return new Map();
    if (isGlobal(callee, REBUILD_PARAMETER) && isArray(args[0])) return args[0];
    if (isGlobal(callee, REBUILD_TENSOR)) {
      const [storage, offset, shape, strides] = args;
      if (isStorage(storage) && typeof offset === "number") {
        return this.#readTensor(storage.storage, offset, this.#sizes(shape), this.#sizes(strides));
      }
    }
    throw this.#refuse(`calls ${quoted(callee.global)} in an unknown way`);
  }

  #sizes(item: Item | undefined): number[] {
    if (!isTuple(item)) throw this.#refuse("a tensor shape is garbled");
    return item.tuple.map((size) => {
      if (typeof size !== "number") throw this.#refuse("a tensor shape is garbled");
      return size;
    });
  }

  /** State dictionaries carry an attribute `_metadata` with layer versions, which means nothing here. */
  #build(): void {
    const state = this.#pop();
    if (!(state instanceof Map) || !(this.#top() instanceof Map)) {
      throw this.#refuse("sets attributes of an unknown object");
    }
  }
}

/** Turns stack items into values, each once; refuses cycles and what is no value of its own. */
function finish(root: Item, refuse: Refuse): TorchValue {
  const finished = new Map<object, TorchValue>();
  const open = new Set<object>();
  const visit = (item: Item, depth: number): TorchValue => {
    if (typeof item !== "object" || item === null) return item;
    if (isArray(item)) return item;
    const known = finished.get(item);
    if (known !== undefined) return known;
    if (open.has(item) || depth > MAX_DEPTH) throw refuse("is nested without end");
    open.add(item);
    const value = convert(item, (child) => visit(child, depth + 1), refuse);
    open.delete(item);
    finished.set(item, value);
    return value;
  };
  return visit(root, 0);
}

function convert(
  item: Exclude<Item, Plain | NamedArray>,
  visit: (child: Item) => TorchValue,
  refuse: Refuse,
): TorchValue {
  if (Array.isArray(item)) return item.map(visit);
  if (item instanceof Map) return new Map([...item].map(([key, child]) => [key, visit(child)]));
  if (isTuple(item)) return item.tuple.map(visit);
  throw refuse("holds a value that is neither tensor, number, text, list nor dictionary");
}
