import { createHash } from "node:crypto";
import type { ArrayFile } from "./array-file.ts";
import { bytesOf, elementTypeOf } from "./element-type.ts";

/**
 * SHA-256, in hex, over the arrays in the order of their names: for each the line
 * `["name","dtype",[shape]]` in JSON with a line feed, then its little-endian bytes. Metadata does not
 * count, so the hash can be stored there.
 */
export function contentHash(file: Pick<ArrayFile, "arrays">): string {
  const hash = createHash("sha256");
  for (const name of Object.keys(file.arrays).sort()) {
    const { shape, data } = file.arrays[name]!;
    hash.update(hashLine(name, elementTypeOf(data).safetensors, shape));
    hash.update(bytesOf(data));
  }
  return hash.digest("hex");
}

/** The line that stands before the bytes of an array. */
export function hashLine(name: string, dtype: string, shape: readonly number[]): string {
  return `${JSON.stringify([name, dtype, shape])}\n`;
}
