import type { Block } from "../document/read-document.ts";

/** A block as it is run: with the replacements of its marker "shortened". */
export function shortenedCode({ code, markers }: Block): string {
  return markers.shortened.reduce((text, { from, to }) => {
    if (!text.includes(from)) throw new Error(`shortened: "${from}" is not in the block`);
    return text.replaceAll(from, to);
  }, code);
}
