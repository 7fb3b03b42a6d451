/**
 * Names without what they all share: of `singular_value_0`, `singular_value_1`, … only `value_0`,
 * `value_1`, …, since a legend has little room and cuts the end of a name.
 */
export function shortNames(names: readonly string[]): readonly string[] {
  if (names.length < 2) return names;
  const words = names.map((name) => name.split(/([_ ])/));
  const first = words[0]!;
  const shared = (at: (of: readonly string[]) => string | undefined): boolean =>
    words.every((of) => at(of) === at(first));
  const shortest = Math.min(...words.map((of) => of.length));
  let start = 0;
  while (start < shortest - 1 && shared((of) => of[start])) start++;
  let end = 0;
  while (end < shortest - 1 - start && shared((of) => of.at(-1 - end))) end++;
  const from = Math.max(0, start - 2);
  return words.map((of) => of.slice(from, of.length - end).join(""));
}
