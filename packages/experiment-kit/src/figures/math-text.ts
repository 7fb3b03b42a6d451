import {
  binarySigns,
  functionNames,
  otherAlphabet,
  relationSigns,
  symbols,
} from "./math-symbols.ts";

/** A stretch of text in one style. `rise` and `scale` are in units of the size of the surrounding text. */
export interface TextRun {
  readonly text: string;
  readonly style: "upright" | "slanted" | "bold" | "math";
  readonly scale: number;
  readonly rise: number;
}

/** A subscript and a superscript at the same place, one over the other. */
export interface ScriptPair {
  readonly lower: readonly TextRun[];
  readonly upper: readonly TextRun[];
}

export type TextPart = TextRun | ScriptPair;

/** What is wrong with the mathematics of a label. */
export class MathTextError extends Error {
  override readonly name = "MathTextError";
}

const SCRIPT_SCALE = 0.7;
const SUPERSCRIPT_RISE = 0.4;
const SUBSCRIPT_RISE = -0.2;
const THIN_SPACE = "\u2009";
const MEDIUM_SPACE = "\u2005";

/**
 * Reads a label in which `$…$` holds simple mathematics of TeX: Greek letters, signs, sub- and
 * superscripts, `\{ \}`, `\mathrm`, `\mathbf`, `\mathit`, `\mathbb`, `\mathcal` and `\text`. With an odd
 * number of dollar signs all of it is plain text; `\$` is a dollar sign.
 *
 * @throws MathTextError in one line.
 */
export function parseMathText(label: string): readonly TextPart[] {
  const stretches = label.split(/(?<!\\)\$/);
  const isPlain = stretches.length % 2 === 0;
  const plain = (text: string): readonly TextPart[] =>
    text === "" ? [] : [{ ...BASE, text: text.replaceAll("\\$", "$") }];
  if (isPlain) return plain(label);
  return stretches.flatMap((text, i) => (i % 2 === 0 ? plain(text) : parseMath(text)));
}

/** The characters of a label without their arrangement, for titles and messages. */
export function plainText(label: string): string {
  const text = (parts: readonly TextPart[]): string =>
    parts
      .map((part) => ("text" in part ? part.text : text(part.lower) + text(part.upper)))
      .join("");
  return text(parseMathText(label)).replaceAll(/[\u2004\u2005\u2009]/g, " ");
}

const BASE = { style: "upright", scale: 1, rise: 0 } as const;

type Token =
  | { readonly kind: "command" | "character"; readonly text: string }
  | { readonly kind: "open" | "close" | "sub" | "super" };

interface Setting {
  readonly scale: number;
  readonly rise: number;
  /** Set by \mathrm and the like; otherwise letters are slanted and the rest is upright. */
  readonly style?: TextRun["style"];
}

function parseMath(source: string): readonly TextPart[] {
  const tokens = tokenize(source);
  const parser = { tokens, position: 0, source };
  const parts = parseGroup(parser, { scale: 1, rise: 0 });
  if (parser.position < tokens.length) throw wrong(source, "has a } without its {");
  return mergeRuns(parts);
}

interface Parser {
  readonly tokens: readonly Token[];
  position: number;
  readonly source: string;
}

/** Up to the closing brace, or the end. */
function parseGroup(parser: Parser, setting: Setting): readonly TextPart[] {
  const parts: TextPart[] = [];
  for (;;) {
    const token = parser.tokens[parser.position];
    if (token === undefined || token.kind === "close") return parts;
    if (token.kind === "sub" || token.kind === "super")
      parts.push(...parseScripts(parser, setting));
    else parts.push(...parseAtom(parser, setting, lastCharacter(parts)));
  }
}

