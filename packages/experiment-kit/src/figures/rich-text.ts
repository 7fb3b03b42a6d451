import { Resvg } from "@resvg/resvg-js";
import type { Group } from "../plots/d3-types.ts";
import { FONT_FAMILY } from "../plots/font.ts";
import { fontOptions } from "../plots/svg-to-png.ts";
import { parseMathText } from "./math-text.ts";
import type { TextPart, TextRun } from "./math-text.ts";

/** A label that is ready to be drawn, and its size. Lengths in points. */
export interface RichText {
  readonly markup: string;
  readonly fontSize: number;
  readonly bold: boolean;
  readonly width: number;
  /** Above and below the baseline. */
  readonly ascent: number;
  readonly descent: number;
}

/** Of the font: height of capitals and digits, and depth of letters such as g. */
const ASCENT = 0.76;
const DESCENT = 0.24;

/** Sets a label (see parseMathText) in a size. */
export function richText(label: string, fontSize: number, bold = false): RichText {
  const parts = parseMathText(label);
  const markup = markupOf(parts, fontSize);
  const runs = parts.flatMap((part) => ("text" in part ? [part] : [...part.lower, ...part.upper]));
  const reach = (height: (run: TextRun) => number): number =>
    fontSize * Math.max(0, ...runs.map(height));
  return {
    markup,
    fontSize,
    bold,
    width: measure(markup, fontSize, bold),
    ascent: reach(({ rise, scale }) => rise + ASCENT * scale),
    descent: reach(({ rise, scale }) => DESCENT * scale - rise),
  };
}

/** Appends a label with its baseline at the origin of the group. */
export function appendText(
  group: Group,
  text: RichText,
  anchor: "start" | "middle" | "end",
): Group {
  const element = group.append("text").attr("font-size", text.fontSize);
  if (anchor !== "start") element.attr("text-anchor", anchor);
  if (text.bold) element.attr("font-weight", "bold");
  element.html(text.markup);
  return element as unknown as Group;
}

function markupOf(parts: readonly TextPart[], fontSize: number): string {
  let rise = 0;
  let back = 0;
  const span = (run: TextRun): string => {
    const attributes = [
      ...(back === 0 ? [] : [`dx="${rounded(back)}"`]),
      ...(run.rise === rise ? [] : [`dy="${rounded((rise - run.rise) * fontSize)}"`]),
      ...(run.scale === 1 ? [] : [`font-size="${rounded(run.scale * fontSize)}"`]),
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
      const [lower, upper] = [part.lower, part.upper].map((runs) => advance(runs, fontSize));
      const first = part.lower.map(span).join("");
      back -= lower!;
      const second = part.upper.map(span).join("");
      back += Math.max(0, lower! - upper!);
      return first + second;
    })
    .join("");
}

function advance(runs: readonly TextRun[], fontSize: number): number {
  return measure(markupOf(runs, fontSize), fontSize, false);
}

const measured = new Map<string, number>();
const PROBE = 16;

/** The width of a text as the renderer draws it. */
function measure(markup: string, fontSize: number, bold: boolean): number {
  if (markup === "") return 0;
  const key = `${fontSize} ${bold} ${markup}`;
  const known = measured.get(key);
  if (known !== undefined) return known;
  const document =
    `<svg xmlns="http://www.w3.org/2000/svg" width="${PROBE}" height="${PROBE}">` +
    `<text font-family="${FONT_FAMILY}" font-size="${fontSize}" font-weight="${bold ? "bold" : "normal"}">${markup}</text></svg>`;
  const box = new Resvg(document, { font: fontOptions() }).getBBox();
  // The box holds the ink alone; letters have some room on both sides of it.
  const width = box === undefined ? 0 : box.x + box.width + 0.05 * fontSize;
  measured.set(key, width);
  return width;
}

const rounded = (value: number): number => Math.round(value * 1000) / 1000;

function escape(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}
