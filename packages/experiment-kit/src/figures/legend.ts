import type { Group } from "../plots/d3-types.ts";
import type { PanelCurves } from "./panel-curves.ts";
import { appendText, richText } from "./rich-text.ts";
import type { RichText } from "./rich-text.ts";

export interface LegendEntry {
  readonly text: RichText;
  readonly color: string;
  readonly dash: string | undefined;
  readonly lineWidth: number;
  readonly hasBand: boolean;
}

export interface LegendLayout<Entry extends LegendEntry = LegendEntry> {
  readonly entries: readonly Entry[];
  readonly columns: number;
  readonly columnWidth: number;
  readonly rowHeight: number;
  /** Of all of it, with the room above. */
  readonly width: number;
  readonly height: number;
}

/** Width of the key before the text. */
export const SWATCH = 20;
const GAP = 6;
const COLUMN_GAP = 16;
/** Room above the first row, part of the height. */
export const ABOVE = 7;

/** The curves of a panel that have a label. */
export function legendEntries({ config, curves }: PanelCurves): readonly LegendEntry[] {
  return curves.flatMap(({ label, color, dash, deviation }) => {
    if (label === undefined || label === "") return [];
    const text = richText(label, config.legend_font_size);
    const hasBand = deviation !== undefined;
    return [{ text, color, dash, lineWidth: config.plot_linewidth, hasBand }];
  });
}

export function sameEntries(a: readonly LegendEntry[], b: readonly LegendEntry[]): boolean {
  const key = (entries: readonly LegendEntry[]): string =>
    JSON.stringify(entries.map(({ text, color, dash }) => [text.pieces, color, dash ?? ""]));
  return key(a) === key(b);
}

/** In rows of as many columns as have room, evenly filled. */
export function layOutLegend<Entry extends LegendEntry>(
  entries: readonly Entry[],
  room: number,
): LegendLayout<Entry> {
  const widest = Math.max(...entries.map(({ text }) => text.width));
  const columnWidth = SWATCH + GAP + widest + COLUMN_GAP;
  const most = Math.max(1, Math.floor((room + COLUMN_GAP) / columnWidth));
  const rows = Math.ceil(entries.length / most);
  const columns = Math.ceil(entries.length / rows);
  const rowHeight = 1.4 * Math.max(...entries.map(({ text }) => text.fontSize));
  return {
    entries,
    columns,
    columnWidth,
    rowHeight,
    width: columns * columnWidth - COLUMN_GAP,
    height: ABOVE + rows * rowHeight,
  };
}

/**
 * Draws a legend whose top is at the origin, centered on it.
 *
 * @param drawKey what stands before a text, from the origin to SWATCH on the right.
 */
export function drawLegend<Entry extends LegendEntry>(
  group: Group,
  layout: LegendLayout<Entry>,
  drawKey: (row: Group, entry: Entry) => void = drawLineAndBand,
): void {
  layout.entries.forEach((entry, i) => {
    const x = (i % layout.columns) * layout.columnWidth - layout.width / 2;
    const y = ABOVE + (Math.floor(i / layout.columns) + 0.5) * layout.rowHeight;
    const row = group
      .append("g")
      .attr("transform", `translate(${x.toFixed(2)},${y.toFixed(2)})`) as unknown as Group;
    drawKey(row, entry);
    const text = row
      .append("g")
      .attr(
        "transform",
        `translate(0,${(0.36 * entry.text.fontSize).toFixed(2)})`,
      ) as unknown as Group;
    appendText(text, entry.text, "start", SWATCH + GAP);
  });
}

function drawLineAndBand(row: Group, entry: LegendEntry): void {
  if (entry.hasBand) {
    row
      .append("rect")
      .attr("y", -3.5)
      .attr("width", SWATCH)
      .attr("height", 7)
      .attr("fill", entry.color)
      .attr("fill-opacity", BAND_OPACITY);
  }
  drawKeyLine(row, entry);
}

export function drawKeyLine(row: Group, { color, dash, lineWidth }: LegendEntry): void {
  row
    .append("line")
    .attr("x2", SWATCH)
    .attr("stroke", color)
    .attr("stroke-width", lineWidth)
    .attr("stroke-dasharray", dash ?? null);
}

/** Of the bands of deviation. */
export const BAND_OPACITY = 0.22;
