import { MisuseError } from "../errors.ts";
import type { D3 } from "../plots/d3-types.ts";
import { layOutLegend, legendEntries, sameEntries } from "./legend.ts";
import type { LegendLayout } from "./legend.ts";
import { xLimits, xTicks, yLimits, yTicks } from "./panel-axes.ts";
import type { AxisTicks, Limits } from "./panel-axes.ts";
import type { PanelCurves } from "./panel-curves.ts";
import type { PlotConfig } from "./plot-config.ts";
import { richText } from "./rich-text.ts";
import type { RichText } from "./rich-text.ts";

/** All lengths in points (72 to the inch), as in matplotlib. */
export const INCH = 72;
/** Shares of a figure that matplotlib's default margins leave to the axes. */
const AXES_SHARE = { width: 0.775, height: 0.77 };
/** What tight layout keeps free at the edges, what is cut off after it, and what saving adds again. */
export const TIGHT_PAD = 10.8;
export const SAVE_PAD = 7.2;
/** The unit of `pad_width`. */
const PAD_UNIT = 10;
export const SMALLEST_AXES = 24;

export const TICK_LENGTH = 3.5;
export const TICK_PAD = 3.5;
export const LABEL_PAD = 4;
export const TITLE_PAD = 8;

export interface PanelLayout {
  readonly panel: PanelCurves;
  /** Corner of the frame. */
  readonly left: number;
  readonly top: number;
  readonly limits: { readonly x: Limits; readonly y: Limits };
  readonly ticks: { readonly x: AxisTicks; readonly y: AxisTicks };
  readonly texts: PanelTexts;
  /** Room that texts take on each side of the frame. */
  readonly around: Sides;
  readonly legend: LegendLayout | undefined;
}

export interface PanelTexts {
  readonly title: RichText;
  readonly xLabel: RichText;
  readonly yLabel: RichText;
  /** (a), (b), …; empty without `panel_labels`. */
  readonly mark: RichText;
}

