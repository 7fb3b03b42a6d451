import { readFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ArrayFileError, decodeTorchFile, type TorchValue } from "../src/index.ts";
import { openZip } from "../src/zip-archive.ts";
import { zipOf } from "./zip-builder.ts";

/*
 * Files that PyTorch wrote, changed at random. Two levels: bytes of the archive, which its checksums must catch; and
 * the pickle in it with all checksums made anew, as an attacker would. What is not refused must be a value.
 */
const files = ["values.pt", "torch-2.15.pt", "checkpoint.ckpt"].map((name) => {
  const bytes = new Uint8Array(readFileSync(join(import.meta.dirname, "fixtures", name)));
  const entries = [...openZip(bytes, name).values()].map((entry) => ({
    name: entry.name,
    data: entry.unpack(),
  }));
  const pickle = entries.find((entry) => entry.name.endsWith("/data.pkl"))!;
  return { name, bytes, entries, pickle, text: written(decodeTorchFile(bytes, name)) };
});

/** A value as text: equal texts, equal values. */
function written(value: TorchValue): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (part instanceof Map) return ["map", ...(part as ReadonlyMap<unknown, unknown>)];
    if (typeof part === "bigint") return ["bigint", String(part)];
    if (typeof part === "number" && !Number.isFinite(part)) return ["number", String(part)];
    if (Object.is(part, -0)) return ["number", "-0"];
    return ArrayBuffer.isView(part)
      ? [part.constructor.name, ...Buffer.from(part.buffer, part.byteOffset, part.byteLength)]
      : part;
  });
}

/** The value in a file, or undefined if it is refused as it should be. */
function valueOrRefusal(bytes: Uint8Array): TorchValue | undefined {
  try {
    return decodeTorchFile(bytes, "file.pt");
  } catch (error) {
    expect(error).toBeInstanceOf(ArrayFileError);
    const { message, problem, remedy } = error as ArrayFileError;
    expect(message).toMatch(/^file\.pt: [^\p{Cc}\u2028\u2029]+; [^\p{Cc}]+$/u);
    expect([problem, remedy]).not.toContain("");
    expect(message.length).toBeLessThan(500);
    return undefined;
  }
}

const code = (text: string): number[] => Array.from(text, (c) => c.charCodeAt(0));
const word = (text: string): string => `X${String.fromCharCode(text.length)}\0\0\0${text}`;

