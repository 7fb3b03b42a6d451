import type { Axis, NumberValue } from "d3";
import { createSvgPage } from "./svg-page.ts";
import { logTicks, numberFormat, powerOfTen } from "./axis-ticks.ts";
import type { D3, Group, Scale } from "./d3-types.ts";
import { drawCurve, roundPixels } from "./draw-curve.ts";
import { estimateTextWidth, FONT_FALLBACKS } from "./font.ts";
import type { LinePanel, LineSeries } from "./line-panel.ts";
import { seriesColors } from "./palette.ts";
import { svgDocument } from "./svg-document.ts";
import { axisLimits, valueRange } from "./y-scale.ts";

export interface FigureSize {
  /** Pixels of the axes' frame, without labels and legend. */
  readonly width: number;
  readonly height: number;
}

const MARGIN = { top: 34, right: 16, bottom: 46, left: 72 };
const TITLE_SIZE = 14;
const LABEL_SIZE = 12;
const TICK_SIZE = 10.5;
const LEGEND = { size: 10.5, rowHeight: 15, swatch: 18, gap: 6, columnGap: 14 };
const INK = "#1a1a1a";
const GRID = "#e3e3e3";

/** Draws one panel as an SVG document; the legend stands beside the axes, so it covers no data. */
export function drawFigure(
  panel: LinePanel,
  size: FigureSize = { width: 520, height: 380 },
): string {
  const page = createSvgPage();
  const { d3 } = page;
  const colors = seriesColors(panel.series, d3.interpolateViridis);
  const legend = layOutLegend(panel.series, size.height);
  const width = MARGIN.left + size.width + MARGIN.right + legend.width;
  const height = MARGIN.top + size.height + MARGIN.bottom;
  const svg = page.createSvg(width, height, {
    viewBox: `0 0 ${width} ${height}`,
    role: "img",
    "font-family": FONT_FALLBACKS,
    fill: INK,
  });
  svg.append("title").text(panel.title);
  svg.append("rect").attr("width", width).attr("height", height).attr("fill", "white");
  const frame = svg.append("g").attr("transform", `translate(${MARGIN.left},${MARGIN.top})`);
  drawPanel(d3, frame, panel, colors, size);
  const beside = svg
    .append("g")
    .attr("transform", `translate(${MARGIN.left + size.width + MARGIN.right},${MARGIN.top})`);
  drawLegend(beside, panel.series, colors, legend);
  return svgDocument(page);
}

/** Axes, grid, curves and labels of a panel inside a group whose origin is the frame's corner. */
function drawPanel(
  d3: D3,
  group: Group,
  panel: LinePanel,
  colors: readonly string[],
  size: FigureSize,
): void {
  const { x, y } = scales(d3, panel, size);
  drawAxes(d3, group, panel, x, y, size);
  const curves = group
    .append("g")
    .attr("fill", "none")
    .attr("stroke-width", 1.6)
    .attr("stroke-linejoin", "round");
  // The first curve is the most important one: it is drawn last, on top.
  for (let i = panel.series.length - 1; i >= 0; i--) {
    const curve = curves.append("g").attr("stroke", colors[i]!);
    curve.append("title").text(panel.series[i]!.label);
    drawCurve(curve, panel.series[i]!, x, y);
  }
  group
    .append("rect")
    .attr("width", size.width)
    .attr("height", size.height)
    .attr("fill", "none")
    .attr("stroke", INK);
  const text = (content: string, fontSize: number) =>
    group.append("text").attr("text-anchor", "middle").attr("font-size", fontSize).text(content);
  text(panel.title, TITLE_SIZE)
    .attr("x", size.width / 2)
    .attr("y", -12);
  text(panel.xLabel, LABEL_SIZE)
    .attr("x", size.width / 2)
    .attr("y", size.height + 38);
  text(panel.yLabel, LABEL_SIZE).attr(
    "transform",
    `translate(${-56},${size.height / 2}) rotate(-90)`,
  );
}

