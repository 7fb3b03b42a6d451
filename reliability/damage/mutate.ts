import type { Random } from "@implicit-rank/random";

/** A damaged copy of a file, and what was done to it. */
export interface Mutation {
  readonly what: string;
  readonly bytes: Uint8Array;
}

type Change = (bytes: Uint8Array, random: Random) => Mutation;

/** Half-open, at least one byte, nowhere if there is none. */
function range(bytes: Uint8Array, random: Random, longest: number): readonly [number, number] {
  if (bytes.length === 0) return [0, 0];
  const start = random.int(bytes.length);
  return [start, Math.min(bytes.length, start + 1 + random.int(longest))];
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

function overwritten(bytes: Uint8Array, at: number, value: Uint8Array): Uint8Array {
  const copy = bytes.slice();
  copy.set(value.subarray(0, Math.max(0, bytes.length - at)), at);
  return copy;
}

function randomBytes(random: Random, count: number): Uint8Array {
  return Uint8Array.from({ length: count }, () => random.int(256));
}

/** Bytes that mean something unusual as a number. */
const HOSTILE_NUMBERS: readonly Uint8Array[] = [
  new Uint8Array(8).fill(0xff),
  new Uint8Array(8),
  Uint8Array.of(0, 0, 0, 0, 0, 0, 0, 0x80),
  Uint8Array.of(0, 0, 0xc0, 0x7f), // NaN, float32
  Uint8Array.of(0, 0, 0x80, 0x7f), // infinite, float32
  Uint8Array.of(0, 0, 0, 0, 0, 0, 0xf8, 0x7f), // NaN, float64
  Uint8Array.of(0xff, 0xff, 0xff, 0x7f),
  Uint8Array.of(1, 0, 0, 0, 0, 0, 0x10, 0),
];

/** What failing disks, broken copies and wrong programs do to any file. */
const anyFile: readonly Change[] = [
  (bytes, random) => {
    const copy = bytes.slice();
    const at = random.int(Math.max(1, bytes.length));
    const bit = random.int(8);
    if (bytes.length > 0) copy[at]! ^= 1 << bit;
    return { what: `bit ${bit} of byte ${at} flipped`, bytes: copy };
  },
  (bytes, random) => {
    const copy = bytes.slice();
    const count = 2 + random.int(14);
    for (let i = 0; i < count && bytes.length > 0; i++)
      copy[random.int(bytes.length)]! ^= 1 << random.int(8);
    return { what: `${count} bits flipped`, bytes: copy };
  },
  (bytes, random) => {
    const [at] = range(bytes, random, 1);
    return { what: `byte ${at} replaced`, bytes: overwritten(bytes, at, randomBytes(random, 1)) };
  },
  (bytes, random) => {
    const length = random.int(bytes.length + 1);
    return { what: `cut off after ${length} bytes`, bytes: bytes.slice(0, length) };
  },
  (bytes, random) => {
    const length = random.int(Math.min(bytes.length, 24) + 1);
    return { what: `cut off after ${length} bytes`, bytes: bytes.slice(0, length) };
  },
  (bytes, random) => {
    const length = Math.max(0, bytes.length - 1 - random.int(16));
    return { what: `cut off after ${length} bytes`, bytes: bytes.slice(0, length) };
  },
  (bytes, random) => {
    const count = 1 + random.int(64);
    const zeros = random.int(2) === 0;
    const tail = zeros ? new Uint8Array(count) : randomBytes(random, count);
    return {
      what: `${count} ${zeros ? "zeros" : "random bytes"} appended`,
      bytes: joined(bytes, tail),
    };
  },
  (bytes, random) => {
    const [start, end] = range(bytes, random, 600);
    return {
      what: `bytes ${start} to ${end} zeroed`,
      bytes: overwritten(bytes, start, new Uint8Array(end - start)),
    };
  },
  (bytes, random) => {
    const [start, end] = range(bytes, random, 64);
    return {
      what: `bytes ${start} to ${end} left out`,
      bytes: joined(bytes.subarray(0, start), bytes.subarray(end)),
    };
  },
  (bytes, random) => {
    const [start, end] = range(bytes, random, 64);
    return {
      what: `bytes ${start} to ${end} doubled`,
      bytes: joined(bytes.subarray(0, end), bytes.subarray(start)),
    };
  },
  (bytes, random) => {
    const size = 1 + random.int(64);
    const [a] = range(bytes, random, 1);
    const [b] = range(bytes, random, 1);
    const [blockA, blockB] = [bytes.slice(a, a + size), bytes.slice(b, b + size)];
    return {
      what: `blocks of ${size} bytes at ${a} and ${b} swapped`,
      bytes: overwritten(overwritten(bytes, a, blockB), b, blockA),
    };
  },
  (bytes, random) => {
    const length = 1 + random.int(Math.min(256, Math.max(1, bytes.length)));
    return { what: `first ${length} bytes doubled`, bytes: joined(bytes.slice(0, length), bytes) };
  },
  (bytes, random) => {
    const number = random.int(HOSTILE_NUMBERS.length);
    const at =
      random.int(2) === 0 ? random.int(Math.min(64, bytes.length + 1)) : range(bytes, random, 1)[0];
    return {
      what: `hostile number ${number} at byte ${at}`,
      bytes: overwritten(bytes, at, HOSTILE_NUMBERS[number]!),
    };
  },
];

const HOSTILE_VALUES = [
  "NaN",
  "Infinity",
  "-1",
  "0",
  "0.5",
  "1e999",
  "-1e308",
  "99999999999999999999",
  "4294967296",
  "null",
  "true",
  '""',
  '"x"',
  "[]",
  "{}",
  '{"__proto__":{"epoch":1}}',
];

/** Replaces one match of a pattern, if there is any. */
function replaceOne(
  bytes: Uint8Array,
  random: Random,
  pattern: RegExp,
  replacement: (match: string) => string,
): Mutation {
  const text = Buffer.from(bytes).toString("latin1");
  const matches = [...text.matchAll(pattern)];
  if (matches.length === 0) return { what: `no ${pattern}`, bytes };
  const { index, 0: match } = matches[random.int(matches.length)]!;
  const wanted = replacement(match);
  return {
    what: `${JSON.stringify(match)} at ${index} replaced by ${JSON.stringify(wanted.slice(0, 60))}`,
    bytes: new Uint8Array(
      Buffer.from(text.slice(0, index) + wanted + text.slice(index + match.length), "latin1"),
    ),
  };
}

/** What hands and programs do to text files of numbers. */
const textFile: readonly Change[] = [
  (bytes, random) =>
    replaceOne(bytes, random, /\d/g, (digit) => String((Number(digit) + 1 + random.int(9)) % 10)),
  (bytes, random) =>
    replaceOne(bytes, random, /(?<=[:[,]\s*)-?\d[\d.eE+-]*/g, (number) =>
      random.int(3) === 0 ? `-${number}` : HOSTILE_VALUES[random.int(HOSTILE_VALUES.length)]!,
    ),
  (bytes, random) =>
    replaceOne(
      bytes,
      random,
      /"[^"\n]*"(?!\s*:)/g,
      () => HOSTILE_VALUES[random.int(HOSTILE_VALUES.length)]!,
    ),
  (bytes, random) =>
    replaceOne(
      bytes,
      random,
      /"[^"\n]*"(?=\s*:)/g,
      () => ['"__proto__"', '"constructor"', '"x"', '""'][random.int(4)]!,
    ),
  (bytes, random) =>
    replaceOne(bytes, random, /(?<=version":\s*)"?\d+"?/g, () => String(2 + random.int(9))),
  (bytes, random) =>
    replaceOne(bytes, random, /true|false|null/g, (word) => (word === "true" ? "false" : "true")),
  (bytes, random) => replaceOne(bytes, random, /[^\n]*\n/g, () => ""),
  (bytes, random) => replaceOne(bytes, random, /[^\n]*\n/g, (line) => line + line),
  (bytes, random) => replaceOne(bytes, random, /[,:[\]{}"]/g, () => ""),
  (bytes, random) => replaceOne(bytes, random, /[:,]/g, (mark) => `${mark} \n`),
  (bytes, random) =>
    replaceOne(bytes, random, /(?<=[:[,]\s*)-?\d[\d.eE+-]*/g, () => "[".repeat(20_000)),
  (bytes, random) => replaceOne(bytes, random, /[a-z]/g, () => "\u0000"),
  (bytes, random) => replaceOne(bytes, random, /[a-z]/g, () => "\u00ff"),
];

/** A mutation drawn from all that may happen to a file of this kind. */
export function mutate(bytes: Uint8Array, content: "binary" | "text", random: Random): Mutation {
  const changes = content === "text" && random.int(2) === 0 ? textFile : anyFile;
  return changes[random.int(changes.length)]!(bytes, random);
}
