import { join } from "node:path";
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import {
  ArrayFileError,
  decodeSafetensors,
  encodeSafetensors,
  readSafetensors,
  writeSafetensors,
} from "../src/index.ts";
import { findPython, runPython } from "./python.ts";
import { arrayFiles, entriesOf, SAMPLE } from "./sample-files.ts";
import { useTemporaryFolder } from "./temporary-folder.ts";

const temporary = useTemporaryFolder();

/** A file with this header text, the header length that fits it (or another) and this many data bytes. */
function fileWith(header: unknown, dataBytes = 0, headerLength?: bigint): Uint8Array {
  const text = typeof header === "string" ? header : JSON.stringify(header);
  const json = new TextEncoder().encode(text);
  const bytes = new Uint8Array(8 + json.length + dataBytes);
  new DataView(bytes.buffer).setBigUint64(0, headerLength ?? BigInt(json.length), true);
  bytes.set(json, 8);
  return bytes;
}

function messageOf(bytes: Uint8Array): string {
  try {
    decodeSafetensors(bytes, "f");
  } catch (error) {
    expect(error).toBeInstanceOf(ArrayFileError);
    expect((error as ArrayFileError).exitCode).toBe(1);
    const { message } = error as ArrayFileError;
    expect(message.split("\n")).toHaveLength(1);
    expect(message).toMatch(/^f: .*; the file is damaged or no safetensors file: make it again$/);
    return message.slice(
      "f: ".length,
      -"; the file is damaged or no safetensors file: make it again".length,
    );
  }
  throw new Error("was accepted");
}

const F32 = (shape: readonly unknown[], begin: unknown, end: unknown) => ({
  dtype: "F32",
  shape,
  data_offsets: [begin, end],
});

describe("round trip", () => {
  it("keeps every type, shape and bit", () => {
    expect(entriesOf(decodeSafetensors(encodeSafetensors(SAMPLE), "f"))).toEqual(entriesOf(SAMPLE));
  });

  it("keeps any names and metadata", () => {
    fc.assert(
      fc.property(arrayFiles, (file) => {
        expect(entriesOf(decodeSafetensors(encodeSafetensors(file), "f"))).toEqual(entriesOf(file));
      }),
    );
  });

  it("keeps arrays that start anywhere in their buffer, and bytes that do", () => {
    const data = new Float32Array(10).map((_, i) => i).subarray(3, 7);
    const encoded = encodeSafetensors({ arrays: { a: { shape: [4], data } }, metadata: {} });
    const shifted = new Uint8Array(encoded.length + 3);
    shifted.set(encoded, 3);
    const decoded = decodeSafetensors(shifted.subarray(3), "f");
    expect([...decoded.arrays.a!.data]).toEqual([3, 4, 5, 6]);
  });

  it("through a file", async () => {
    await writeSafetensors(temporary("a.safetensors"), SAMPLE);
    expect(entriesOf(await readSafetensors(temporary("a.safetensors")))).toEqual(entriesOf(SAMPLE));
  });
});

describe("layout", () => {
  it("is the same whatever the order of names", () => {
    const reversed = {
      arrays: Object.fromEntries(Object.entries(SAMPLE.arrays).reverse()),
      metadata: Object.fromEntries(Object.entries(SAMPLE.metadata).reverse()),
    };
    expect(encodeSafetensors(reversed)).toEqual(encodeSafetensors(SAMPLE));
  });

  it("aligns the data and every array in it", () => {
    const bytes = encodeSafetensors(SAMPLE);
    const length = Number(new DataView(bytes.buffer).getBigUint64(0, true));
    expect(length % 8).toBe(0);
    const header = JSON.parse(new TextDecoder().decode(bytes.subarray(8, 8 + length))) as Record<
      string,
      { data_offsets: [number, number] }
    >;
    for (const [name, { data }] of Object.entries(SAMPLE.arrays)) {
      expect(header[name]!.data_offsets[0] % data.BYTES_PER_ELEMENT).toBe(0);
    }
  });

  it("is these bytes for one small array", () => {
    const file = { arrays: { x: { shape: [1], data: Float32Array.of(1) } }, metadata: { k: "v" } };
    const text = '{"__metadata__":{"k":"v"},"x":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}';
    const expected = [
      80,
      0,
      0,
      0,
      0,
      0,
      0,
      0,
      ...new TextEncoder().encode(text.padEnd(80)),
      0,
      0,
      0x80,
      0x3f,
    ];
    expect([...encodeSafetensors(file)]).toEqual(expected);
  });
});

