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

export interface LegendLayout {
  readonly entries: readonly LegendEntry[];
  readonly columns: number;
  readonly columnWidth: number;
  readonly rowHeight: number;
  /** Of all of it, with the room above. */
  readonly width: number;
  readonly height: number;
}

const SWATCH = 20;
const GAP = 6;
const COLUMN_GAP = 16;
const ABOVE = 7;

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
export function layOutLegend(entries: readonly LegendEntry[], room: number): LegendLayout {
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

/** Draws a legend whose top is at the origin, centered on it. */
export function drawLegend(group: Group, layout: LegendLayout): void {
  layout.entries.forEach((entry, i) => {
    const x = (i % layout.columns) * layout.columnWidth - layout.width / 2;
    const y = ABOVE + (Math.floor(i / layout.columns) + 0.5) * layout.rowHeight;
    const row = group
      .append("g")
      .attr("transform", `translate(${x.toFixed(2)},${y.toFixed(2)})`) as unknown as Group;
    if (entry.hasBand) {
      row
        .append("rect")
        .attr("y", -3.5)
        .attr("width", SWATCH)
        .attr("height", 7)
        .attr("fill", entry.color)
        .attr("fill-opacity", BAND_OPACITY);
    }
    row
      .append("line")
      .attr("x2", SWATCH)
      .attr("stroke", entry.color)
      .attr("stroke-width", entry.lineWidth)
      .attr("stroke-dasharray", entry.dash ?? null);
    const text = row
      .append("g")
      .attr(
        "transform",
        `translate(0,${(0.36 * entry.text.fontSize).toFixed(2)})`,
      ) as unknown as Group;
    appendText(text, entry.text, "start", SWATCH + GAP);
  });
}

/** Of the bands of deviation. */
export const BAND_OPACITY = 0.22;
