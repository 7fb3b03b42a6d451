import type { z } from "zod";
import { MisuseError } from "../errors.ts";
import { nearest } from "./nearest.ts";
import { listFlags } from "./list-flags.ts";
import type { FlagInfo } from "./list-flags.ts";

/** Flag values as they come: texts from a command line, or typed values from code or a file. */
export type RawFlags = Readonly<Record<string, unknown>>;

/**
 * Parses raw values with a zod object: texts become the type that the schema declares ("False" is
 * false, "1e-3" is a number), names may be in kebab-case, `undefined` counts as not given.
 *
 * @throws MisuseError that names the first wrong flag: `--epochs: must be at least 1 (got 0)`.
 */
export function parseFlags<Schema extends z.ZodObject>(
  schema: Schema,
  raw: RawFlags,
): z.infer<Schema> {
  const flags = listFlags(schema);
  const names = new Map(flags.map((flag) => [flag.name, flag]));
  const values: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(raw)) {
    const name = key.replaceAll("-", "_");
    const flag = names.get(name);
    if (flag === undefined) throw unknownFlag(key, [...names.keys()]);
    if (value !== undefined) values[name] = fromText(flag, value);
  }
  const parsed = schema.safeParse(values);
  if (!parsed.success) throw new MisuseError(describeIssue(parsed.error.issues[0]!, values));
  return parsed.data;
}

/** The error for a flag that does not exist, with the nearest name that does. */
export function unknownFlag(name: string, known: readonly string[]): MisuseError {
  const similar = nearest(name.replaceAll("-", "_"), known);
  return new MisuseError(
    `--${name}: there is no such flag${similar === undefined ? "" : `; did you mean --${similar}?`}`,
  );
}

function fromText(flag: FlagInfo, value: unknown): unknown {
  if (!flag.repeatable) return scalarFromText(flag, value);
  const items = typeof value === "string" ? itemsOfText(flag, value) : value;
  return Array.isArray(items) ? items.map((item: unknown) => scalarFromText(flag, item)) : items;
}

/** A list in one text is separated by blanks or commas; a grouped flag's text is one item. */
function itemsOfText(flag: FlagInfo, text: string): readonly string[] {
  return flag.grouped ? [text] : text.split(/[\s,]+/).filter(Boolean);
}

function scalarFromText(flag: FlagInfo, value: unknown): unknown {
  if (typeof value !== "string") return value;
  if (flag.type === "boolean") return TRUTH.get(value.trim().toLowerCase()) ?? value;
  if (flag.type === "number" || flag.type === "integer")
    return NUMBER.test(value.trim()) ? Number(value) : value;
  return value;
}

const NUMBER = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;
const TRUTH: ReadonlyMap<string, boolean> = new Map(
  [
    ["true", "yes", "on", "1"].map((word) => [word, true] as const),
    ["false", "no", "off", "0"].map((word) => [word, false] as const),
  ].flat(),
);

type Issue = z.core.$ZodIssue;

function describeIssue(issue: Issue, values: Readonly<Record<string, unknown>>): string {
  const [name, ...rest] = issue.path;
  if (name === undefined) return issue.message;
  const given = rest.reduce<unknown>(
    (value, key) => (value as Record<PropertyKey, unknown>)[key],
    values[String(name)],
  );
  if (given === undefined && issue.code === "invalid_type") return `--${String(name)}: is required`;
  return `--${String(name)}: ${requirement(issue)} (got ${show(given)})`;
}

function requirement(issue: Issue): string {
  const characters = "origin" in issue && issue.origin === "string" ? " characters long" : "";
  const values = "origin" in issue && issue.origin === "array" ? " values" : "";
  const unit = characters + values;
  const have = values === "" ? "must be" : "must have";
  switch (issue.code) {
    case "too_small":
      if (characters !== "" && Number(issue.minimum) === 1) return "must not be empty";
      return `${have} ${issue.inclusive === false ? "greater than" : "at least"} ${String(issue.minimum)}${unit}`;
    case "too_big":
      return `${have} ${issue.inclusive === false ? "less than" : "at most"} ${String(issue.maximum)}${unit}`;
    case "invalid_type":
      return `must be ${TYPE_NAMES[issue.expected] ?? issue.expected}`;
    case "invalid_value":
      return `must be one of ${issue.values.map(String).join(", ")}`;
    default:
      return issue.message;
  }
}

const TYPE_NAMES: Readonly<Record<string, string>> = {
  int: "an integer",
  number: "a number",
  boolean: "true or false",
  string: "a text",
  array: "a list",
};

function show(value: unknown): string {
  return typeof value === "string" ? `"${value}"` : (JSON.stringify(value) ?? String(value));
}