/** One character, command or group in braces. */
function parseAtom(parser: Parser, setting: Setting, before: string): readonly TextPart[] {
  const token = parser.tokens[parser.position++];
  if (token === undefined) throw wrong(parser.source, "ends where something must follow");
  switch (token.kind) {
    case "open": {
      const parts = parseGroup(parser, setting);
      if (parser.tokens[parser.position++] === undefined)
        throw wrong(parser.source, "has a { without its }");
      return parts;
    }
    case "command":
      return parseCommand(parser, token.text, setting, before);
    case "character":
      return [setCharacter(token.text, setting, before)];
    default:
      throw wrong(parser.source, "has a script without anything in it");
  }
}

function parseScripts(parser: Parser, setting: Setting): readonly TextPart[] {
  const scripts: Partial<Record<"sub" | "super", readonly TextPart[]>> = {};
  let kind = parser.tokens[parser.position]?.kind;
  while (kind === "sub" || kind === "super") {
    if (scripts[kind] !== undefined)
      throw wrong(parser.source, `has two ${kind}scripts at one place`);
    parser.position++;
    const rise = kind === "sub" ? SUBSCRIPT_RISE : SUPERSCRIPT_RISE;
    const inner = {
      ...setting,
      scale: setting.scale * SCRIPT_SCALE,
      rise: setting.rise + rise * setting.scale,
    };
    scripts[kind] = parseAtom(parser, inner, "");
    kind = parser.tokens[parser.position]?.kind;
  }
  const { sub = [], super: upper = [] } = scripts;
  if (sub.length === 0 || upper.length === 0) return [...sub, ...upper];
  if (!isFlat(sub) || !isFlat(upper))
    throw wrong(parser.source, "has pairs of scripts within scripts, which cannot be drawn");
  return [{ lower: mergeRuns(sub) as TextRun[], upper: mergeRuns(upper) as TextRun[] }];
}

const isFlat = (parts: readonly TextPart[]): parts is readonly TextRun[] =>
  parts.every((part) => "text" in part);

const FONT_COMMANDS: ReadonlyMap<string, TextRun["style"]> = new Map(
  Object.entries({
    mathrm: "upright",
    text: "upright",
    textrm: "upright",
    operatorname: "upright",
    mathbf: "bold",
    textbf: "bold",
    boldsymbol: "bold",
    mathit: "slanted",
  } as const),
);
const ESCAPED = new Set(["{", "}", "$", "%", "&", "#", "_"]);
/** They change sizes of brackets, which are all of one size here. */
const WITHOUT_EFFECT = new Set(["left", "right", "displaystyle", "limits", "!"]);

function parseCommand(
  parser: Parser,
  name: string,
  setting: Setting,
  before: string,
): readonly TextPart[] {
  const style = FONT_COMMANDS.get(name);
  if (style !== undefined) return parseAtom(parser, { ...setting, style }, "");
  if (name === "mathbb" || name === "mathcal") {
    const letters = parseAtom(parser, { ...setting, style: "upright" }, "");
    return letters.map((part) => inAlphabet(part, name, parser.source));
  }
  const run = (text: string, runStyle: TextRun["style"] = "upright"): readonly TextPart[] => [
    { text, style: setting.style ?? runStyle, scale: setting.scale, rise: setting.rise },
  ];
  if (ESCAPED.has(name)) return run(name);
  if (WITHOUT_EFFECT.has(name)) return [];
  if (name === " ") return run(MEDIUM_SPACE);
  if (functionNames.has(name))
    return run(/[\p{L}\p{N})\]]$/u.test(before) ? `${THIN_SPACE}${name}` : name);
  const slanted = symbols.slanted.get(name);
  if (slanted !== undefined) return run(slanted, "slanted");
  const upright = symbols.upright.get(name) ?? symbols.space.get(name);
  if (upright !== undefined) return run(upright);
  const sign = symbols.binary.get(name) ?? symbols.relation.get(name);
  if (sign !== undefined) return [setCharacter(sign, setting, before)];
  throw wrong(
    parser.source,
    `has \\${name}, which is not known; Greek letters, common signs, ^, _ and \\mathrm{…} are`,
  );
}

