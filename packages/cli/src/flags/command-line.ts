import { type FlagInfo, unknownFlag } from "@implicit-rank/experiment-kit";
import type { TypedFlags } from "../command.ts";
import { UsageError } from "../errors.ts";
import { isSwitch, valueName } from "./flag-value.ts";

/** A command line taken apart: flags as they were typed, other arguments, and whether help is wanted. */
export interface CommandLine {
  readonly flags: TypedFlags;
  readonly operands: readonly string[];
  readonly help: boolean;
}

type TypedValue = TypedFlags[string];

/**
 * Reads the arguments of a command: flags in snake or kebab case, `--flag value` or `--flag=value`,
 * lists as `--ht_layer_widths 8 8`, switches alone or with true/false, values that start with a minus.
 * As with the counterpart's parser, the last of several occurrences of a flag counts; a list of
 * groups grows by one group each time instead. Values stay as they were typed.
 *
 * @throws UsageError for a flag without its value, MisuseError for one that does not exist.
 */
export function readCommandLine(
  args: readonly string[],
  flags: readonly FlagInfo[],
  aliases: Readonly<Record<string, string>> = {},
): CommandLine {
  const byName = new Map(flags.map((flag) => [flag.name, flag]));
  const knownNames = [...byName.keys(), ...Object.keys(aliases)];
  const values: Record<string, TypedValue> = {};
  const operands: string[] = [];
  for (let index = 0; index < args.length;) {
    const argument = args[index++]!;
    if (argument === "--help" || argument === "-h") return { flags: {}, operands: [], help: true };
    if (argument === "--") {
      operands.push(...args.slice(index));
      break;
    }
    if (!looksLikeFlag(argument)) {
      operands.push(argument);
      continue;
    }
    const [typed, attached] = splitFlag(argument);
    const flag = byName.get(aliases[typed] ?? typed);
    if (flag === undefined) throw unknownFlag(typed, knownNames);
    const texts = attached === undefined ? takeValues(flag, args, index) : [attached];
    if (attached === undefined) index += texts.length;
    values[flag.name] = typedValue(flag, texts, values[flag.name]);
  }
  return { flags: values, operands, help: false };
}

/** "-1" and "-Infinity" are values, "-v" and "--verbose" are not. */
function looksLikeFlag(argument: string): boolean {
  return /^-{1,2}[A-Za-z_]/.test(argument) && argument !== "-Infinity";
}

function splitFlag(argument: string): [name: string, value: string | undefined] {
  const equals = argument.indexOf("=");
  const end = equals === -1 ? argument.length : equals;
  const name = argument.slice(0, end).replace(/^-+/, "").replaceAll("-", "_");
  return [name, equals === -1 ? undefined : argument.slice(equals + 1)];
}

/** The arguments after a flag that belong to it. */
function takeValues(flag: FlagInfo, args: readonly string[], start: number): readonly string[] {
  if (isSwitch(flag)) return isSwitchValue(flag, args[start]) ? [args[start]!] : [];
  const most = flag.repeatable ? args.length : Math.min(start + 1, args.length);
  let end = start;
  while (end < most && isValueOf(flag, args[end]!)) end++;
  if (end === start) throw new UsageError(`--${flag.name}: needs a value (${valueName(flag)})`);
  return args.slice(start, end);
}

/** "--" ends the flags, except after a flag that has it as a choice (a line style). */
function isValueOf(flag: FlagInfo, argument: string): boolean {
  if (argument === "--") return flag.choices?.includes(argument) === true;
  return !looksLikeFlag(argument);
}

/** What follows a switch may be an operand, but not after one that has no default and so asks for a value. */
function isSwitchValue(flag: FlagInfo, next: string | undefined): boolean {
  if (next === undefined || looksLikeFlag(next)) return false;
  return flag.default === undefined || /^(true|false)$/i.test(next);
}

function typedValue(
  flag: FlagInfo,
  texts: readonly string[],
  earlier: TypedValue | undefined,
): TypedValue {
  if (isSwitch(flag)) return texts[0] ?? true;
  if (flag.grouped) return [...(Array.isArray(earlier) ? earlier : []), texts.join(" ")];
  return flag.repeatable ? texts : texts[0]!;
}
