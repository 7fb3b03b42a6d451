import { createHash } from "node:crypto";
import { expect, it } from "vitest";
import { contentHash } from "../src/index.ts";
import { SAMPLE } from "./sample-files.ts";

it("is SHA-256 over a line for each array and its bytes, in the order of names", () => {
  const arrays = {
    b: { shape: [1], data: Uint8Array.of(7) },
    a: { shape: [2], data: Float32Array.of(1, 2) },
  };
  const hash = createHash("sha256");
  hash.update('["a","F32",[2]]\n').update(Uint8Array.of(0, 0, 0x80, 0x3f, 0, 0, 0, 0x40));
  hash.update('["b","U8",[1]]\n').update(Uint8Array.of(7));
  expect(contentHash({ arrays })).toBe(hash.digest("hex"));
});

it("changes with every name, type, shape and bit, and not with the order or metadata", () => {
  const hash = (name: string, shape: number[], data: Float32Array | Int32Array) =>
    contentHash({ arrays: { [name]: { shape, data } } });
  const hashes = [
    hash("a", [2], Float32Array.of(0, 0)),
    hash("b", [2], Float32Array.of(0, 0)),
    hash("a", [2, 1], Float32Array.of(0, 0)),
    hash("a", [2], Int32Array.of(0, 0)),
    hash("a", [2], Float32Array.of(0, -0)),
  ];
  expect(new Set(hashes).size).toBe(hashes.length);
  const reversed = Object.fromEntries(Object.entries(SAMPLE.arrays).reverse());
  expect(contentHash({ arrays: reversed })).toBe(contentHash(SAMPLE));
});
