import { createHash } from "node:crypto";
import { isObject } from "./json-object.ts";

/** @inline */
type Content = Readonly<Record<string, unknown>>;

/**
 * The content with a `checksum` as its first key: SHA-256, in hex, of its values without that key, whatever
 * the order of keys and the spaces between them. It tells a file that was damaged or edited from a whole one.
 */
export function withChecksum<Value extends object>(
  content: Value,
): Value & { readonly checksum: string } {
  const { checksum: _, ...rest } = content as Content;
  return { checksum: checksumOf(content as Content), ...rest } as Value & { checksum: string };
}

/** Whether parsed JSON is what `withChecksum` gave. */
export function isChecksumIntact(content: Content): boolean {
  try {
    return content["checksum"] === checksumOf(content);
  } catch (error) {
    // Nested deeper than anything that was written.
    if (error instanceof RangeError) return false;
    throw error;
  }
}

function checksumOf(content: Content): string {
  const entries = Object.entries(content).filter(([key]) => key !== "checksum");
  // What JSON cannot hold (undefined, NaN) must count as what is read back.
  const plain: unknown = JSON.parse(JSON.stringify(Object.fromEntries(entries)));
  return createHash("sha256")
    .update(JSON.stringify(inKeyOrder(plain)))
    .digest("hex");
}

/** Objects become lists of pairs: their keys keep the sorted order, also those that look like numbers. */
function inKeyOrder(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(inKeyOrder);
  if (!isObject(value)) return value;
  return {
    pairs: Object.keys(value)
      .sort()
      .map((key) => [key, inKeyOrder(value[key])]),
  };
}
