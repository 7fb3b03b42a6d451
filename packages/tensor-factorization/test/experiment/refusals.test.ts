import { availableMemory } from "node:process";
import { describe, expect, test } from "vitest";
import { type MatrixFlags, matrixFlags } from "../../src/experiment/index.ts";
import { parseMatricizations } from "../../src/experiment/parse-matricizations.ts";
import { requireMemory } from "../../src/experiment/require-memory.ts";
import { FactorizationError, type FactorizationSpec } from "../../src/index.ts";

describe("matricizations to track", () => {
  test.each(["0 2", "0,2", "0_2", " 0 , 2 "])("%j is modes 0 and 2", (text) => {
    expect(parseMatricizations([text], 4)).toEqual([[0, 2]]);
  });

  test("several, each of its own modes", () => {
    expect(parseMatricizations(["3", "2 0 1", "10 11"], 12)).toEqual([[3], [2, 0, 1], [10, 11]]);
    expect(parseMatricizations([], 3)).toEqual([]);
  });

  test.each(["", " ", "0 1 2 3", "0 1 2 1", "1 1", "4", "-1", "1.5", "one", "0 1x", "x1"])(
    "%j is refused at order 4",
    (text) => {
      expect(() => parseMatricizations(["0", text], 4)).toThrow(
        new FactorizationError(
          `--additional_matricizations_to_track: "${text}" is no set of modes of a tensor of order 4; give different numbers from 0 to 3, for example "0 1", but not all of them`,
        ),
      );
    },
  );
});

describe("memory: parameters and their gradient, four bytes a number", () => {
  const flags = (engine: string): MatrixFlags =>
    matrixFlags.parse({ dataset_path: "data.npz", engine });
  const matrix = (entries: number): FactorizationSpec => ({ kind: "mf", sizes: [1, entries] });

  test("of the fused engine is what 32 bits address", (context) => {
    if (availableMemory() < 2 ** 33) context.skip("fewer than 8 GiB are free");
    expect(() => {
      requireMemory(matrix(2 ** 29), flags("fused"));
    }).not.toThrow();
    expect(() => {
      requireMemory(matrix(2 ** 29 + 1), flags("fused"));
    }).toThrow(
      new FactorizationError(
        "memory: 536870913 parameters and their gradient need 4294967304 bytes, but 4294967296 are available to WebAssembly; use smaller sizes or --engine plain",
        1,
      ),
    );
    expect(() => {
      requireMemory(matrix(2 ** 29 + 1), flags("plain"));
    }).not.toThrow();
  });

  test.each(["plain", "tfjs"])("of the %s engine is what this machine has free", (engine) => {
    expect(() => {
      requireMemory(matrix(2 ** 50), flags(engine));
    }).toThrow(
      /^memory: 1125899906842624 parameters and their gradient need 9007199254740992 bytes, but \d+ are available; use smaller sizes$/,
    );
  });
});
