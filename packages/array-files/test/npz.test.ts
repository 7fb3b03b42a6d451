import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { writeFile } from "node:fs/promises";
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { ArrayFileError, decodeNpz, encodeNpz, readNpz, writeNpz } from "../src/index.ts";
import { findPython, runPython } from "./python.ts";
import { arrayFiles, entriesOf, SAMPLE } from "./sample-files.ts";
import { useTemporaryFolder } from "./temporary-folder.ts";
import { zipOf } from "./zip-builder.ts";

const temporary = useTemporaryFolder();
const fixture = (name: string) => join(import.meta.dirname, "fixtures", name);

function npy(header: string, data: Uint8Array = new Uint8Array(0), version = 1): Uint8Array {
  const text = new TextEncoder().encode(header);
  const length =
    version === 1
      ? [text.length & 255, text.length >> 8]
      : [text.length & 255, text.length >> 8, 0, 0];
  return Uint8Array.of(
    0x93,
    ...new TextEncoder().encode("NUMPY"),
    version,
    0,
    ...length,
    ...text,
    ...data,
  );
}

function messageOf(bytes: Uint8Array): string {
  try {
    decodeNpz(bytes, "f");
  } catch (error) {
    expect(error).toBeInstanceOf(ArrayFileError);
    const { message } = error as ArrayFileError;
    expect(message.split("\n")).toHaveLength(1);
    return message.slice("f: ".length, message.lastIndexOf(";"));
  }
  throw new Error("was accepted");
}

describe("round trip", () => {
  it("keeps every type, shape and bit", () => {
    expect(entriesOf(decodeNpz(encodeNpz(SAMPLE), "f"))).toEqual(entriesOf(SAMPLE));
  });

  it("keeps any names and metadata", () => {
    fc.assert(
      fc.property(arrayFiles, (file) => {
        expect(entriesOf(decodeNpz(encodeNpz(file), "f"))).toEqual(entriesOf(file));
      }),
    );
  });

  it("gives the same bytes whatever the order of names", () => {
    const reversed = {
      arrays: Object.fromEntries(Object.entries(SAMPLE.arrays).reverse()),
      metadata: Object.fromEntries(Object.entries(SAMPLE.metadata).reverse()),
    };
    expect(encodeNpz(reversed)).toEqual(encodeNpz(SAMPLE));
  });
});

describe("files of numpy", () => {
  it("column-major, scalar, half, boolean, long and empty arrays", async () => {
    const { arrays, metadata } = await readNpz(fixture("numpy.npz"));
    expect({ ...metadata }).toEqual({});
    expect(arrays.c).toEqual({ shape: [2, 3], data: Float32Array.of(0, 1, 2, 3, 4, 5) });
    expect(arrays.fortran).toEqual({
      shape: [2, 3, 4],
      data: Int16Array.from({ length: 24 }, (_, i) => i),
    });
    expect(arrays.scalar).toEqual({ shape: [], data: Float64Array.of(2.5) });
    expect(arrays.half).toEqual({ shape: [2], data: Float32Array.of(0.5, -1) });
    expect(arrays.flags).toEqual({ shape: [2], data: Uint8Array.of(1, 0) });
    expect(arrays.long).toEqual({ shape: [1], data: BigInt64Array.of(2n ** 40n) });
    expect(arrays.empty).toEqual({ shape: [0, 3], data: new Float64Array(0) });
  });

  it("packed arrays", async () => {
    const { arrays } = await readNpz(fixture("numpy-packed.npz"));
    expect(arrays.zeros).toEqual({ shape: [5000], data: new Uint8Array(5000) });
  });

  it.each([
    ["numpy-object.npz", "holds pickled Python objects, which could run code"],
    ["numpy-text.npz", 'element type "<U2" is not supported'],
    ["numpy-big-endian.npz", 'element type ">f4" is big endian'],
    ["numpy-struct.npz", "structured arrays are not supported"],
  ])("%s is refused", async (name, problem) => {
    await expect(readNpz(fixture(name))).rejects.toThrow(
      `array "x.npy": ${problem}; convert it with numpy or make the file again`,
    );
  });
});