function inAlphabet(part: TextPart, name: "mathbb" | "mathcal", source: string): TextPart {
  const letters = "text" in part ? [...part.text].map((letter) => otherAlphabet(name, letter)) : [];
  if (letters.length === 0 || letters.some((letter) => letter === undefined))
    throw wrong(source, `has \\${name} with something other than capitals A to Z`);
  return { ...(part as TextRun), style: "math", text: letters.join("") };
}

/** One character, with the space around it that its role asks for. */
function setCharacter(character: string, setting: Setting, before: string): TextRun {
  const { scale, rise } = setting;
  const isLetter = /\p{L}/u.test(character);
  const style = setting.style ?? (isLetter ? "slanted" : "upright");
  return { text: spaced(SIGNS[character] ?? character, setting, before), style, scale, rise };
}

const SIGNS: Readonly<Record<string, string>> = { "-": "−", "*": "∗", "'": "′", "~": "\u00a0" };

function spaced(sign: string, { scale, style }: Setting, before: string): string {
  if (scale < 1 || style !== undefined) return sign;
  if (sign === ",") return `,${THIN_SPACE}`;
  const isBetween = /[\p{L}\p{N})\]}′∞!]$/u.test(before);
  if (relationSigns.has(sign)) return `${before === "" ? "" : MEDIUM_SPACE}${sign}${MEDIUM_SPACE}`;
  const isBinary = binarySigns.has(sign) || sign === "−" || sign === "∗";
  return isBinary && isBetween ? `${THIN_SPACE}${sign}${THIN_SPACE}` : sign;
}

function lastCharacter(parts: readonly TextPart[]): string {
  const last = parts.at(-1);
  if (last === undefined) return "";
  if (!("text" in last)) return lastCharacter(last.upper);
  if (!/[|‖]$/.test(last.text)) return last.text;
  const bars = parts.filter((part) => "text" in part && part.text === last.text).length;
  return bars % 2 === 0 ? ")" : "(";
}

/** Neighbors of one style become one run. */
function mergeRuns(parts: readonly TextPart[]): readonly TextPart[] {
  const merged: TextPart[] = [];
  for (const part of parts) {
    const last = merged.at(-1);
    const isSame =
      last !== undefined &&
      "text" in last &&
      "text" in part &&
      last.style === part.style &&
      last.scale === part.scale &&
      last.rise === part.rise;
    if (isSame) merged[merged.length - 1] = { ...last, text: last.text + part.text };
    else merged.push(part);
  }
  return merged;
}

/** Blanks mean nothing in mathematics, except in \text{…}. */
function tokenize(source: string): readonly Token[] {
  const tokens: Token[] = [];
  const pattern =
    /\\(?:text|textrm|textbf)\s*\{(?<text>[^{}$]*)\}|\\(?<command>[A-Za-z]+|.)|(?<character>\S)/gu;
  for (const { groups = {}, 0: all } of source.matchAll(pattern)) {
    const { text, command, character } = groups;
    if (text !== undefined) {
      const name = /^\\([a-z]+)/.exec(all)![1]!;
      tokens.push({ kind: "command", text: name }, { kind: "open" });
      for (const letter of text)
        tokens.push({ kind: "character", text: letter === " " ? "\u00a0" : letter });
      tokens.push({ kind: "close" });
    } else if (command !== undefined) tokens.push({ kind: "command", text: command });
    else if (character === "{") tokens.push({ kind: "open" });
    else if (character === "}") tokens.push({ kind: "close" });
    else if (character === "^") tokens.push({ kind: "super" });
    else if (character === "_") tokens.push({ kind: "sub" });
    else tokens.push({ kind: "character", text: character! });
  }
  if (source.endsWith("\\") && !source.endsWith("\\\\")) throw wrong(source, "ends in a backslash");
  return tokens;
}

function wrong(source: string, problem: string): MathTextError {
  return new MathTextError(`the formula $${source}$ ${problem}`);
}