/** Pieces of pickle that do harm in an interpreter which does what it is told. */
const hostile: readonly string[] = [
  `cposix\nsystem\n${word("touch /tmp/pwned")}\x85R`,
  `cbuiltins\neval\n${word("1")}\x85R0`,
  `c__builtin__\nexec\n)R`,
  `ccollections\nOrderedDict\n(]tR`,
  `ctorch._utils\n_rebuild_device_tensor_from_numpy\n)R`,
  `ctorch\nload\n${word("x")}\x85R`,
  `\x8c\x05posix\x8c\x06system\x93)R`,
  `(i__main__\nX\n`,
  `}${word("__proto__")}}${word("polluted")}Ns s`.replace(" ", ""),
  `${word("__proto__")}${word("polluted")}s`,
  `}(${word("constructor")}}${word("prototype")}}${word("polluted")}\x88ssu`,
  "X\xff\xff\xff\xff",
  "X\xff\xff\xff\x7f",
  "\x8a\xff",
  "\x8b\xff\xff\xff\x7f",
  "\x8e\xff\xff\xff\xff\xff\xff\xff\x7f",
  "]".repeat(300),
  "(".repeat(300),
  `]q\x01${`(${"h\x01".repeat(20)}lq\x01`.repeat(12)}`,
  `]q\x01${`](${"h\x01".repeat(20)}eq\x01`.repeat(12)}`,
  `]q\x07h\x07a`,
  "r\xff\xff\xff\xff",
  "j\xff\xff\xff\xff",
  "NR",
  "}}b",
  "\x80\x05",
  "t",
  "u",
  "Q",
  "0",
  ".",
];

/** The starts of the instructions of a pickle, for pieces to be put between them. */
function instructionStarts(pickle: Uint8Array): number[] {
  const lengths: Readonly<Record<string, number>> = {
    "\x80": 1,
    K: 1,
    M: 2,
    J: 4,
    G: 8,
    q: 1,
    r: 4,
    h: 1,
    j: 4,
  };
  const starts: number[] = [];
  for (let at = 0; at < pickle.length;) {
    starts.push(at);
    const opcode = String.fromCharCode(pickle[at++]!);
    if (opcode === "X")
      at += 4 + new DataView(pickle.buffer, pickle.byteOffset + at).getUint32(0, true);
    else if (opcode === "\x8a") at += 1 + pickle[at]!;
    else if (opcode === "c") at = pickle.indexOf(10, pickle.indexOf(10, at) + 1) + 1;
    else at += lengths[opcode] ?? 0;
  }
  return starts;
}

/** A pickle of a file with random changes to it. */
function changedPickle(pickle: Uint8Array): fc.Arbitrary<Uint8Array> {
  const starts = instructionStarts(pickle);
  const start = fc.constantFrom(...starts);
  const byte = fc.nat({ max: 255 });
  const place = fc.nat({ max: pickle.length - 1 });
  const spliced = (at: number, removed: number, inserted: ArrayLike<number>): Uint8Array =>
    Uint8Array.from([
      ...pickle.subarray(0, at),
      ...Array.from(inserted),
      ...pickle.subarray(at + removed),
    ]);
  return fc.oneof(
    fc.tuple(place, byte).map(([at, value]) => spliced(at, 1, [value])),
    fc
      .tuple(place, fc.nat({ max: 7 }))
      .map(([at, bit]) => spliced(at, 1, [pickle[at]! ^ (1 << bit)])),
    place.map((at) => pickle.slice(0, at)),
    fc.tuple(start, fc.constantFrom(...hostile)).map(([at, piece]) => spliced(at, 0, code(piece))),
    fc.tuple(start, start).map(([at, end]) => spliced(at, Math.max(0, end - at), [])),
    fc
      .tuple(start, start, fc.nat({ max: 200 }))
      .map(([at, from, length]) => spliced(at, 0, pickle.slice(from, from + length))),
    fc
      .tuple(start, fc.constantFrom("\xff\xff\xff\xff", "\xff\xff\xff\x7f", "\0\0\0\x80"))
      .map(([at, size]) => spliced(at + 1, 4, code(size))),
    fc.tuple(start, fc.array(byte, { maxLength: 12 })).map(([at, noise]) => spliced(at, 0, noise)),
  );
}

describe.each(files)("$name, changed", ({ bytes, entries, pickle, text }) => {
  const anyBytes = fc.oneof(
    fc
      .record({ at: fc.nat({ max: bytes.length - 1 }), byte: fc.nat({ max: 255 }) })
      .map(({ at, byte }) => {
        const changed = bytes.slice();
        changed[at] = byte;
        return changed;
      }),
    fc.nat({ max: bytes.length - 1 }).map((length) => bytes.slice(0, length)),
    fc
      .tuple(fc.nat({ max: bytes.length }), fc.uint8Array({ minLength: 1, maxLength: 30 }))
      .map(([at, noise]) =>
        Uint8Array.from([...bytes.subarray(0, at), ...noise, ...bytes.subarray(at)]),
      ),
  );

  it("in its bytes: is refused or unchanged", () => {
    fc.assert(
      fc.property(anyBytes, (changed) => {
        const value = valueOrRefusal(changed);
        if (value !== undefined) expect(written(value)).toBe(text);
      }),
      { numRuns: 700 },
    );
  });

  it("in its pickle, with checksums that fit: is refused or a value, and nothing else happens", () => {
    const others = entries.filter(({ name }) => name !== pickle.name);
    fc.assert(
      fc.property(changedPickle(pickle.data), (data) => {
        const value = valueOrRefusal(zipOf([{ name: pickle.name, data }, ...others]));
        // Whoever walks through the value without a memory of what was seen must come to an end.
        if (value !== undefined) written(value);
        expect(Object.keys(Object.prototype)).toEqual([]);
        expect("polluted" in {}).toBe(false);
      }),
      { numRuns: 1300 },
    );
  });

  it("in an archive that is built to deceive: is refused or unchanged", () => {
    const name = pickle.name;
    const place = (at: number): string => entries[at % entries.length]!.name;
    const number = fc.constantFrom(0, 1, 30, 2 ** 16, 2 ** 31, 2 ** 32 - 1);
    const deceit = fc.record(
      {
        crc: number,
        size: number,
        method: fc.constantFrom(0, 8, 9, 99),
        flags: fc.nat({ max: 65_535 }),
        localHeader: fc.nat({ max: 4000 }),
        zip64: fc.boolean(),
        omitData: fc.boolean(),
        name: fc.constantFrom(
          name,
          "../../etc/passwd",
          "/data.pkl",
          "x/../data.pkl",
          "a/data.pkl",
          "",
        ),
      },
      { requiredKeys: [] },
    );
    const archive = fc.record(
      { comment: fc.string(), zip64: fc.boolean(), entries: number, directoryOffset: number },
      { requiredKeys: [] },
    );
    fc.assert(
      fc.property(fc.nat(), deceit, archive, fc.boolean(), (at, wrong, whole, isDouble) => {
        const changed = entries.map((entry) =>
          entry.name === place(at) ? { ...entry, ...wrong } : entry,
        );
        const all = isDouble ? [...changed, entries[at % entries.length]!] : changed;
        const value = valueOrRefusal(zipOf(all, whole));
        if (value !== undefined) expect(written(value)).toBe(text);
      }),
      { numRuns: 300 },
    );
  });
});