describe("types that are converted", () => {
  it("reads half precision exactly, subnormals and infinities included", () => {
    const halves = Uint16Array.of(0x3c00, 0xc000, 0x0001, 0x7bff, 0x7c00, 0xfc00, 0x7e00, 0x8000);
    const header = { h: { dtype: "F16", shape: [8], data_offsets: [0, 16] } };
    const bytes = fileWith(header, 16);
    bytes.set(new Uint8Array(halves.buffer), bytes.length - 16);
    const { data } = decodeSafetensors(bytes, "f").arrays.h!;
    expect([...data]).toEqual([1, -2, 2 ** -24, 65504, Infinity, -Infinity, NaN, -0]);
  });

  it("reads bfloat16 exactly and booleans as 0 and 1", () => {
    const header = {
      b: { dtype: "BF16", shape: [2], data_offsets: [0, 4] },
      t: { dtype: "BOOL", shape: [2], data_offsets: [4, 6] },
    };
    const bytes = fileWith(header, 6);
    bytes.set([0x80, 0x3f, 0x49, 0xc0, 0, 1], bytes.length - 6);
    const { arrays } = decodeSafetensors(bytes, "f");
    expect([...arrays.b!.data]).toEqual([1, -3.140625]);
    expect([...arrays.t!.data]).toEqual([0, 1]);
  });
});

