import { writeFile } from "node:fs/promises";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { ArrayFileError } from "../src/index.ts";
import { decodeNpyText, encodeNpyText } from "../src/index.ts";
import { findPython, runPython } from "./python.ts";
import { useTemporaryFolder } from "./temporary-folder.ts";

const temporary = useTemporaryFolder();

it("any table comes back (trailing zero characters excepted, as in numpy)", () => {
  const text = fc.string({ unit: "binary" }).map((value) => value.replace(/\0+$/, ""));
  const table = fc
    .tuple(fc.integer({ min: 0, max: 5 }), fc.integer({ min: 1, max: 4 }))
    .chain(([rows, columns]) =>
      fc.array(fc.array(text, { minLength: columns, maxLength: columns }), {
        minLength: rows,
        maxLength: rows,
      }),
    );
  fc.assert(
    fc.property(table, (rows) => {
      expect(decodeNpyText(encodeNpyText(rows), "f")).toEqual(rows);
    }),
  );
});

describe("refused", () => {
  const problem = (bytes: Uint8Array) => {
    try {
      decodeNpyText(bytes, "f");
    } catch (error) {
      return (error as ArrayFileError).message;
    }
    throw new Error("was accepted");
  };
  const remedy = "; the file is damaged or no table of text: make it again";

  it("damaged and other files", () => {
    const good = encodeNpyText([["ab", "c"]]);
    expect(problem(good.subarray(0, -1))).toBe(
      `f: table: of 1 × 2 texts does not fit its 15 bytes${remedy}`,
    );
    expect(problem(new Uint8Array(50))).toBe(`f: table: is not in npy format${remedy}`);
    const numbers = Buffer.from(good).toString("latin1").replace("<U2", "<f8");
    expect(problem(Uint8Array.from(numbers, (c) => c.charCodeAt(0)))).toBe(
      `f: table: is not a table of text${remedy}`,
    );
    const invalid = good.slice();
    invalid.fill(0xff, good.length - 16);
    expect(problem(invalid)).toBe(`f: table: holds an invalid character${remedy}`);
  });

  it("rows of unequal length", () => {
    expect(() => encodeNpyText([["a"], ["a", "b"]])).toThrow("rows of unequal length");
  });
});

const python = findPython("numpy");
it("numpy reads our table and we read numpy's", async ({ skip }) => {
  if (python === undefined) skip("needs a Python that has numpy");
  const rows = [
    ["imgs", "sample_0.png", "1.8"],
    ["grüße", "", "𝛼"],
  ];
  await writeFile(temporary("a.npy"), encodeNpyText(rows));
  const program =
    "import sys, json, numpy\na = numpy.load(sys.argv[1])\nprint(json.dumps([a.dtype.str, a.tolist()]))";
  expect(runPython(python!, program, temporary("a.npy"))).toEqual(["<U12", rows]);
});
