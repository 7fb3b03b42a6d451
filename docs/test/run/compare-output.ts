/** Depends on how fast the disk is. */
const unpredictable = / - WARNING - Writing checkpoints took /;

/**
 * What keeps `shown` from being the output `real`, or undefined if nothing does: its lines must be the lines
 * of the output, where a line of `…` stands for any number of them and `…` within a line for anything.
 * Numbers, times, units and hashes may differ, and so may the number of blanks. Empty lines do not count.
 */
export function difference(shown: string, real: string): string | undefined {
  const rest = linesOf(real).filter((line) => !unpredictable.test(line));
  let mayskip = false;
  for (const line of linesOf(shown)) {
    if (line === "…") {
      mayskip = true;
      continue;
    }
    const place = rest.findIndex((candidate) => patternOf(line).test(candidate));
    if (place === -1 || (place > 0 && !mayskip))
      return `shown: ${line}\n   is: ${rest[0] ?? "(the end of the output)"}`;
    rest.splice(0, place + 1);
    mayskip = false;
  }
  if (rest.length > 0 && !mayskip) return `not shown, not even by …: ${rest[0]}`;
  return undefined;
}

const linesOf = (text: string): string[] =>
  text
    .split("\n")
    .map((line) => line.trim().replaceAll(/\s+/g, " "))
    .filter((line) => line !== "");

const hash = String.raw`(?<![0-9a-z])[0-9a-f]{8,}(?![0-9a-z])`;
const time = String.raw`\d{4}[-_]\d\d[-_]\d\d[-_T ]\d\d[:_]\d\d[:_]\d\d(?:[.,]\d+)?Z?(?:_\d+)?`;
const duration = String.raw`\d+:\d\d:\d\d(?:\.\d+)?`;
const unit = String.raw`(?: (?:ms|s|min|h|d|B|KiB|MiB|GiB)\b)?`;
const number = String.raw`[-+−]?\d+(?:,\d{3})*(?:\.\d+)?(?:e[-+]?\d+)?${unit}`;
const variable = new RegExp(`(…)|(${time})|(${duration})|(${hash})|(${number})`, "g");

const literal = (text: string): string => text.replaceAll(/[.*+?^${}()|[\]\\/]/g, "\\$&");

/** A pattern for lines that are this one but for what varies from run to run. */
function patternOf(line: string): RegExp {
  let pattern = "";
  let end = 0;
  for (const match of line.matchAll(variable)) {
    const kinds = [".*", time, duration, hash, number];
    pattern += literal(line.slice(end, match.index));
    pattern += kinds[match.slice(1).findIndex((group) => group !== undefined)];
    end = match.index + match[0].length;
  }
  return new RegExp(`^${pattern}${literal(line.slice(end))}$`);
}
