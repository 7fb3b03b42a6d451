import { MisuseError } from "../errors.ts";
import type { FlagInfo } from "../flags/list-flags.ts";

/** What was typed for a flag: one text, a switch, or the words of a list. */
export type TypedValue = string | boolean | readonly unknown[];

/**
 * The alternatives of one flag for one kind of experiment.
 *
 * Alternatives are separated by commas (`0.01,0.001`), those of a list by semicolons (`128 128;512 512`);
 * a backslash keeps a separator. `0..4` is the integers from 0 to 4, `0..100..10` goes in steps of 10.
 * `mf=A,cp+ht=B` gives a kind of experiment its own; alternatives before the first such name are for all.
 *
 * @param kinds all kinds of the sweep, the only names that count as such.
 * @returns undefined if nothing was given for this kind.
 * @throws MisuseError naming the flag.
 */
export function flagAlternatives(
  flag: FlagInfo,
  typed: TypedValue,
  kind: string,
  kinds: readonly string[],
): readonly unknown[] | undefined {
  if (typeof typed === "boolean") return [typed];
  if (flag.grouped) return [wholeList(flag, typed)];
  const text = typeof typed === "string" ? typed : typed.map(String).join(" ");
  const own = itemsOfKind(flag, text, kind, kinds);
  if (own.length === 0) return undefined;
  const alternatives = flag.repeatable
    ? own.map((item) => item.split(/[\s,]+/).filter(Boolean))
    : own.flatMap((item) => (flag.type === "integer" ? expandRange(flag, item) : [item]));
  return alternatives;
}

/** A list of groups cannot be varied: each of its occurrences is a part of the one list. */
function wholeList(flag: FlagInfo, typed: string | readonly unknown[]): readonly unknown[] {
  const groups = typeof typed === "string" ? [typed] : typed;
  if (groups.some((group) => String(group).includes(";")))
    throw new MisuseError(
      `--${flag.name}: cannot be varied in a sweep; give one list, or use a plan`,
    );
  return groups;
}

function itemsOfKind(
  flag: FlagInfo,
  text: string,
  kind: string,
  kinds: readonly string[],
): readonly string[] {
  const separator = flag.repeatable ? ";" : ",";
  const items: string[] = [];
  let applies = true;
  for (const part of splitUnescaped(text, separator)) {
    const [names, value] = splitKinds(part.trim(), kinds);
    if (names !== undefined) applies = names.includes(kind);
    if (value === "" && (names !== undefined || flag.type !== "string" || text !== ""))
      throw new MisuseError(
        `--${flag.name}: has an empty alternative (got ${JSON.stringify(text)})`,
      );
    if (applies) items.push(value);
  }
  return items;
}

function splitUnescaped(text: string, separator: string): readonly string[] {
  const parts = text.split(new RegExp(String.raw`(?<!\\)${separator}`));
  return parts.map((part) => part.replaceAll(`\\${separator}`, separator));
}

/** `cp+ht=B` → [["cp", "ht"], "B"]; a text without names of kinds stays whole. */
function splitKinds(
  item: string,
  kinds: readonly string[],
): readonly [names: readonly string[] | undefined, value: string] {
  const equals = item.indexOf("=");
  const names = item.slice(0, Math.max(0, equals)).split("+");
  return equals > 0 && names.every((name) => kinds.includes(name))
    ? [names, item.slice(equals + 1)]
    : [undefined, item];
}

const RANGE = /^(-?\d+)\.\.(-?\d+)(?:\.\.(\d+))?$/;
const MOST_VALUES = 100_000;

function expandRange(flag: FlagInfo, item: string): readonly unknown[] {
  const [, from, to, step = "1"] = RANGE.exec(item) ?? [];
  if (from === undefined || to === undefined) return [item];
  const count = Math.floor((Number(to) - Number(from)) / Number(step)) + 1;
  if (Number(step) === 0 || count < 1 || count > MOST_VALUES)
    throw new MisuseError(
      `--${flag.name}: ${item}: must go upward in at most ${MOST_VALUES} steps of at least 1`,
    );
  return Array.from({ length: count }, (_, i) => Number(from) + i * Number(step));
}
