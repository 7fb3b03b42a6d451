import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import fc from "fast-check";
import { readFileSync } from "node:fs";
import { ArrayFileError, readTorchFile, type TorchKey, type TorchValue } from "../src/index.ts";
import { decodeTorchFile } from "../src/torch-archive.ts";
import { useTemporaryFolder } from "./temporary-folder.ts";
import { zipOf } from "./zip-builder.ts";

const temporary = useTemporaryFolder();
const fixture = (name: string) => join(import.meta.dirname, "fixtures", name);

describe("a file of torch.save", async () => {
  const content = (await readTorchFile(fixture("values.pt"))) as ReadonlyMap<TorchKey, TorchValue>;

  it.each([
    ["float", [1, 3], Float32Array.of(1.5, -2.25, 3)],
    ["double", [1], Float64Array.of(1e300)],
    ["half", [4], Float32Array.of(0.5, 65504, Infinity, 2 ** -24)],
    ["bfloat", [2], Float32Array.of(1, -3)],
    ["long", [2], BigInt64Array.of(2n ** 40n, -1n)],
    ["int", [1], Int32Array.of(-7)],
    ["short", [1], Int16Array.of(-300)],
    ["char", [1], Int8Array.of(-5)],
    ["byte", [1], Uint8Array.of(250)],
    ["bool", [2], Uint8Array.of(1, 0)],
    ["slice", [2, 3], Float32Array.of(8, 9, 10, 14, 15, 16)],
    ["scalar", [], Float32Array.of(4)],
    ["empty", [0, 3], new Float32Array(0)],
    ["param", [2], Float32Array.of(1, 1)],
  ] as const)("tensor %s", (name, shape, data) => {
    const tensor = content.get(name) as { shape: unknown; data: unknown };
    // 6e-8 is no half-precision number; torch rounded it to the smallest, 2^-24.
    expect(tensor).toEqual({ shape: [...shape], data });
  });

  it("a transposed tensor, in row-major order of its own shape", () => {
    const expected = Float32Array.from({ length: 24 }, (_, i) => (i % 4) * 6 + Math.floor(i / 4));
    expect(content.get("transposed")).toEqual({ shape: [6, 4], data: expected });
  });

  it("settings", () => {
    expect(content.get("settings")).toEqual(
      new Map<TorchKey, unknown>([
        ["n", null],
        ["t", true],
        ["i", -3],
        ["big", 2n ** 70n],
        ["minus_big", -(2n ** 70n)],
        ["f", 0.1],
        ["s", "grüße"],
        ["list", [1, [2, "x"]]],
        ["tuple", [1, 2, 3, 4]],
        [1, "int key"],
      ]),
    );
  });

  it("state and ordered dictionaries", () => {
    expect([...(content.get("state") as Map<string, unknown>).keys()]).toEqual(["weight", "bias"]);
    expect([...(content.get("ordered") as Map<string, unknown>)]).toEqual([
      ["b", 1],
      ["a", 2],
    ]);
  });
});