describe("hostile and damaged files are refused by name", () => {
  const named = (header: unknown, dataBytes = 0, length?: bigint) =>
    messageOf(fileWith(header, dataBytes, length));

  it("header length", () => {
    expect(messageOf(new Uint8Array(7))).toBe("header length: the file has 7 bytes, fewer than 8");
    expect(named("{}", 0, 3n)).toBe("header length: 3 bytes, but only 2 follow");
    expect(named("{}", 0, 2n ** 64n - 1n)).toBe(
      "header length: 18446744073709551615 bytes, more than 100000000",
    );
  });

  it("header that is no object of JSON", () => {
    expect(named("{")).toBe("header: is not valid JSON");
    expect(named("[]")).toBe("header: is not a JSON object");
    expect(named('"text"')).toBe("header: is not a JSON object");
    expect(named("\ufeff{}")).toBe("header: is not valid JSON");
    const invalidUtf8 = fileWith("{}  ");
    invalidUtf8[10] = 0xff;
    expect(messageOf(invalidUtf8)).toBe("header: is not valid JSON");
    expect(named("[".repeat(200_000))).toBe("header: is not valid JSON");
  });

  it("names given twice, at every level", () => {
    const entry = JSON.stringify(F32([1], 0, 4));
    expect(named(`{"a":${entry},"a":${entry}}`, 4)).toBe("header: gives a name twice");
    expect(named(`{"a":${entry},"\\u0061":${entry}}`, 4)).toBe("header: gives a name twice");
    expect(named('{"__metadata__":{"k":"1","k":"2"}}')).toBe("header: gives a name twice");
    expect(named('{"a":{"dtype":"F32","dtype":"F64","shape":[1],"data_offsets":[0,4]}}', 4)).toBe(
      "header: gives a name twice",
    );
  });

  it("entries of the wrong form", () => {
    expect(named({ a: 1 })).toBe('array "a": is not an object');
    expect(named({ a: { ...F32([1], 0, 4), more: 1 } }, 4)).toBe(
      'array "a": has the unknown key "more"',
    );
    expect(named({ a: { shape: [1], data_offsets: [0, 4] } }, 4)).toBe(
      'array "a": element type missing is not supported',
    );
    expect(named({ a: { ...F32([1], 0, 4), dtype: "F8_E4M3" } }, 4)).toBe(
      'array "a": element type "F8_E4M3" is not supported',
    );
    expect(named({ a: { dtype: "F32", data_offsets: [0, 4] } }, 4)).toBe('array "a": has no shape');
  });

  it.each([[[-1]], [[1.5]], [["1"]], [[2 ** 53]], [[2 ** 30, 2 ** 30]], [[null]], [[[1]]]])(
    "shape %j",
    (shape) => {
      expect(named({ a: F32(shape, 0, 4) }, 4)).toBe(
        'array "a": shape must be integers ≥ 0 with a product below 2^53',
      );
    },
  );

  it("a huge shape without data, before allocating anything", () => {
    expect(named({ a: F32([2 ** 40], 0, 4) }, 4)).toBe(
      'array "a": shape [1099511627776] of F32 needs 4398046511104 bytes, but data_offsets give 4',
    );
  });

  it.each([[[4, 0]], [[0]], [[0, 4, 8]], [[-4, 0]], [[0, "4"]], [[0, 1.5]], [null], ["04"]])(
    "offsets %j",
    (offsets) => {
      expect(named({ a: { dtype: "F32", shape: [1], data_offsets: offsets } }, 4)).toBe(
        'array "a": data_offsets must be two ascending integers',
      );
    },
  );

  it("gaps, overlaps, truncation and rest", () => {
    const pair = (begin: number) => ({ a: F32([1], 0, 4), b: F32([1], begin, begin + 4) });
    expect(named(pair(5), 9)).toBe('array "b": leaves a gap before it');
    expect(named(pair(2), 6)).toBe('array "b": overlaps the array before it');
    expect(named(pair(0), 4)).toBe('array "b": overlaps the array before it');
    expect(named(pair(4), 7)).toBe("data: is truncated: the header describes 8 bytes, found 7");
    expect(named(pair(4), 9)).toBe(
      "data: has bytes after the last array: the header describes 8 bytes, found 9",
    );
  });

  it("metadata that is not text", () => {
    expect(named({ __metadata__: [] })).toBe("__metadata__: is not an object");
    expect(named({ __metadata__: { k: 1 } })).toBe('__metadata__: the value of "k" is not text');
  });

  it("names that are long or hold control characters stay short and on one line", () => {
    expect(named({ ["x".repeat(1000)]: 1 })).toBe(`array "${"x".repeat(59)}…": is not an object`);
    expect(named({ "a\n\u001b[2J": 1 })).toBe('array "a\\n\\u001b[2J": is not an object');
  });

  it("__proto__ is a name like any other and pollutes nothing", () => {
    const bytes = fileWith('{"__proto__":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4);
    const { arrays } = decodeSafetensors(bytes, "f");
    expect(Object.keys(arrays)).toEqual(["__proto__"]);
    expect(({} as Record<string, unknown>).dtype).toBeUndefined();
    expect((arrays as Record<string, unknown>).toString).toBeUndefined();
  });

  it("any change of a byte gives a file or this error, nothing else", () => {
    const original = encodeSafetensors(SAMPLE);
    fc.assert(
      fc.property(fc.nat({ max: original.length - 1 }), fc.nat({ max: 255 }), (at, byte) => {
        const changed = original.slice();
        changed[at] = byte;
        try {
          decodeSafetensors(changed, "f");
        } catch (error) {
          expect(error).toBeInstanceOf(ArrayFileError);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it("any truncation is refused", () => {
    const original = encodeSafetensors(SAMPLE);
    for (let length = 0; length < original.length; length++) {
      expect(() => decodeSafetensors(original.subarray(0, length), "f")).toThrow(ArrayFileError);
    }
  });
});

describe("writing refuses what cannot be a file", () => {
  it.each([
    [
      { a: { shape: [2], data: new Float32Array(3) } },
      'array "a": shape [2] does not fit 3 elements',
    ],
    [
      { a: { shape: [-1], data: new Float32Array(1) } },
      'array "a": shape [-1] does not fit 1 elements',
    ],
    [{ __metadata__: { shape: [0], data: new Float32Array(0) } }, "cannot name an array"],
  ])("%j", (arrays, message) => {
    expect(() => encodeSafetensors({ arrays, metadata: {} })).toThrow(message);
  });

  it("also data that is no typed array", () => {
    const arrays = { a: { shape: [1], data: [1] as unknown as Float32Array } };
    expect(() => encodeSafetensors({ arrays, metadata: {} })).toThrow(TypeError);
  });
});

const python = findPython("safetensors", "numpy");
describe("Python's safetensors", () => {
  beforeEach(({ skip }) => {
    if (python === undefined) skip("needs a Python that has safetensors and numpy");
  });
  it("opens our files and sees the same values", async () => {
    await writeSafetensors(temporary("a.safetensors"), SAMPLE);
    const program = `
import sys, json, hashlib
from safetensors import safe_open
with safe_open(sys.argv[1], "np") as f:
    arrays = {k: f.get_tensor(k) for k in f.keys()}
    print(json.dumps({"metadata": f.metadata(), "arrays": {k: [list(a.shape), a.tobytes().hex()] for k, a in arrays.items()}}))`;
    const seen = runPython(python!, program, temporary("a.safetensors"));
    const hex = Object.entries(SAMPLE.arrays).map(([name, { shape, data }]) => [
      name,
      [shape, Buffer.from(data.buffer).toString("hex")],
    ]);
    expect(seen).toEqual({ metadata: SAMPLE.metadata, arrays: Object.fromEntries(hex) });
  });
});

it("reads a file that Python's safetensors wrote", async () => {
  const fixture = join(import.meta.dirname, "fixtures", "python.safetensors");
  const { arrays, metadata } = await readSafetensors(fixture);
  expect({ ...metadata }).toEqual({ who: "python" });
  expect(arrays.b).toEqual({ shape: [2, 3], data: Float32Array.of(0, 1, 2, 3, 4, 5) });
  expect(arrays.a).toEqual({ shape: [3], data: BigInt64Array.of(1n, 2n, 3n) });
  expect(arrays.h).toEqual({ shape: [2], data: Float32Array.of(0.5, 2) });
  expect(arrays.t).toEqual({ shape: [2], data: Uint8Array.of(1, 0) });
});
