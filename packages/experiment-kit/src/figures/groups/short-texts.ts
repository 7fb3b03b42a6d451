const LONGEST = 24;

/**
 * Texts without what all of them begin and end with, up to a sign between words:
 * `length_3_size_150` and `length_11_size_150` become 3 and 11. What is still long loses its middle.
 */
export function shortTexts(texts: readonly string[]): readonly string[] {
  const start = Math.max(0, ...prefixCuts(texts));
  const rests = texts.map((text) => text.slice(start));
  const end = Math.max(0, ...prefixCuts(rests.map(reversed)));
  const short = rests.map((text) => text.slice(0, text.length - end));
  const isUnderstood = short.every((text) => text !== "") && new Set(short).size === short.length;
  return (isUnderstood ? short : texts).map(withoutMiddle);
}

const reversed = (text: string): string => [...text].reverse().join("");

/** The lengths of common beginnings that end with a sign between words. */
function prefixCuts(texts: readonly string[]): readonly number[] {
  const [first = "", ...others] = texts;
  if (others.length === 0) return [];
  let common = 0;
  while (common < first.length && others.every((text) => text[common] === first[common])) common++;
  return [...first.slice(0, common).matchAll(/[^\p{L}\p{N}]/gu)].map(({ index }) => index + 1);
}

function withoutMiddle(text: string): string {
  if (text.length <= LONGEST) return text;
  const half = Math.floor((LONGEST - 1) / 2);
  return `${text.slice(0, half)}…${text.slice(-half)}`;
}