export interface Sides {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

export interface FigureLayout {
  readonly width: number;
  readonly height: number;
  readonly axesWidth: number;
  readonly axesHeight: number;
  readonly title: { readonly text: RichText; readonly baseline: number } | undefined;
  readonly panels: readonly PanelLayout[];
  readonly legend: { readonly layout: LegendLayout; readonly top: number } | undefined;
}

interface Panel {
  readonly panel: PanelCurves;
  readonly limits: PanelLayout["limits"];
  readonly texts: PanelTexts;
}

/**
 * Places everything: all axes have one size; the width of the figure is that of the counterpart, its
 * height too, except that the title and the legends, which the counterpart draws over the data or not at
 * all, come on top of it.
 *
 * @param file of the configuration, for messages.
 * @throws MisuseError if the texts leave no room for the axes, or the limits none for a curve.
 */
export function layOutFigure(
  d3: D3,
  config: PlotConfig,
  curves: readonly PanelCurves[],
  file: string,
): FigureLayout {
  const panels = curves.map((panel, i) => ({
    panel,
    limits: limitsOf(panel, `${file}: ax_configs[${i}]`),
    texts: textsOf(panel, config, i),
  }));
  const width = (config.subplot_width / AXES_SHARE.width) * INCH - 2 * (TIGHT_PAD - SAVE_PAD);
  const innerHeight = (config.subplot_height / AXES_SHARE.height) * INCH - 2 * TIGHT_PAD;
  const padWidth = (config.pad_width ?? TIGHT_PAD / PAD_UNIT) * PAD_UNIT;
  const axes = axesSize(d3, panels, width - 2 * SAVE_PAD, innerHeight, padWidth);
  checkRoom(axes, file);
  const around = panels.map((panel) => sidesOf(panel, ticksOf(d3, panel, axes), axes));
  const legends = layOutLegends(config, curves, axes.width, width - 2 * SAVE_PAD);
  const title = config.title === "" ? undefined : richText(config.title, config.title_font_size);
  const titleHeight = title === undefined ? 0 : title.ascent + title.descent + TITLE_PAD;
  const highest = (side: "top" | "bottom"): number =>
    Math.max(...around.map((sides) => sides[side]));
  const top = SAVE_PAD + titleHeight + highest("top");
  const below = top + axes.height + highest("bottom");
  const panelLegends = Math.max(0, ...legends.panels.map((legend) => legend?.height ?? 0));
  return {
    width,
    height: below + panelLegends + (legends.shared?.height ?? 0) + SAVE_PAD,
    axesWidth: axes.width,
    axesHeight: axes.height,
    title: title && { text: title, baseline: SAVE_PAD + title.ascent },
    panels: panels.map((panel, i) => ({
      ...panel,
      top,
      left: SAVE_PAD + around[0]!.left + i * (axes.width + axes.gap),
      ticks: ticksOf(d3, panel, axes),
      around: around[i]!,
      legend: legends.panels[i],
    })),
    legend: legends.shared && { layout: legends.shared, top: below },
  };
}

function limitsOf(panel: PanelCurves, where: string): PanelLayout["limits"] {
  const x = xLimits(panel);
  const y = yLimits(panel);
  if (x === undefined)
    throw new MisuseError(
      `${where}.x_log_scale: no epoch of the panel is above 0; set it to false`,
    );
  if (y === undefined) {
    throw new MisuseError(
      panel.config.y_log_scale
        ? `${where}.y_log_scale: no value of the panel is above 0; set it to false`
        : `${where}.experiment_configs: all values of the panel are NaN; the runs diverged`,
    );
  }
  if (y[0] >= y[1]) {
    const field = panel.config.y_top_lim === null ? "y_bottom_lim" : "y_top_lim";
    throw new MisuseError(
      `${where}.${field}: leaves nothing of the curves to see; remove or change it`,
    );
  }
  return { x, y };
}

function textsOf({ config }: PanelCurves, figure: PlotConfig, index: number): PanelTexts {
  const mark = figure.panel_labels
    ? `(${String.fromCharCode("a".charCodeAt(0) + (index % 26))})`
    : "";
  return {
    title: richText(config.title, config.title_font_size),
    xLabel: richText(config.x_label, config.x_label_font_size),
    yLabel: richText(config.y_label, config.y_label_font_size),
    mark: richText(mark, config.title_font_size, true),
  };
}

interface AxesSize {
  readonly width: number;
  readonly height: number;
  /** Between two frames. */
  readonly gap: number;
}

/** The room that texts need depends on the ticks, and these on the size of the axes: a few rounds settle it. */
function axesSize(
  d3: D3,
  panels: readonly Panel[],
  width: number,
  height: number,
  padWidth: number,
): AxesSize {
  let size: AxesSize = { width: width / panels.length, height, gap: 0 };
  for (let round = 0; round < 4; round++) {
    const current = size;
    const sides = panels.map((panel) => sidesOf(panel, ticksOf(d3, panel, current), current));
    const gap = Math.max(
      0,
      ...sides.slice(1).map(({ left }, i) => sides[i]!.right + padWidth + left),
    );
    const used = sides[0]!.left + sides.at(-1)!.right + gap * (panels.length - 1);
    const above = Math.max(...sides.map(({ top }) => top));
    const below = Math.max(...sides.map(({ bottom }) => bottom));
    size = { width: (width - used) / panels.length, height: height - above - below, gap };
    if (size.width < SMALLEST_AXES || size.height < SMALLEST_AXES) break;
  }
  return size;
}

function checkRoom({ width, height }: AxesSize, file: string): void {
  const narrow = width < SMALLEST_AXES ? "subplot_width" : undefined;
  const field = narrow ?? (height < SMALLEST_AXES ? "subplot_height" : undefined);
  if (field === undefined) return;
  throw new MisuseError(
    `${file}: ${field}: leaves no room for the axes beside their texts; make it larger or the texts smaller`,
  );
}

function ticksOf(d3: D3, { panel, limits }: Panel, size: AxesSize): PanelLayout["ticks"] {
  return {
    x: xTicks(d3, panel.config, limits.x, size.width),
    y: yTicks(d3, panel.config, limits.y, size.height),
  };
}

function sidesOf(
  { panel, limits, texts }: Panel,
  ticks: PanelLayout["ticks"],
  size: AxesSize,
): Sides {
  const { title, xLabel, yLabel, mark } = texts;
  const { ticks_font_size: fontSize, x_log_scale: isLog } = panel.config;
  const labelRoom = (text: RichText): number =>
    text.width === 0 ? 0 : LABEL_PAD + text.ascent + text.descent;
  const widestY = Math.max(0, ...ticks.y.major.map(({ text }) => text.width));
  const left = TICK_LENGTH + TICK_PAD + widestY + labelRoom(yLabel);
  const place = (value: number): number => {
    const [low, high] = isLog ? limits.x.map(Math.log) : limits.x;
    return (((isLog ? Math.log(value) : value) - low!) / (high! - low!)) * size.width;
  };
  const lastX = Math.max(
    0,
    ...ticks.x.major.map(({ value, text }) => place(value) + text.width / 2 - size.width),
  );
  const titleOverhang = (title.width - size.width) / 2;
  const hasHead = title.width > 0 || mark.width > 0;
  return {
    left: Math.max(left, titleOverhang),
    right: Math.max(lastX, titleOverhang, 0.5),
    top: hasHead ? TITLE_PAD + Math.max(title.ascent, mark.ascent) : 0.4 * fontSize,
    bottom: TICK_LENGTH + TICK_PAD + tickHeight(ticks.x, fontSize) + labelRoom(xLabel),
  };
}

/** Of the texts at the x axis, from their top to the baseline of those without descent. */
export function tickHeight({ major }: AxisTicks, fontSize: number): number {
  return Math.max(0.76 * fontSize, ...major.map(({ text }) => text.ascent));
}

function layOutLegends(
  config: PlotConfig,
  panels: readonly PanelCurves[],
  axesWidth: number,
  width: number,
): { shared?: LegendLayout; panels: readonly (LegendLayout | undefined)[] } {
  const none = panels.map(() => undefined);
  const entries = config.legend === "none" ? [] : panels.map(legendEntries);
  const filled = entries.filter((list) => list.length > 0);
  if (filled.length === 0) return { panels: none };
  const isShared =
    config.legend === "shared" ||
    (config.legend === "auto" &&
      filled.length > 1 &&
      filled.every((list) => sameEntries(list, filled[0]!)));
  if (!isShared)
    return {
      panels: entries.map((list) => (list.length > 0 ? layOutLegend(list, axesWidth) : undefined)),
    };
  const all = filled
    .flat()
    .filter((entry, i, list) => list.findIndex((other) => sameEntries([entry], [other])) === i);
  return { shared: layOutLegend(all, width), panels: none };
}
