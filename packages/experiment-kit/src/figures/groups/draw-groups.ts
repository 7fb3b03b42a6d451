import { createSvgPage } from "../../plots/svg-page.ts";
import type { Group } from "../../plots/d3-types.ts";
import { linePath, roundPixels, unbrokenRuns } from "../../plots/draw-curve.ts";
import { svgDocument } from "../../plots/svg-document.ts";
import { blankFigure } from "../blank-figure.ts";
import { drawTicks, FRAME_WIDTH, groupAt } from "../draw-axes.ts";
import type { DrawnFigure } from "../draw-dynamics.ts";
import { LABEL_PAD, TICK_LENGTH, TICK_PAD } from "../figure-layout.ts";
import { drawKeyLine, drawLegend, SWATCH } from "../legend.ts";
import { plainText } from "../math-text.ts";
import type { GroupCurve, GroupCurves, PlacedPoint } from "./group-curves.ts";
import { centerOf, layOutGroups, TICKS_SIZE, TITLE_PAD } from "./group-layout.ts";
import type { GroupLayout } from "./group-layout.ts";
import { topOfRows } from "./group-legend.ts";
import type { GroupEntry } from "./group-legend.ts";
import type { GroupPlotFlags } from "./group-plot-flags.ts";
import type { MarkerShape } from "./markers.ts";
import { appendWrapped } from "./wrapped-text.ts";
import type { WrappedText } from "./wrapped-text.ts";

const MARKER_EDGE = 1;
/** Half the width of the bars' ends. */
const CAP = 2.5;
/** Of the bars, as a share of the curves' width. */
const BAR_WIDTH = 0.75;

/**
 * Draws the figure of groups: a curve each, markers at the means, error bars of one deviation behind them.
 *
 * @throws MisuseError naming the flag, if the figure cannot be drawn as asked.
 */
export function drawGroups(flags: GroupPlotFlags, curves: GroupCurves): DrawnFigure {
  const page = createSvgPage();
  const layout = layOutGroups(page.d3, flags, curves);
  const title = plainText(flags.plot_title || flags.y_label) || "groups of runs";
  const { svg, width, height } = blankFigure(page, layout, title);
  const axes = groupAt(svg, layout.axes.left, layout.axes.top);
  const size = { width: roundPixels(layout.axes.width), height: roundPixels(layout.axes.height) };
  // All x values are in the axes; the bars' ends at the first and last may be beside them.
  axes
    .append("clipPath")
    .attr("id", "frame")
    .append("rect")
    .attr("x", -CAP)
    .attr("width", size.width + 2 * CAP)
    .attr("height", size.height);
  drawReferenceLines(clipped(axes), curves, layout, flags.plot_linewidth);
  for (const curve of curves.curves) drawGroup(axes, curve, layout, flags);
  axes
    .append("rect")
    .attr("width", size.width)
    .attr("height", size.height)
    .attr("fill", "none")
    .attr("stroke", "black")
    .attr("stroke-width", FRAME_WIDTH);
  drawTicks(axes, layout.ticks, {
    x: layout.x,
    y: layout.y,
    height: layout.axes.height,
    fontSize: TICKS_SIZE,
    xAngle: layout.ticks.x.angle,
  });
  drawTexts(axes, layout);
  drawGroupLegend(axes, layout, flags.error_bars_opacity);
  return { svg: svgDocument(page), width, height };
}

function clipped(axes: Group): Group {
  return axes.append("g").attr("clip-path", "url(#frame)").attr("fill", "none") as unknown as Group;
}

function drawReferenceLines(
  group: Group,
  { horizontal, vertical }: GroupCurves,
  { x, y, axes }: GroupLayout,
  lineWidth: number,
): void {
  const lines = [
    ...horizontal.map((line) => ({
      ...line,
      d: `M0,${roundPixels(y(line.at))}H${roundPixels(axes.width)}`,
    })),
    ...vertical.map((line) => ({
      ...line,
      d: `M${roundPixels(x(line.at))},0V${roundPixels(axes.height)}`,
    })),
  ];
  for (const { d, color, dash } of lines) {
    if (d.includes("NaN")) continue;
    group
      .append("path")
      .attr("d", d)
      .attr("stroke", color)
      .attr("stroke-width", lineWidth)
      .attr("stroke-dasharray", dash ?? null);
  }
}