describe("npy headers", () => {
  const header = (shape: string, descr = "<f4") =>
    `{'descr': '${descr}', 'fortran_order': False, 'shape': (${shape}), }\n`;
  const one = (bytes: Uint8Array) =>
    messageOf(zipOf([{ name: "a.npy", data: bytes }])).replace('array "a.npy": ', "");

  it.each([2, 3])("of version %d", (version) => {
    const zip = zipOf([
      { name: "a.npy", data: npy(header("1,"), Uint8Array.of(0, 0, 128, 63), version) },
    ]);
    expect(decodeNpz(zip, "f").arrays.a).toEqual({ shape: [1], data: Float32Array.of(1) });
  });

  it("that are damaged or hostile", () => {
    expect(one(new Uint8Array(20))).toBe("is not in npy format");
    expect(one(npy(header("1,"), new Uint8Array(4), 4))).toBe(
      "npy version 4 is not known (1 to 3 are)",
    );
    expect(one(npy(header("1,")).subarray(0, 30))).toBe("npy header is truncated or too long");
    expect(one(npy("import os\n"))).toBe("npy header is garbled");
    expect(one(npy("{'fortran_order': False, 'shape': (1,), }"))).toBe("npy header lacks descr");
    expect(one(npy("{'descr': '<f4', 'shape': (1,), }", new Uint8Array(4)))).toBe(
      "npy header lacks fortran_order",
    );
    expect(one(npy("{'descr': '<f4', 'fortran_order': False}"))).toBe("npy header lacks a shape");
    expect(one(npy(header("-1,")))).toBe("npy header lacks a shape");
    expect(one(npy(header("1099511627776,")))).toBe(
      "shape (1099511627776) of <f4 needs 4398046511104 bytes, found 0",
    );
    expect(one(npy(header("9".repeat(400))))).toBe(
      "shape must be integers ≥ 0 with a product below 2^53",
    );
    expect(one(npy(header("2,"), new Uint8Array(4)))).toBe(
      "shape (2) of <f4 needs 8 bytes, found 4",
    );
  });
});

describe("zip archives", () => {
  const array = npy("{'descr': '|u1', 'fortran_order': False, 'shape': (1,), }", Uint8Array.of(7));

  it("packed and stored entries, with a comment", () => {
    const zip = zipOf(
      [
        { name: "a.npy", data: array },
        { name: "b.npy", data: array, method: 8, packed: deflateRawSync(array) },
      ],
      { comment: "made for a test" },
    );
    expect(Object.keys(decodeNpz(zip, "f").arrays)).toEqual(["a", "b"]);
  });

  it("zip64 sizes", () => {
    const zip = zipOf([{ name: "a.npy", data: array, zip64: true }], { zip64: true });
    expect(decodeNpz(zip, "f").arrays.a!.data[0]).toBe(7);
  });

  it("that are damaged or hostile are refused", () => {
    const entry = { name: "a.npy", data: array };
    expect(messageOf(new Uint8Array(100))).toBe("zip directory: is missing");
    expect(messageOf(zipOf([entry]).subarray(0, -1))).toBe("zip directory: is missing");
    expect(messageOf(zipOf([entry, entry]))).toBe('entry "a.npy": is there twice');
    expect(messageOf(zipOf([{ ...entry, name: "../../evil" }]))).toBe(
      'array "../../evil": does not end in .npy',
    );
    expect(messageOf(zipOf([{ ...entry, flags: 1 }]))).toBe(
      'zip directory: entry "a.npy" is encrypted',
    );
    expect(messageOf(zipOf([{ ...entry, method: 12 }]))).toBe(
      'zip directory: entry "a.npy" is packed with the unsupported method 12',
    );
    expect(messageOf(zipOf([{ ...entry, size: 10 ** 9 }]))).toBe(
      'zip directory: entry "a.npy" declares the impossible size 1000000000',
    );
    expect(messageOf(zipOf([{ ...entry, crc: 1 }]))).toBe('entry "a.npy": fails its checksum');
    expect(messageOf(zipOf([{ ...entry, localHeader: 5 }]))).toBe('entry "a.npy": has no header');
    expect(messageOf(zipOf([entry], { directoryOffset: 10 ** 6 }))).toBe(
      "zip directory: lies outside the file",
    );
    expect(messageOf(zipOf([entry], { entries: 3 }))).toBe("zip directory: is too short");
  });

  it("that lie about the unpacked size are refused, with no more memory than declared", () => {
    const packed = deflateRawSync(new Uint8Array(10_000_000));
    const lie = (size: number) => zipOf([{ name: "a.npy", data: array, method: 8, packed, size }]);
    expect(messageOf(lie(5000))).toBe('entry "a.npy": does not unpack to 5000 bytes');
    expect(messageOf(lie(10_000_001))).toBe(
      'entry "a.npy": has 10000000 bytes instead of 10000001',
    );
  });

  it("that disagree with themselves are refused: on a name, on how many there are", () => {
    const bytes = encodeNpz({
      arrays: { a: SAMPLE.arrays.bytes!, b: SAMPLE.arrays.signed! },
      metadata: {},
    });
    const renamed = bytes.slice();
    renamed[30] = "c".charCodeAt(0); // the name follows the 30 bytes of the first header
    expect(messageOf(renamed)).toBe('entry "a.npy": is called "c.npy" in its own header');
    const fewer = bytes.slice();
    fewer[bytes.length - 12] = 1; // the number of entries in the last record
    expect(messageOf(fewer)).toBe("zip directory: has more entries than the file says");
  });

  it("that are bombs are refused: many entries over the same packed bytes, or too much of too little", () => {
    const packed = deflateRawSync(new Uint8Array(10_000_000));
    const bomb = { data: array, method: 8, packed, size: 10_000_000 };
    const overlapping = Array.from({ length: 200 }, (_, i) => ({
      ...bomb,
      name: `${i}.npy`,
      localHeader: 0,
    }));
    expect(
      messageOf(zipOf(overlapping.map((e, i) => (i === 0 ? e : { ...e, omitData: true })))),
    ).toBe("zip directory: entries overlap");
    const many = Array.from({ length: 200 }, (_, i) => ({ ...bomb, name: `${i}.npy` }));
    expect(messageOf(zipOf(many))).toBe(
      "zip directory: would unpack to 2000000000 bytes, refused as a zip bomb",
    );
  });

  it("any change of a byte gives a file or this error, nothing else", () => {
    const original = encodeNpz({
      arrays: { a: SAMPLE.arrays.weights!, b: SAMPLE.arrays.bytes! },
      metadata: { k: "v" },
    });
    fc.assert(
      fc.property(fc.nat({ max: original.length - 1 }), fc.nat({ max: 255 }), (at, byte) => {
        const changed = original.slice();
        changed[at] = byte;
        try {
          decodeNpz(changed, "f");
        } catch (error) {
          expect(error).toBeInstanceOf(ArrayFileError);
        }
      }),
      { numRuns: 3000 },
    );
  });
});