function scales(
  d3: D3,
  panel: LinePanel,
  size: FigureSize,
): { readonly x: Scale; readonly y: Scale } {
  const [first, last] = rangeOfX(panel.series);
  const limits = axisLimits(valueRange(panel.series) ?? [0, 1], panel.yScale);
  const y = panel.yScale === "log" ? d3.scaleLog() : d3.scaleLinear();
  return {
    x: d3.scaleLinear([first, last], [0, size.width]),
    y: y.domain(limits).range([size.height, 0]),
  };
}

function rangeOfX(series: readonly LineSeries[]): readonly [number, number] {
  let first = Infinity;
  let last = -Infinity;
  for (const { x } of series) {
    if (x.length === 0) continue;
    first = Math.min(first, x[0]!);
    last = Math.max(last, x[x.length - 1]!);
  }
  if (first < last) return [first > 0 && first < 0.03 * last ? 0 : first, last];
  return first === last ? [first - 1, last + 1] : [0, 1];
}

function drawAxes(
  d3: D3,
  group: Group,
  panel: LinePanel,
  x: Scale,
  y: Scale,
  size: FigureSize,
): void {
  const bottom = d3.axisBottom(x).ticks(6).tickFormat(numberFormat(d3, x));
  const left =
    panel.yScale === "log"
      ? d3
          .axisLeft(y)
          .tickValues(logTicks(y.domain()))
          .tickFormat((value) => powerOfTen(value.valueOf()))
      : d3.axisLeft(y).ticks(6).tickFormat(numberFormat(d3, y));
  const place = (
    axis: Axis<NumberValue>,
    down: number,
    gridEnd: readonly [string, number],
  ): void => {
    const placed = group.append("g").attr("transform", `translate(0,${down})`);
    axis(placed as unknown as Parameters<typeof axis>[0]);
    placed.attr("font-family", null).attr("font-size", TICK_SIZE).select(".domain").remove();
    placed.selectAll("text").attr("fill", INK);
    const grid = placed.selectAll(".tick").insert("line", ":first-child");
    grid.attr("stroke", GRID).attr(...gridEnd);
  };
  place(bottom, size.height, ["y2", -size.height]);
  place(left, 0, ["x2", size.width]);
}

interface LegendLayout {
  readonly width: number;
  readonly rows: number;
  readonly columnWidth: number;
}

/** A single curve that is named by the title needs no legend. */
function layOutLegend(series: readonly LineSeries[], height: number): LegendLayout {
  if (series.length < 2) return { width: 0, rows: 0, columnWidth: 0 };
  const rows = Math.max(1, Math.floor(height / LEGEND.rowHeight));
  const longest = Math.max(...series.map(({ label }) => estimateTextWidth(label, LEGEND.size)));
  const columnWidth = LEGEND.swatch + LEGEND.gap + longest + LEGEND.columnGap;
  return { width: Math.ceil(series.length / rows) * columnWidth, rows, columnWidth };
}

function drawLegend(
  group: Group,
  series: readonly LineSeries[],
  colors: readonly string[],
  layout: LegendLayout,
): void {
  if (layout.rows === 0) return;
  series.forEach(({ label }, i) => {
    const column = Math.floor(i / layout.rows);
    const top = (i % layout.rows) * LEGEND.rowHeight + LEGEND.rowHeight / 2;
    const entry = group
      .append("g")
      .attr("transform", `translate(${roundPixels(column * layout.columnWidth)},${top})`);
    entry
      .append("line")
      .attr("x2", LEGEND.swatch)
      .attr("stroke", colors[i]!)
      .attr("stroke-width", 2.4);
    entry
      .append("text")
      .attr("x", LEGEND.swatch + LEGEND.gap)
      .attr("dy", "0.35em")
      .attr("font-size", LEGEND.size)
      .text(label);
  });
}
