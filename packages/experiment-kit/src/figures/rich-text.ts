import { Resvg } from "@resvg/resvg-js";
import type { Group } from "../plots/d3-types.ts";
import { FONT_FALLBACKS, MATH_FONTS } from "../plots/font.ts";
import { xmlText } from "../plots/svg-document.ts";
import { fontOptions } from "../plots/svg-to-png.ts";
import { parseMathText } from "./math-text.ts";
import type { TextPart, TextRun } from "./math-text.ts";

/** A label that is ready to be drawn, and its size. Lengths in points. */
export interface RichText {
  readonly pieces: readonly TextPiece[];
  readonly fontSize: number;
  readonly bold: boolean;
  readonly width: number;
  /** Above and below the baseline. */
  readonly ascent: number;
  readonly descent: number;
}

/**
 * A stretch in one font. Letters of other alphabets are pieces of their own: the renderer sets a whole
 * piece in another font if one of its letters is missing in the first.
 */
interface TextPiece {
  readonly markup: string;
  readonly font: TextFont;
  readonly width: number;
}

interface TextFont {
  readonly size: number;
  readonly bold: boolean;
  readonly family: "text" | "math";
}

/** Of the font: height of capitals and digits, and depth of letters such as g. */
const ASCENT = 0.76;
const DESCENT = 0.24;

/** Sets a label (see parseMathText) in a size. */
export function richText(label: string, fontSize: number, bold = false): RichText {
  const parts = parseMathText(label);
  const pieces = splitByFont(parts).map(({ family, parts: inside }) => {
    const font = { size: fontSize, bold, family };
    // Blanks at the ends of a piece would be dropped.
    const markup = markupOf(inside, font).replaceAll(/^ | $/g, "\u00a0");
    return { markup, font, width: measure(markup, font) };
  });
  const runs = parts.flatMap((part) => ("text" in part ? [part] : [...part.lower, ...part.upper]));
  const reach = (height: (run: TextRun) => number): number =>
    fontSize * Math.max(0, ...runs.map(height));
  return {
    pieces,
    fontSize,
    bold,
    width: pieces.reduce((sum, { width }) => sum + width, 0),
    ascent: reach(({ rise, scale }) => rise + ASCENT * scale),
    descent: reach(({ rise, scale }) => DESCENT * scale - rise),
  };
}

/** Appends a label with its baseline at the origin of the group. */
export function appendText(
  group: Group,
  text: RichText,
  anchor: "start" | "middle" | "end",
  x = 0,
): void {
  const isWhole = text.pieces.length === 1;
  let left = x - (isWhole || anchor === "start" ? 0 : text.width / (anchor === "end" ? 1 : 2));
  for (const { markup, font, width } of text.pieces) {
    const element = group.append("text").attr("font-size", font.size);
    if (isWhole && anchor !== "start") element.attr("text-anchor", anchor);
    if (left !== 0) element.attr("x", rounded(left));
    if (font.bold) element.attr("font-weight", "bold");
    if (font.family === "math") element.attr("font-family", MATH_FONTS);
    element.html(markup);
    left += width;
  }
}

function splitByFont(
  parts: readonly TextPart[],
): readonly { family: TextFont["family"]; parts: TextPart[] }[] {
  const groups: { family: TextFont["family"]; parts: TextPart[] }[] = [];
  for (const part of parts) {
    const family = "text" in part && part.style === "math" ? "math" : "text";
    const last = groups.at(-1);
    if (last?.family === family) last.parts.push(part);
    else groups.push({ family, parts: [part] });
  }
  return groups;
}

function markupOf(parts: readonly TextPart[], font: TextFont): string {
  let rise = 0;
  let back = 0;
  const span = (run: TextRun): string => {
    const attributes = [
      ...(back === 0 ? [] : [`dx="${rounded(back)}"`]),
      ...(run.rise === rise ? [] : [`dy="${rounded((rise - run.rise) * font.size)}"`]),
      ...(run.scale === 1 ? [] : [`font-size="${rounded(run.scale * font.size)}"`]),
      ...(run.style === "slanted" ? ['font-style="italic"'] : []),
      ...(run.style === "bold" ? ['font-weight="bold"'] : []),
    ];
    ({ rise } = run);
    back = 0;
    const text = escape(run.text);
    return attributes.length === 0 ? text : `<tspan ${attributes.join(" ")}>${text}</tspan>`;
  };
  return parts
    .map((part) => {
      if ("text" in part) return span(part);
      const [lower, upper] = [part.lower, part.upper].map((runs) =>
        measure(markupOf(runs, font), font),
      );
      const first = part.lower.map(span).join("");
      back -= lower!;
      const second = part.upper.map(span).join("");
      back += Math.max(0, lower! - upper!);
      return first + second;
    })
    .join("");
}

const edges = new Map<string, number>();
const PROBE = ".";

/** How far a text advances, as the renderer draws it: where what follows it ends, less the width of that. */
function measure(markup: string, font: TextFont): number {
  return markup === "" ? 0 : rightEdge(markup + PROBE, font) - rightEdge(PROBE, font);
}

function rightEdge(markup: string, { size, bold, family }: TextFont): number {
  const attributes = `font-family="${family === "math" ? MATH_FONTS : FONT_FALLBACKS}" font-size="${size}" font-weight="${bold ? "bold" : "normal"}"`;
  const key = attributes + markup;
  const known = edges.get(key);
  if (known !== undefined) return known;
  const document = `<svg xmlns="http://www.w3.org/2000/svg" width="16" height="16"><text ${attributes}>${markup}</text></svg>`;
  const box = new Resvg(document, { font: fontOptions() }).getBBox();
  const edge = box === undefined ? 0 : box.x + box.width;
  edges.set(key, edge);
  return edge;
}

const rounded = (value: number): number => Math.round(value * 1000) / 1000;

function escape(text: string): string {
  return xmlText(text).replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
