import type { Scale } from "../../plots/d3-types.ts";
import { ABOVE, layOutLegend } from "../legend.ts";
import type { LegendEntry, LegendLayout } from "../legend.ts";
import { richText } from "../rich-text.ts";
import type { GroupCurve, GroupCurves } from "./group-curves.ts";
import type { MarkerShape } from "./markers.ts";

/** The second one where only that has room in the axes. */
const FONT_SIZES = [11, 9] as const;
/** Inside the legend's box, and between it and the frame. */
const BOX_PAD = 5;
const INSET = 6;
/** What is nearer to a line than this counts as covered; markers reach out by 3. */
const CLEARANCE = 5;

export interface GroupEntry extends LegendEntry {
  readonly hasLine: boolean;
  readonly hasBars: boolean;
  readonly marker: MarkerShape | undefined;
}

export interface PlacedLegend {
  readonly layout: LegendLayout<GroupEntry>;
  /** In a box in the axes; otherwise below everything. */
  readonly isInside: boolean;
  /** Its box in the axes. */
  readonly box: Box;
}

export interface Box {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
}

export interface Axes {
  readonly x: Scale;
  readonly y: Scale;
  readonly width: number;
  readonly height: number;
}

type Segment = readonly [x1: number, y1: number, x2: number, y2: number];

/** Places in the axes in the order of preference (the counterpart has the first); shares of the free room. */
const PLACES = [
  [0, 1],
  [1, 1],
  [1, 0],
  [0, 0],
  [0.5, 1],
  [0.5, 0],
  [0, 0.5],
  [1, 0.5],
] as const;

/**
 * The legend of the curves that have a label: in the axes, in one column or two, at the first place where it
 * covers no curve, marker, error bar or reference line; if there is none, below the figure.
 */
export function placeLegend(
  curves: GroupCurves,
  axes: Axes,
  lineWidth: number,
): PlacedLegend | undefined {
  const entries = entriesOf(curves, lineWidth, FONT_SIZES[0]);
  if (entries.length === 0) return undefined;
  const obstacles = [
    ...curves.curves.flatMap((curve) => segmentsOf(curve, axes)),
    ...referenceSegments(curves, axes),
  ];
  for (const fontSize of FONT_SIZES) {
    for (const layout of shapesOf(entriesOf(curves, lineWidth, fontSize))) {
      for (const [right, down] of PLACES) {
        const box = boxAt(layout, axes, right, down);
        if (box !== undefined && obstacles.every((segment) => !isCovered(segment, box)))
          return { layout, isInside: true, box };
      }
    }
  }
  const layout = layOutLegend(entries, axes.width);
  return { layout, isInside: false, box: { left: 0, top: 0, width: 0, height: 0 } };
}

/** In one column; many entries also in two. */
function shapesOf(entries: readonly GroupEntry[]): readonly LegendLayout<GroupEntry>[] {
  const column = layOutLegend(entries, 0);
  return entries.length > 3 ? [column, layOutLegend(entries, 2 * column.columnWidth)] : [column];
}

function entriesOf({ curves }: GroupCurves, lineWidth: number, fontSize: number) {
  return curves.flatMap((curve) => entryOf(curve, lineWidth, fontSize));
}

function entryOf(
  { label, color, line, marker, points }: GroupCurve,
  lineWidth: number,
  fontSize: number,
): readonly GroupEntry[] {
  if (label === "") return [];
  const entry: GroupEntry = {
    text: richText(label, fontSize),
    color,
    dash: line?.dash,
    lineWidth,
    hasBand: false,
    hasLine: line !== undefined,
    hasBars: points.some(({ deviation = 0 }) => deviation > 0),
    marker,
  };
  return [entry];
}

function boxAt(layout: LegendLayout, axes: Axes, right: number, down: number): Box | undefined {
  const width = layout.width + 2 * BOX_PAD;
  const height = layout.height - ABOVE + 2 * BOX_PAD;
  const free = { x: axes.width - width - 2 * INSET, y: axes.height - height - 2 * INSET };
  if (free.x < 0 || free.y < 0) return undefined;
  return { left: INSET + right * free.x, top: INSET + down * free.y, width, height };
}

/** The top of the rows in their box, as `drawLegend` counts it. */
export function topOfRows({ top }: Box): number {
  return top + BOX_PAD - ABOVE;
}

function segmentsOf({ points, line }: GroupCurve, { x, y, height }: Axes): readonly Segment[] {
  // Where a logarithmic axis cannot show a value, it is far below.
  const place = (value: number): number => (Number.isFinite(y(value)) ? y(value) : height);
  const drawn = points.filter(({ at, mean }) => Number.isFinite(x(at)) && Number.isFinite(y(mean)));
  return drawn.flatMap(({ at, mean, deviation = 0 }, i): readonly Segment[] => {
    const bar: Segment = [x(at), place(mean - deviation), x(at), place(mean + deviation)];
    const next = drawn[i + 1];
    if (next === undefined || line === undefined) return [bar];
    return [bar, [x(at), y(mean), x(next.at), y(next.mean)]];
  });
}

function referenceSegments({ horizontal, vertical }: GroupCurves, axes: Axes): readonly Segment[] {
  return [
    ...horizontal.map(({ at }): Segment => [0, axes.y(at), axes.width, axes.y(at)]),
    ...vertical.map(({ at }): Segment => [axes.x(at), 0, axes.x(at), axes.height]),
  ];
}

/** Whether a segment comes into a box or near it (Liang and Barsky's clipping). */
function isCovered([x1, y1, x2, y2]: Segment, box: Box): boolean {
  let [from, to] = [0, 1];
  const sides = [
    [x1, x2 - x1, box.left, box.left + box.width],
    [y1, y2 - y1, box.top, box.top + box.height],
  ] as const;
  for (const [start, step, low, high] of sides) {
    const [near, far] = [low - CLEARANCE - start, high + CLEARANCE - start];
    if (step === 0) {
      if (near > 0 || far < 0) return false;
      continue;
    }
    const [enter, leave] = step > 0 ? [near / step, far / step] : [far / step, near / step];
    from = Math.max(from, enter);
    to = Math.min(to, leave);
  }
  return from <= to;
}
