import type { Group } from "../../plots/d3-types.ts";
import { groupAt } from "../draw-axes.ts";
import { appendText, richText } from "../rich-text.ts";
import type { RichText } from "../rich-text.ts";

/** A text in lines below each other; without lines if it is empty. */
export interface WrappedText {
  readonly lines: readonly RichText[];
  readonly width: number;
  readonly height: number;
}

const LINE_HEIGHT = 1.2;
/** A word that is longer than a line is set smaller, but no smaller than this share. */
const SMALLEST = 0.6;

/** Breaks a text between words (not inside formulas) into lines of even length that fit into the room. */
export function wrapText(text: string, fontSize: number, room: number): WrappedText {
  if (text.trim() === "") return { lines: [], width: 0, height: 0 };
  const lines = breakLines(text, fontSize, room);
  const widest = Math.max(...lines.map((line) => richText(line, fontSize).width));
  const size = fontSize * Math.max(SMALLEST, Math.min(1, (0.99 * room) / widest));
  const set = lines.map((line) => richText(line, size));
  const first = set[0]!;
  const last = set.at(-1)!;
  return {
    lines: set,
    width: Math.max(...set.map(({ width }) => width)),
    height: first.ascent + (set.length - 1) * LINE_HEIGHT * size + last.descent,
  };
}

function breakLines(text: string, fontSize: number, room: number): readonly string[] {
  const width = (line: string): number => richText(line, fontSize).width;
  const whole = width(text);
  if (whole <= room) return [text];
  const words = wordsOf(text);
  for (let count = Math.ceil(whole / room); count < words.length; count++) {
    const lines = fill(words, Math.min(room, (1.15 * whole) / count), width);
    if (lines.length <= count && lines.every((line) => width(line) <= room)) return lines;
  }
  return fill(words, room, width);
}

/** Blanks inside `$…$` break no line. */
function wordsOf(text: string): readonly string[] {
  const parts = text.split(/(?<!\\)\$/);
  if (parts.length % 2 === 0) return text.split(/\s+/).filter(Boolean);
  const marked = parts.map((part, i) => (i % 2 === 0 ? part.replaceAll(/\s+/g, "\n") : part));
  return marked.join("$").split("\n").filter(Boolean);
}

function fill(
  words: readonly string[],
  room: number,
  width: (line: string) => number,
): readonly string[] {
  const lines: string[] = [];
  for (const word of words) {
    const longer = lines.length === 0 ? word : `${lines.at(-1)!} ${word}`;
    if (lines.length > 0 && width(longer) <= room) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** Draws a text centered on the origin, whose lowest line ends at it. */
export function appendWrapped(group: Group, { lines }: WrappedText): void {
  lines.forEach((line, i) => {
    const below = lines.length - 1 - i;
    const baseline = -line.descent - below * LINE_HEIGHT * line.fontSize;
    appendText(groupAt(group, 0, baseline), line, "middle");
  });
}