it("metadata of the wrong form are refused", () => {
  const withMetadata = (text: string) => {
    const data = new TextEncoder().encode(text);
    const header = `{'descr': '|u1', 'fortran_order': False, 'shape': (${data.length},), }`;
    return messageOf(zipOf([{ name: "__metadata__.npy", data: npy(header, data) }]));
  };
  expect(withMetadata("[]")).toBe("__metadata__: is not a JSON object");
  expect(withMetadata('{"a":1}')).toBe('__metadata__: the value of "a" is not text');
});

it("a file that is missing or of the wrong kind", async () => {
  await expect(readNpz(temporary("none.npz"))).rejects.toMatchObject({
    message: `${temporary("none.npz")}: cannot read: no such file; check the path`,
    exitCode: 2,
  });
  await writeFile(temporary("text.npz"), "hello");
  await expect(readNpz(temporary("text.npz"))).rejects.toMatchObject({
    message: `${temporary("text.npz")}: zip directory: is missing; the file is damaged, truncated or of the wrong kind`,
    exitCode: 1,
  });
});

const python = findPython("numpy");
describe("numpy", () => {
  beforeEach(({ skip }) => {
    if (python === undefined) skip("needs a Python that has numpy");
  });
  it("opens our files and sees the same values", async () => {
    await writeNpz(temporary("a.npz"), SAMPLE);
    const program = `
import sys, json, numpy
z = numpy.load(sys.argv[1], allow_pickle=False)
metadata = json.loads(bytes(z["__metadata__"]))
print(json.dumps({"metadata": metadata, "arrays": {k: [list(z[k].shape), z[k].dtype.str, z[k].tobytes().hex()] for k in z.files if k != "__metadata__"}}))`;
    const dtypes: Record<string, string> = {
      Float32Array: "<f4",
      Float64Array: "<f8",
      Int32Array: "<i4",
      BigInt64Array: "<i8",
      Uint8Array: "|u1",
      Int8Array: "|i1",
      Int16Array: "<i2",
      Uint16Array: "<u2",
      Uint32Array: "<u4",
    };
    const expected = Object.entries(SAMPLE.arrays).map(([name, { shape, data }]) => [
      name,
      [shape, dtypes[data.constructor.name], Buffer.from(data.buffer).toString("hex")],
    ]);
    expect(runPython(python!, program, temporary("a.npz"))).toEqual({
      metadata: SAMPLE.metadata,
      arrays: Object.fromEntries(expected),
    });
  });
});
