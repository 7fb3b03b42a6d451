import type { NamedArray } from "./array-file.ts";
import { quoted } from "./json-object.ts";

/*
 * The pickle instructions of a `data.pkl` that torch.save wrote for tensors, numbers, text, lists and
 * dictionaries. A pickle is a program; this interpreter knows a handful of functions, none of which can do
 * anything but build such a value, and refuses everything else. Work and memory grow with the length of the
 * program only.
 */

/**
 * What a file of `torch.save` may hold: tensors as named arrays, Python's None, numbers and text, lists and
 * tuples as lists, dictionaries as maps.
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

/** A key of a Python dictionary. */
export type TorchKey = string | number | bigint | boolean;

/** A storage of a torch class; its length is in elements. */
export interface TorchStorage {
  readonly type: string;
  readonly key: string;
  readonly length: number;
}

/** Where a tensor lies in its storage. `dtype` is given where the storage has no element type of its own. */
export interface TensorPlace {
  readonly offset: number;
  readonly shape: readonly number[];
  readonly strides: readonly number[];
  readonly dtype?: string;
}

export type ReadTensor = (storage: TorchStorage, place: TensorPlace) => NamedArray;

type Refuse = (problem: string) => Error;

/* What may lie on the stack besides finished values. */
interface Global {
  readonly global: string;
}
interface Tuple {
  readonly tuple: readonly Item[];
}
interface Storage {
  readonly storage: TorchStorage;
}
interface Mark {
  readonly mark: true;
}
type Item = Plain | Global | Tuple | Storage | Mark | NamedArray | Item[] | Map<TorchKey, Item>;
type Plain = null | boolean | number | bigint | string;

const MARK: Mark = { mark: true };
const ORDERED_DICT = "collections.OrderedDict";
const REBUILD_TENSOR = "torch._utils._rebuild_tensor_v2";
/** For element types that are younger than typed storages. */
const REBUILD_TENSOR_WITH_TYPE = "torch._utils._rebuild_tensor_v3";
const REBUILD_PARAMETER = "torch._utils._rebuild_parameter";
const SIZE = "torch.Size";
const FUNCTIONS: ReadonlySet<string> = new Set([
  ORDERED_DICT,
  REBUILD_TENSOR,
  REBUILD_TENSOR_WITH_TYPE,
  REBUILD_PARAMETER,
  SIZE,
]);
const STORAGE_TYPE = /^torch\.(storage\.Untyped|[A-Z][A-Za-z0-9]*)Storage$/;
const ELEMENT_TYPE = /^torch\.u?int\d+$|^torch\.b?float\d+\w*$|^torch\.bool$/;
const MAX_DEPTH = 100;
/** PyTorch has no tensors of more axes. */
const MAX_AXES = 64;
/**
 * One item may stand at many places of a value. Written out in full (as JSON, for example) it may have this many
 * characters and items for each byte of the pickle: more is taken for a bomb.
 */
const MOST_EXPANSION = 100;
const UNSUSPICIOUS_EXPANSION = 1e6;

const STOP = 0x2e;
const UTF8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

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
  const mostExpanded = UNSUSPICIOUS_EXPANSION + MOST_EXPANSION * bytes.length;
  return finish(machine.run(), mostExpanded, refuse);
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
        if (protocol !== 2)
          throw this.#refuse(`is pickled with protocol ${protocol} instead of 2, torch.save's own`);
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
    try {
      return UTF8.decode(this.#bytes.subarray(start, start + length));
    } catch {
      throw this.#refuse("has text that is not in UTF-8");
    }
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
    const known = FUNCTIONS.has(name) || STORAGE_TYPE.test(name) || ELEMENT_TYPE.test(name);
    if (!known) {
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
    if (isGlobal(callee, SIZE) && args.length === 1) return { tuple: this.#sizes(args[0]) };
    const withType = isGlobal(callee, REBUILD_TENSOR_WITH_TYPE);
    if (withType || isGlobal(callee, REBUILD_TENSOR)) {
      const [storage, offset, shape, strides, , , ...rest] = args;
      const [dtype, metadata = null] = withType ? rest : [undefined, ...rest];
      const isPlain = metadata === null || (metadata instanceof Map && metadata.size === 0);
      if (!isPlain)
        throw this.#refuse("a tensor has flags (conjugate, negative) that are not known");
      if (isStorage(storage) && typeof offset === "number" && isGlobal(dtype) === withType) {
        return this.#readTensor(storage.storage, {
          offset,
          shape: this.#sizes(shape),
          strides: this.#sizes(strides),
          ...(isGlobal(dtype) ? { dtype: dtype.global } : {}),
        });
      }
    }
    throw this.#refuse(`calls ${quoted(callee.global)} in an unknown way`);
  }

  #sizes(item: Item | undefined): number[] {
    if (!isTuple(item) || item.tuple.length > MAX_AXES) {
      throw this.#refuse("a tensor shape is garbled");
    }
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

/** A value, how much it is if written out in full, and how deep it is nested. */
interface Finished {
  readonly value: TorchValue;
  readonly expanded: number;
  readonly depth: number;
}

/**
 * Turns stack items into values, each once; refuses cycles, what is no value of its own, and values that would be
 * too large for anyone who walks through them.
 */
function finish(root: Item, mostExpanded: number, refuse: Refuse): TorchValue {
  const finished = new Map<object, Finished>();
  const open = new Set<object>();
  const visit = (item: Item, level: number): Finished => {
    if (typeof item === "string") return { value: item, expanded: 1 + item.length, depth: 0 };
    if (typeof item !== "object" || item === null) return { value: item, expanded: 1, depth: 0 };
    if (isArray(item)) return { value: item, expanded: 1, depth: 0 };
    const known = finished.get(item);
    if (open.has(item) || level + (known?.depth ?? 0) > MAX_DEPTH) {
      throw refuse("is nested without end");
    }
    if (known !== undefined) return known;
    open.add(item);
    let expanded = 1;
    let depth = 0;
    const child = (part: Item): TorchValue => {
      const inner = visit(part, level + 1);
      expanded += inner.expanded;
      depth = Math.max(depth, inner.depth + 1);
      if (expanded > mostExpanded) throw refuse("repeats its parts without end");
      return inner.value;
    };
    const value = convert(item, child, refuse);
    const result = { value, expanded, depth };
    open.delete(item);
    finished.set(item, result);
    return result;
  };
  return visit(root, 0).value;
}

function convert(
  item: Exclude<Item, Plain | NamedArray>,
  visit: (child: Item) => TorchValue,
  refuse: Refuse,
): TorchValue {
  if (Array.isArray(item)) return item.map(visit);
  if (item instanceof Map) {
    return new Map(Array.from(item, ([key, child]) => [visit(key) as TorchKey, visit(child)]));
  }
  if (isTuple(item)) return item.tuple.map(visit);
  throw refuse("holds a value that is neither tensor, number, text, list nor dictionary");
}