describe("what is refused", () => {
  it.each([
    ["evil.pt", 'data.pkl: asks for "posix.system", which could run code and is not loaded'],
    [
      "module.pt",
      'data.pkl: asks for "torch.nn.modules.linear.Linear", which could run code and is not loaded',
    ],
    ["expanded.pt", "data.pkl: a tensor is larger than its data (save a contiguous copy)"],
    ["cycle.pt", "data.pkl: is nested without end"],
    ["legacy.pt", "format: is no zip archive"],
    ["numpy.npz", "data.pkl: is missing"],
  ])("%s", async (name, problem) => {
    const path = fixture(name);
    await expect(readTorchFile(path)).rejects.toMatchObject({
      message: `${path}: ${problem}; only files of torch.save (PyTorch 1.6 or later) with tensors, numbers, text, lists and dictionaries can be read`,
      exitCode: 1,
    });
  });

  const pickled = (program: string, storage = new Uint8Array(8)) =>
    zipOf([
      { name: "x/data.pkl", data: Uint8Array.from(program, (c) => c.charCodeAt(0)) },
      { name: "x/data/0", data: storage },
    ]);
  const problemOf = (bytes: Uint8Array) => {
    try {
      decodeTorchFile(bytes, "f");
    } catch (error) {
      expect(error).toBeInstanceOf(ArrayFileError);
      return (error as ArrayFileError).problem;
    }
    throw new Error("was accepted");
  };
  const text = (value: string) => `X${String.fromCharCode(value.length)}\0\0\0${value}`;
  const tensor = (
    offset: string,
    shape: string,
    strides: string,
    length = "K\x02",
    type = "FloatStorage",
  ) =>
    `\x80\x02ctorch._utils\n_rebuild_tensor_v2\n((${text("storage")}ctorch\n${type}\n${text("0")}${text("cpu")}${length}tQ${offset}${shape}${strides}\x89ccollections\nOrderedDict\n)RtR.`;

  it("tensors that reach beyond their data", () => {
    expect(decodeTorchFile(pickled(tensor("K\0", "K\x02\x85", "K\x01\x85")), "f")).toEqual({
      shape: [2],
      data: new Float32Array(2),
    });
    expect(problemOf(pickled(tensor("K\x01", "K\x02\x85", "K\x01\x85")))).toBe(
      "a tensor reaches beyond its data",
    );
    expect(problemOf(pickled(tensor("K\0", "K\x02\x85", "K\x02\x85")))).toBe(
      "a tensor reaches beyond its data",
    );
    expect(problemOf(pickled(tensor("J\xff\xff\xff\xff", "K\x01\x85", "K\x01\x85")))).toBe(
      "a tensor shape is garbled",
    );
    expect(problemOf(pickled(tensor("K\0", "K\x03\x85", "K\0\x85")))).toBe(
      "a tensor is larger than its data (save a contiguous copy)",
    );
    expect(problemOf(pickled(tensor("K\0", "J\0\0\0\x7fJ\0\0\0\x7f\x86", "K\0K\0\x86")))).toBe(
      "a tensor is larger than its data (save a contiguous copy)",
    );
    expect(problemOf(pickled(tensor("K\0", "K\x02\x85", "K\x01K\x01\x86")))).toBe(
      "a tensor shape is garbled",
    );
    expect(problemOf(pickled(tensor("K\0", "K\x02\x85", "K\x01\x85", "K\x03")))).toBe(
      "the data of a tensor have the wrong size",
    );
    expect(
      problemOf(pickled(tensor("K\0", "K\x02\x85", "K\x01\x85", "K\x02", "ComplexFloatStorage"))),
    ).toBe("torch.ComplexFloatStorage is not supported");
  });

  it.each([
    ["", "pickle is truncated"],
    ["\x80\x04.", "pickle protocol 4, only 2 is known"],
    ["\x80\x02i", "unknown pickle instruction 0x69"],
    ["\x80\x02.", "pickle is garbled"],
    ["\x80\x02(.", "pickle is garbled"],
    ["\x80\x02t.", "pickle is garbled"],
    ["\x80\x02h\x05.", "pickle is garbled"],
    [
      "\x80\x02ccollections\nOrderedDict\n.",
      "holds a value that is neither tensor, number, text, list nor dictionary",
    ],
    [
      "\x80\x02cbuiltins\neval\n.",
      'asks for "builtins.eval", which could run code and is not loaded',
    ],
    ["\x80\x02}]]s.", "a dictionary key is neither text nor a number"],
    ["\x80\x02X\xff\xff\xff\x7fab.", "pickle is truncated"],
    [`\x80\x02${"]".repeat(200)}${"a".repeat(199)}.`, "is nested without end"],
  ])("the pickle %j", (program, problem) => {
    expect(problemOf(pickled(program))).toBe(problem);
  });

  it("a big-endian file", () => {
    const entries = [
      { name: "x/data.pkl", data: Uint8Array.from("\x80\x02N.", (c) => c.charCodeAt(0)) },
      { name: "x/byteorder", data: new TextEncoder().encode("big") },
    ];
    expect(problemOf(zipOf(entries))).toBe("is not little");
  });

  it("text instead of a file", async () => {
    await writeFile(temporary("x.pt"), "hello");
    await expect(readTorchFile(temporary("x.pt"))).rejects.toThrow("format: is no zip archive");
  });

  it("any change of a byte gives a value or this error, nothing else", () => {
    const original = new Uint8Array(readFileSync(fixture("values.pt")));
    fc.assert(
      fc.property(fc.nat({ max: original.length - 1 }), fc.nat({ max: 255 }), (at, byte) => {
        const changed = original.slice();
        changed[at] = byte;
        try {
          decodeTorchFile(changed, "f");
        } catch (error) {
          expect(error).toBeInstanceOf(ArrayFileError);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
