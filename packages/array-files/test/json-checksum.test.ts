import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { isChecksumIntact, withChecksum } from "../src/index.ts";

const object = fc
  .dictionary(fc.string(), fc.jsonValue(), { maxKeys: 8 })
  .map(({ checksum, ...content }) => content);

describe("the checksum of a JSON object", () => {
  it("fits after any way through JSON, whatever the order of keys and the spaces", () => {
    fc.assert(
      fc.property(object, fc.constantFrom(0, 1, 4), (content, spaces) => {
        const sealed = withChecksum(content);
        const reversed = Object.fromEntries(Object.entries(sealed).reverse());
        expect(isChecksumIntact(sealed)).toBe(true);
        expect(isChecksumIntact(JSON.parse(JSON.stringify(sealed, null, spaces)))).toBe(true);
        expect(isChecksumIntact(JSON.parse(JSON.stringify(reversed)))).toBe(true);
      }),
    );
  });

  it("fits other content only if that has the same values", () => {
    fc.assert(
      fc.property(object, object, (content, other) => {
        const { checksum } = withChecksum(content);
        expect(isChecksumIntact({ ...other, checksum })).toBe(sameValues(content, other));
      }),
    );
  });

  it("notices each kind of change, also in depth", () => {
    const sealed = withChecksum({
      a: [1, { b: "x", 10: 2, 9: 3 }],
      n: null,
      lr: 0.1,
      none: undefined,
    });
    const read = JSON.parse(JSON.stringify(sealed)) as typeof sealed;
    expect(isChecksumIntact(read)).toBe(true);
    for (const changed of [
      { ...read, lr: 0.2 },
      { ...read, lr: "0.1" },
      { ...read, n: 0 },
      { ...read, more: 1 },
      { ...read, a: [1, { b: "x", 10: 3, 9: 2 }] },
      { ...read, a: [{ b: "x", 10: 2, 9: 3 }, 1] },
      { ...read, checksum: read.checksum.replace(/^./, (digit) => (digit === "0" ? "1" : "0")) },
      { ...read, checksum: null },
    ])
      expect(isChecksumIntact(changed)).toBe(false);
  });

  it("does not fit content that has none, or that is nested deeper than can be followed", () => {
    expect(isChecksumIntact({ lr: 0.1 })).toBe(false);
    const deep = JSON.parse(`${"[".repeat(100_000)}${"]".repeat(100_000)}`) as unknown;
    expect(isChecksumIntact({ deep, checksum: "x" })).toBe(false);
  });
});

/** Equal but for the order of keys. */
function sameValues(a: unknown, b: unknown): boolean {
  return JSON.stringify(canonical(a)) === JSON.stringify(canonical(b));
}

function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== "object" || value === null) return value;
  return Object.entries(value)
    .map(([key, entry]) => [key, canonical(entry)])
    .sort(([a], [b]) => (String(a) < String(b) ? -1 : 1));
}
