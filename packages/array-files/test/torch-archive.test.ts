import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { ArrayFileError, readTorchFile, type TorchKey, type TorchValue } from "../src/index.ts";
import { decodeTorchFile } from "../src/torch-archive.ts";
import { useTemporaryFolder } from "./temporary-folder.ts";
import { zipOf } from "./zip-builder.ts";

const temporary = useTemporaryFolder();
const fixture = (name: string) => join(import.meta.dirname, "fixtures", name);

const read = async (name: string) =>
  (await readTorchFile(fixture(name))) as ReadonlyMap<TorchKey, TorchValue>;

describe.each([
  ["1.13", "values.pt"],
  ["2.15", "torch-2.15.pt"],
])("a file of torch.save of PyTorch %s", async (_, name) => {
  const content = await read(name);

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

describe("what PyTorch 2 writes and earlier ones do not", () => {
  it("tensors of younger types, and sizes", async () => {
    const content = await read("torch-2.15.pt");
    expect(content.get("uint16")).toEqual({ shape: [2], data: Uint16Array.of(1, 65535) });
    expect(content.get("uint32")).toEqual({ shape: [2], data: Uint32Array.of(1, 2 ** 32 - 1) });
    expect(content.get("size")).toEqual([2, 3]);
  });

  const bytesOf = (text: string) => Uint8Array.from(text, (c) => c.charCodeAt(0));
  const word = (text: string) => `X${String.fromCharCode(text.length)}\0\0\0${text}`;
  const file = (pickle: string) =>
    zipOf([
      { name: "x/data.pkl", data: bytesOf(pickle) },
      { name: "x/.format_version", data: bytesOf("1") },
      { name: "x/.storage_alignment", data: bytesOf("64") },
      { name: "x/byteorder", data: bytesOf("little") },
      { name: "x/data/0", data: Uint8Array.of(1, 0, 255, 255) },
      { name: "x/version", data: bytesOf("3\n") },
      { name: "x/.data/serialization_id", data: bytesOf("0123456789") },
    ]);
  const persistent = (type: string, length: string) =>
    `((${word("storage")}c${type}\n${word("0")}${word("cuda:0")}${length}tQ`;
  const rest = "K\0K\x02\x85K\x01\x85\x89ccollections\nOrderedDict\n)R";

  it("records, metadata and the device that it adds", () => {
    const tensor = `ctorch._utils\n_rebuild_tensor_v2\n${persistent("torch\nShortStorage", "K\x02")}${rest}}tR`;
    expect(decodeTorchFile(file(`\x80\x02${tensor}.`), "f")).toEqual({
      shape: [2],
      data: Int16Array.of(1, -1),
    });
  });

  it("element types that are younger than typed storages", () => {
    const tensor = (dtype: string, storage = "torch.storage\nUntypedStorage") =>
      `\x80\x02ctorch._utils\n_rebuild_tensor_v3\n${persistent(storage, "K\x04")}${rest}ctorch\n${dtype}\n}tR.`;
    expect(decodeTorchFile(file(tensor("uint16")), "f")).toEqual({
      shape: [2],
      data: Uint16Array.of(1, 65535),
    });
    for (const dtype of ["float8_e4m3fn", "uint64"]) {
      expect(() => decodeTorchFile(file(tensor(dtype)), "f")).toThrow(
        `f: data.pkl: a tensor of "torch.${dtype}" is not supported; only`,
      );
    }
    expect(() => decodeTorchFile(file(tensor("uint16", "torch\nShortStorage")), "f")).toThrow(
      'a tensor of "torch.uint16" is not supported',
    );
  });

  it("sizes of tensors", () => {
    expect(decodeTorchFile(file("\x80\x02ctorch\nSize\nK\x02K\x03\x86\x85R."), "f")).toEqual([
      2, 3,
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
    ["numpy.npz", "data.pkl: is missing"],
  ])("%s", async (name, problem) => {
    const path = fixture(name);
    await expect(readTorchFile(path)).rejects.toMatchObject({
      message: `${path}: ${problem}; only files of torch.save (PyTorch 1.6 or later) with tensors, numbers, text, lists and dictionaries can be read`,
      exitCode: 1,
    });
  });

  it("a file of PyTorch before 1.6, with the remedy", async () => {
    const path = fixture("legacy.pt");
    await expect(readTorchFile(path)).rejects.toMatchObject({
      message: `${path}: format: is that of PyTorch before 1.6; load it with PyTorch 1.6 or later and save it again`,
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
    ).toBe('a tensor of "torch.ComplexFloatStorage" is not supported');
  });

  it.each([
    ["", "pickle is truncated"],
    ["\x80\x04.", "is pickled with protocol 4 instead of 2, torch.save's own"],
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

  it("texts that are not UTF-8; they are else kept to the letter", () => {
    expect(problemOf(pickled("\x80\x02X\x01\0\0\0\xff."))).toBe("has text that is not in UTF-8");
    expect(decodeTorchFile(pickled("\x80\x02X\x04\0\0\0\xef\xbb\xbfa."), "f")).toBe("\ufeffa");
  });

  it("a name with an escape sequence is printed without it", () => {
    expect(problemOf(pickled("\x80\x02cx\u009b31m\u2028\ny\n."))).not.toMatch(/[\p{Cc}\p{Zl}]/u);
  });

  it("one list at so many places that no one could walk through them", () => {
    const doubled = "](h\0h\0eq\0";
    const bomb = `\x80\x02]q\0${doubled.repeat(60)}.`;
    expect(problemOf(pickled(bomb))).toBe("repeats its parts without end");
    const long = `${text("x".repeat(100))}q\0`;
    const texts = `\x80\x02]${long}](${"h\0".repeat(100)}eq\x01](${"h\x01".repeat(100)}eq\x02](${"h\x02".repeat(100)}e.`;
    expect(problemOf(pickled(texts))).toBe("repeats its parts without end");
    expect(decodeTorchFile(pickled("\x80\x02]q\0](h\0h\0e."), "f")).toEqual([[], []]);
  });

  it("nesting that is hidden behind a reference", () => {
    const nested = (levels: number): string => "]".repeat(levels) + "a".repeat(levels - 1);
    const behind = `\x80\x02](${nested(60)}q\0${"]".repeat(60)}h\0${"a".repeat(60)}e.`;
    expect(problemOf(pickled(behind))).toBe("is nested without end");
  });

  it("views of one storage that are more than the file could hold", () => {
    const megabyte = new Uint8Array(2 ** 20);
    const view = tensor("K\0", "J\0\0\x04\0\x85", "K\x01\x85", "J\0\0\x04\0");
    const one = view.slice(2, -1);
    const all = pickled(`\x80\x02](${one.repeat(1100)}e.`, megabyte);
    expect(problemOf(all)).toBe("tensors repeat the same data without end");
  });

  it("tensors of too many axes, and with flags", () => {
    const axes = `(${"K\x01".repeat(65)}t`;
    expect(problemOf(pickled(tensor("K\0", axes, axes)))).toBe("a tensor shape is garbled");
    const conjugate = tensor("K\0", "K\x02\x85", "K\x01\x85").replace(
      ")RtR.",
      `)R}${text("conj")}\x88stR.`,
    );
    expect(problemOf(pickled(conjugate))).toBe(
      "a tensor has flags (conjugate, negative) that are not known",
    );
  });

  it("a TorchScript program, and two pickles", () => {
    const data = Uint8Array.from("\x80\x02N.", (c) => c.charCodeAt(0));
    const entry = (name: string) => ({ name, data });
    expect(problemOf(zipOf([entry("x/data.pkl"), entry("x/constants.pkl")]))).toBe(
      "is a TorchScript program, not data of torch.save",
    );
    expect(problemOf(zipOf([entry("x/data.pkl"), entry("y/data.pkl")]))).toBe("is there twice");
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
});
