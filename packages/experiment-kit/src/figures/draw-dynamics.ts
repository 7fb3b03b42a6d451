import { createSvgPage } from "../plots/svg-page.ts";
import type { D3, Group, Scale } from "../plots/d3-types.ts";
import { drawCurve, linePath, roundPixels, unbrokenRuns } from "../plots/draw-curve.ts";
import { simplifyLine } from "../plots/simplify-line.ts";
import { svgDocument } from "../plots/svg-document.ts";
import { blankFigure } from "./blank-figure.ts";
import { drawTicks, FRAME_WIDTH, groupAt } from "./draw-axes.ts";
import { LABEL_PAD, layOutFigure, TICK_LENGTH, TICK_PAD, TITLE_PAD } from "./figure-layout.ts";
import type { FigureLayout, PanelLayout } from "./figure-layout.ts";
import { BAND_OPACITY, drawLegend } from "./legend.ts";
import { plainText } from "./math-text.ts";
import { axisScale } from "./panel-axes.ts";
import type { PanelCurve, PanelCurves } from "./panel-curves.ts";
import type { PlotConfig } from "./plot-config.ts";
import { appendText } from "./rich-text.ts";

/** A figure as SVG, and its size. */
export interface DrawnFigure {
  readonly svg: string;
  /** In points, 72 to the inch. */
  readonly width: number;
  readonly height: number;
}

/**
 * Draws the figure of learning dynamics: panels side by side in black frames, curves in their order, the
 * later on top, deviations as bands behind them.
 *
 * @param file of the configuration, for messages.
 * @throws MisuseError naming the field, if the figure cannot be drawn as configured.
 */
export function drawDynamics(
  config: PlotConfig,
  panels: readonly PanelCurves[],
  file: string,
): DrawnFigure {
  const page = createSvgPage();
  const layout = layOutFigure(page.d3, config, panels, file);
  const { svg, width, height } = blankFigure(page, layout, nameOf(config));
  layout.panels.forEach((panel, i) => drawPanel(page.d3, svg, panel, layout, i));
  drawHeadAndFoot(svg, layout);
  return { svg: svgDocument(page), width, height };
}

function nameOf({ title, ax_configs: panels }: PlotConfig): string {
  const titles = title === "" ? panels.map((panel) => panel.title) : [title];
  return titles.filter(Boolean).map(plainText).join("; ") || "learning dynamics";
}

function drawHeadAndFoot(svg: Group, { width, title, legend }: FigureLayout): void {
  if (title !== undefined)
    appendText(groupAt(svg, width / 2, title.baseline), title.text, "middle");
  if (legend !== undefined) drawLegend(groupAt(svg, width / 2, legend.top), legend.layout);
}

function drawPanel(
  d3: D3,
  svg: Group,
  panel: PanelLayout,
  { axesWidth: width, axesHeight: height }: FigureLayout,
  index: number,
): void {
  const { config, curves } = panel.panel;
  const group = groupAt(svg, panel.left, panel.top);
  const x = axisScale(d3, panel.limits.x, config.x_log_scale).range([0, width]);
  const y = axisScale(d3, panel.limits.y, config.y_log_scale).range([height, 0]);
  const clip = `frame-${index + 1}`;
  const frame = (parent: Group): Group =>
    parent
      .append("rect")
      .attr("width", roundPixels(width))
      .attr("height", roundPixels(height)) as unknown as Group;
  frame(group.append("clipPath").attr("id", clip) as unknown as Group);
  const inside = group
    .append("g")
    .attr("clip-path", `url(#${clip})`)
    .attr("fill", "none")
    .attr("stroke-width", config.plot_linewidth)
    .attr("stroke-linejoin", "round") as unknown as Group;
  for (const curve of curves) drawBand(inside, curve, x, y);
  for (const curve of curves) {
    const line = inside.append("g").attr("stroke", curve.color);
    line.attr("stroke-dasharray", curve.dash ?? null);
    line.append("title").text(curve.label === undefined ? curve.metric : plainText(curve.label));
    drawCurve(
      line as unknown as Group,
      { x: curve.epochs, y: curve.mean },
      x,
      y,
      config.plot_linewidth,
    );
  }
  drawTicks(group, panel.ticks, { x, y, height, fontSize: config.ticks_font_size });
  frame(group).attr("fill", "none").attr("stroke", "black").attr("stroke-width", FRAME_WIDTH);
  drawTexts(group, panel, width, height);
}

/** Mean ± deviation; where a logarithmic axis cannot show the lower edge, the band goes to the frame. */
function drawBand(group: Group, curve: PanelCurve, x: Scale, y: Scale): void {
  const { deviation, mean, epochs } = curve;
  if (deviation === undefined) return;
  const bottom = Math.min(...y.domain());
  const isLog = !Number.isFinite(y(-1));
  const edge = (sign: 1 | -1): Float64Array =>
    mean.map((value, i) => {
      const at = value + sign * deviation[i]!;
      return isLog && at <= 0 && Number.isFinite(value) ? bottom : at;
    });
  const upper = unbrokenRuns({ x: epochs, y: edge(1) }, x, y).map((run) => simplifyLine(run));
  const lower = unbrokenRuns({ x: epochs, y: edge(-1) }, x, y).map((run) => simplifyLine(run));
  upper.forEach((run, i) => {
    const back = { x: lower[i]!.x.toReversed(), y: lower[i]!.y.toReversed() };
    group
      .append("path")
      .attr("d", `M${linePath(run)}L${linePath(back)}Z`)
      .attr("fill", curve.color)
      .attr("fill-opacity", BAND_OPACITY);
  });
}

function drawTexts(group: Group, panel: PanelLayout, width: number, height: number): void {
  const { texts, around, ticks, legend } = panel;
  const { title, xLabel, yLabel, mark } = texts;
  const afterMark = mark.width === 0 ? -Infinity : mark.width - around.left + 0.4 * mark.fontSize;
  const titleAt = Math.max(width / 2, afterMark + title.width / 2);
  if (title.width > 0) appendText(groupAt(group, titleAt, -TITLE_PAD), title, "middle");
  if (mark.width > 0) appendText(groupAt(group, -around.left, -TITLE_PAD), mark, "start");
  if (xLabel.width > 0)
    appendText(
      groupAt(group, width / 2, height + around.bottom - xLabel.descent),
      xLabel,
      "middle",
    );
  if (yLabel.width > 0) {
    const widest = Math.max(0, ...ticks.y.major.map(({ text }) => text.width));
    const baseline = -(TICK_LENGTH + TICK_PAD + widest + LABEL_PAD + yLabel.descent);
    const turned = groupAt(group, baseline, height / 2)
      .append("g")
      .attr("transform", "rotate(-90)");
    appendText(turned as unknown as Group, yLabel, "middle");
  }
  if (legend !== undefined) drawLegend(groupAt(group, width / 2, height + around.bottom), legend);
}