function drawGroup(
  axes: Group,
  curve: GroupCurve,
  layout: GroupLayout,
  { error_bars_opacity: opacity, plot_linewidth: lineWidth }: GroupPlotFlags,
): void {
  const { x, y } = layout;
  const group = axes.append("g").attr("stroke", curve.color) as unknown as Group;
  if (curve.label !== "") group.append("title").text(plainText(curve.label));
  const inside = clipped(group);
  const bars = curve.points.map((point) => errorBar(point, layout)).join("");
  if (bars !== "" && opacity > 0) {
    inside
      .append("path")
      .attr("d", bars)
      .attr("stroke-width", roundPixels(BAR_WIDTH * lineWidth))
      .attr("stroke-opacity", opacity);
  }
  if (curve.line !== undefined) {
    const points = {
      x: curve.points.map(({ at }) => at),
      y: curve.points.map(({ mean }) => mean),
    };
    for (const run of unbrokenRuns(points, x, y)) {
      if (run.x.length === 1) continue;
      inside
        .append("path")
        .attr("d", `M${linePath(run)}`)
        .attr("stroke-width", lineWidth)
        .attr("stroke-linejoin", "round")
        .attr("stroke-dasharray", curve.line.dash ?? null);
    }
  }
  if (curve.marker === undefined) return;
  for (const point of curve.points) {
    const [left, top] = [x(point.at), y(point.mean)];
    if (!isInFrame(left, top, layout)) continue;
    const mark = groupAt(group, left, top);
    mark.append("title").text(describe(point));
    drawMarker(mark, curve.marker, curve.color);
  }
}

/** Markers on the frame are whole; those outside are not drawn. */
function isInFrame(left: number, top: number, { axes }: GroupLayout): boolean {
  const slack = 1e-6;
  return (
    left >= -slack && left <= axes.width + slack && top >= -slack && top <= axes.height + slack
  );
}

function describe({ x, mean, deviation, values }: PlacedPoint): string {
  const number = (value: number): string => String(Number(value.toPrecision(4)));
  if (deviation === undefined) return `${x}: ${number(mean)}`;
  return `${x}: ${number(mean)} ± ${number(deviation)} (${values.length} runs)`;
}

/** From mean − deviation to mean + deviation; where a logarithmic axis ends before, to the frame. */
function errorBar({ at, mean, deviation = 0 }: PlacedPoint, { x, y, axes }: GroupLayout): string {
  if (deviation === 0 || !Number.isFinite(x(at)) || !Number.isFinite(y(mean))) return "";
  const left = roundPixels(x(at));
  const cap = (top: number): string => `M${roundPixels(left - CAP)},${top}h${2 * CAP}`;
  const top = roundPixels(y(mean + deviation));
  const lower = y(mean - deviation);
  if (!Number.isFinite(lower)) return `M${left},${top}V${roundPixels(axes.height)}${cap(top)}`;
  const bottom = roundPixels(lower);
  return `M${left},${top}V${bottom}${cap(top)}${cap(bottom)}`;
}

function drawMarker(group: Group, { path, isFilled }: MarkerShape, color: string): void {
  group
    .append("path")
    .attr("d", path)
    .attr("fill", isFilled ? color : "none")
    .attr("stroke", color)
    .attr("stroke-width", MARKER_EDGE);
}

function drawTexts(axes: Group, layout: GroupLayout): void {
  const { texts, ticks, around } = layout;
  const { width, height } = layout.axes;
  const { title, xLabel, yLabel } = texts;
  const center = (text: WrappedText): number => centerOf(around, width, text.width);
  appendWrapped(groupAt(axes, center(title), -TITLE_PAD), title);
  appendWrapped(groupAt(axes, center(xLabel), height + around.bottom), xLabel);
  const widest = Math.max(0, ...ticks.y.major.map(({ text }) => text.width));
  const right = -(TICK_LENGTH + TICK_PAD + widest + LABEL_PAD);
  const turned = groupAt(axes, right, height / 2)
    .append("g")
    .attr("transform", "rotate(-90)");
  appendWrapped(turned as unknown as Group, yLabel);
}

function drawGroupLegend(axes: Group, layout: GroupLayout, barsOpacity: number): void {
  const { legend, around } = layout;
  if (legend === undefined) return;
  const drawKey = (row: Group, entry: GroupEntry): void => {
    if (entry.hasBars && barsOpacity > 0) {
      row
        .append("path")
        .attr("d", `M${SWATCH / 2},-5.5v11`)
        .attr("stroke", entry.color)
        .attr("stroke-width", roundPixels(BAR_WIDTH * entry.lineWidth))
        .attr("stroke-opacity", barsOpacity);
    }
    if (entry.hasLine) drawKeyLine(row, entry);
    if (entry.marker !== undefined)
      drawMarker(groupAt(row, SWATCH / 2, 0), entry.marker, entry.color);
  };
  if (!legend.isInside) {
    const top = layout.axes.height + around.bottom;
    const center = centerOf(around, layout.axes.width, legend.layout.width);
    drawLegend(groupAt(axes, center, top), legend.layout, drawKey);
    return;
  }
  const { box } = legend;
  axes
    .append("rect")
    .attr("x", roundPixels(box.left))
    .attr("y", roundPixels(box.top))
    .attr("width", roundPixels(box.width))
    .attr("height", roundPixels(box.height))
    .attr("rx", 2)
    .attr("fill", "white")
    .attr("stroke", "#cccccc")
    .attr("stroke-width", 0.8);
  const center = groupAt(axes, box.left + box.width / 2, topOfRows(box));
  drawLegend(center, legend.layout, drawKey);
}
