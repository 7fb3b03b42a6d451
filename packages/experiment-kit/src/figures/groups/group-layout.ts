import { MisuseError } from "../../errors.ts";
import type { D3, Scale } from "../../plots/d3-types.ts";
import { INCH, LABEL_PAD, SAVE_PAD, TICK_LENGTH, TICK_PAD, TIGHT_PAD } from "../figure-layout.ts";
import type { Sides } from "../figure-layout.ts";
import { axisScale, rangeOf, withRoom, yTicks } from "../panel-axes.ts";
import type { AxisTicks, Limits } from "../panel-axes.ts";
import { richText } from "../rich-text.ts";
import type { GroupCurves } from "./group-curves.ts";
import type { GroupPlotFlags } from "./group-plot-flags.ts";
import { placeLegend } from "./group-legend.ts";
import type { PlacedLegend } from "./group-legend.ts";
import { parseNumberFormat } from "./number-format.ts";
import { wrapText } from "./wrapped-text.ts";
import type { WrappedText } from "./wrapped-text.ts";
import { groupXTicks, reachOf } from "./x-axis-ticks.ts";
import type { TurnedTicks } from "./x-axis-ticks.ts";

/** Of the counterpart's figure: inches, and sizes of texts in points. */
const FIGURE = { width: 5, height: 2.7 };
const SIZES = { title: 14, label: 13, ticks: 10 };
export const TICKS_SIZE = SIZES.ticks;
/** Between title and frame. */
export const TITLE_PAD = 10;
/** By which the label at y may be longer than the axes, above and below together. */
const LABEL_OVERHANG = 2 * TITLE_PAD;
/** Of the ticks' texts below the baseline. */
const DESCENT = 0.2;
const SMALLEST_AXES = { width: 80, height: 60 };

export interface GroupLayout {
  readonly width: number;
  readonly height: number;
  /** The frame. */
  readonly axes: {
    readonly left: number;
    readonly top: number;
    readonly width: number;
    readonly height: number;
  };
  readonly x: Scale;
  readonly y: Scale;
  readonly ticks: { readonly x: TurnedTicks; readonly y: AxisTicks };
  readonly texts: Texts;
  /** Room that ticks and texts take on each side of the frame. */
  readonly around: Sides;
  readonly legend: PlacedLegend | undefined;
}

interface Texts {
  readonly title: WrappedText;
  readonly xLabel: WrappedText;
  readonly yLabel: WrappedText;
}

interface Limited {
  readonly x: Limits;
  readonly y: Limits;
}

interface Around extends Sides {
  /** What turned texts below the axes take more than others would; the figure is higher by it. */
  readonly turned: number;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

/**
 * Places everything as the counterpart's figure does, except for the legend: inside the axes where it covers
 * nothing, else below them, where the figure becomes higher for it. Turned texts make it higher too.
 *
 * @throws MisuseError naming the flag if ticks and their texts do not match, or nothing is to be seen.
 */
export function layOutGroups(d3: D3, flags: GroupPlotFlags, curves: GroupCurves): GroupLayout {
  const limits = limitsOf(flags, curves);
  checkXTicks(flags, curves.xValues);
  const room = {
    width: FIGURE.width * INCH - 2 * TIGHT_PAD,
    height: FIGURE.height * INCH - 2 * TIGHT_PAD,
  };
  let size = room;
  let texts = textsOf(flags, room, size);
  let ticks = ticksOf(d3, flags, curves, limits, size);
  let around = sidesOf(flags, limits, ticks, texts, size);
  // Room for texts depends on the ticks, and these on the size of the axes: a few rounds settle it.
  for (let round = 0; round < 4; round++) {
    size = {
      width: Math.max(SMALLEST_AXES.width, room.width - around.left - around.right),
      height: Math.max(
        SMALLEST_AXES.height,
        room.height - around.top - around.bottom + around.turned,
      ),
    };
    texts = textsOf(flags, room, size);
    ticks = ticksOf(d3, flags, curves, limits, size);
    around = sidesOf(flags, limits, ticks, texts, size);
  }
  checkYTicks(flags, ticks.y);
  const x = axisScale(d3, limits.x, flags.x_log_scale).range([0, size.width]);
  const y = axisScale(d3, limits.y, flags.y_log_scale).range([size.height, 0]);
  const legend = placeLegend(curves, { x, y, ...size }, flags.plot_linewidth);
  // Texts are centered on the axes; what is wider than the figure makes it wider.
  const widest = Math.max(legend?.layout.width ?? 0, texts.title.width, texts.xLabel.width);
  const sides = centeredSides(around, size.width, widest);
  const overhang = Math.max(0, (texts.yLabel.width - size.height) / 2);
  const left = SAVE_PAD + sides.left;
  const top = SAVE_PAD + Math.max(around.top, overhang);
  const legendHeight = legend?.isInside === false ? legend.layout.height : 0;
  return {
    width: left + size.width + sides.right + SAVE_PAD,
    height: top + size.height + Math.max(around.bottom + legendHeight, overhang) + SAVE_PAD,
    axes: { left, top, ...size },
    x,
    y,
    ticks,
    texts,
    around,
    legend,
  };
}

function textsOf(flags: GroupPlotFlags, room: Size, axes: Size): Texts {
  return {
    title: wrapText(flags.plot_title, SIZES.title, room.width),
    xLabel: wrapText(flags.x_label, SIZES.label, room.width),
    yLabel: wrapText(flags.y_label, SIZES.label, axes.height + LABEL_OVERHANG),
  };
}

function limitsOf(flags: GroupPlotFlags, { curves, horizontal, vertical }: GroupCurves): Limited {
  const points = curves.flatMap((curve) => curve.points);
  const xAt = [...points.map(({ at }) => at), ...vertical.map(({ at }) => at)];
  const isText = points.some((point) => typeof point.x === "string");
  if (flags.x_log_scale && isText)
    throw new MisuseError("--x_log_scale: the x values are texts; leave it out");
  if (flags.x_log_scale && !points.some(({ at }) => at > 0))
    throw new MisuseError("--x_log_scale: no x value is above 0; leave it out");
  const shown = points.filter(({ at }) => !flags.x_log_scale || at > 0);
  const yAt = [
    ...shown.flatMap(({ mean, deviation = 0 }) => [mean, mean - deviation, mean + deviation]),
    ...horizontal.map(({ at }) => at),
    ...(flags.use_y_axis_ticks_values ? flags.y_axis_ticks.map(Number) : []),
  ];
  const yRange = rangeOf([yAt], flags.y_log_scale);
  if (yRange === undefined || (flags.y_log_scale && !shown.some(({ mean }) => mean > 0)))
    throw new MisuseError(
      flags.y_log_scale
        ? "--y_log_scale: no y value is above 0; leave it out"
        : "--y_value_scale_factor: makes all y values too large to be drawn; use a smaller one",
    );
  const [low, high] = withRoom(yRange, flags.y_log_scale);
  const y: Limits = [flags.y_bottom_lim ?? low, flags.y_top_lim ?? high];
  if (!shown.some(({ mean }) => mean >= y[0] && mean <= y[1])) {
    const flag = flags.y_top_lim === undefined ? "y_bottom_lim" : "y_top_lim";
    throw new MisuseError(`--${flag}: leaves no point to be seen; leave it out or change it`);
  }
  return { x: xLimitsOf(flags, xAt), y };
}

function xLimitsOf(flags: GroupPlotFlags, at: readonly number[]): Limits {
  const ticks = flags.use_x_axis_ticks_values ? flags.x_axis_ticks.map(Number) : [];
  const range = rangeOf([flags.x_autoscale_tight ? at : [...at, ...ticks]], flags.x_log_scale)!;
  const [low, high] = range;
  if (low === high && !flags.x_log_scale) return [low - 0.5, high + 0.5];
  return flags.x_autoscale_tight && low < high ? range : withRoom(range, flags.x_log_scale);
}

function checkXTicks(flags: GroupPlotFlags, xValues: readonly (number | string)[]): void {
  const { x_axis_ticks: texts, use_x_axis_ticks_values: areValues } = flags;
  const isText = typeof xValues[0] === "string";
  if (areValues && isText)
    throw new MisuseError(
      `--use_x_axis_ticks_values: the x values are texts; leave it out and give one of x_axis_ticks for each: ${listed(xValues)}`,
    );
  if (texts.length === 0 || areValues || texts.length === xValues.length) return;
  const other = isText ? "" : ", or add --use_x_axis_ticks_values to put ticks at these values";
  throw new MisuseError(
    `--x_axis_ticks: must have one text for each of the ${xValues.length} x values (${listed(xValues)}), not ${texts.length}${other}`,
  );
}

function listed(values: readonly (number | string)[]): string {
  const shown = values.slice(0, 8).map(String);
  return [...shown, ...(values.length > shown.length ? ["…"] : [])].join(", ");
}

function ticksOf(
  d3: D3,
  flags: GroupPlotFlags,
  { xValues }: GroupCurves,
  limits: Limited,
  size: Size,
): GroupLayout["ticks"] {
  return {
    x: groupXTicks(d3, flags, xValues, limits.x, size.width, SIZES.ticks),
    y: yTicksOf(d3, flags, limits.y, size.height),
  };
}

function yTicksOf(d3: D3, flags: GroupPlotFlags, limits: Limits, length: number): AxisTicks {
  const { y_axis_ticks: texts, use_y_axis_ticks_values: areValues, y_log_scale: isLog } = flags;
  const at = areValues ? texts.map(Number) : null;
  const config = { y_ticks: at, y_ticks_labels: areValues ? texts : null, y_log_scale: isLog };
  const ticks = yTicks(d3, { ...config, ticks_font_size: SIZES.ticks }, limits, length);
  const relabel = (text: (value: number, i: number) => string): AxisTicks => ({
    ...ticks,
    major: ticks.major.map(({ value }, i) => ({
      value,
      text: richText(text(value, i), SIZES.ticks),
    })),
  });
  if (flags.y_axis_format_str !== "") {
    if (texts.length > 0 && !areValues)
      throw new MisuseError(
        "--y_axis_format_str: cannot be used with texts in y_axis_ticks; leave one of both out, or add --use_y_axis_ticks_values",
      );
    const format = parseNumberFormat(flags.y_axis_format_str);
    return relabel((value, i) => format(value, i).replaceAll("$", "\\$"));
  }
  if (texts.length === 0 || areValues) return ticks;
  return relabel((_, i) => texts[i] ?? "");
}

/** Only the final size of the axes tells how many ticks there are. */
function checkYTicks(flags: GroupPlotFlags, { major }: AxisTicks): void {
  const { y_axis_ticks: texts, use_y_axis_ticks_values: areValues } = flags;
  if (texts.length === 0 || areValues || texts.length === major.length) return;
  const values = major.map(({ value }) => value);
  throw new MisuseError(
    `--y_axis_ticks: must have one text for each of the ${values.length} ticks (${listed(values)}), not ${texts.length}; or add --use_y_axis_ticks_values to put ticks at these values`,
  );
}

/** Room on both sides of the axes that also holds what is centered on the figure and wider than it. */
function centeredSides({ left, right }: Sides, width: number, widest: number) {
  const missing = Math.max(0, widest - (left + width + right)) / 2;
  return { left: left + missing, right: right + missing };
}

/** Where a text is centered: on the axes, moved to the side if it would leave the figure. */
export function centerOf({ left, right }: Sides, axesWidth: number, width: number): number {
  const [first, last] = [width / 2 - left, axesWidth + right - width / 2];
  return first > last ? (first + last) / 2 : Math.min(last, Math.max(first, axesWidth / 2));
}

function sidesOf(
  flags: GroupPlotFlags,
  limits: Limited,
  ticks: GroupLayout["ticks"],
  { title, xLabel, yLabel }: Texts,
  size: Size,
): Around {
  const labelRoom = ({ height }: WrappedText): number => (height === 0 ? 0 : LABEL_PAD + height);
  const [low, high] = flags.x_log_scale ? limits.x.map(Math.log) : limits.x;
  const place = (value: number): number =>
    (((flags.x_log_scale ? Math.log(value) : value) - low!) / (high! - low!)) * size.width;
  const reach = reachOf(ticks.x, place);
  const widestY = Math.max(0, ...ticks.y.major.map(({ text }) => text.width));
  const isTurned = ticks.x.angle > 0;
  const lastX = Math.max(
    0,
    ...ticks.x.major.map(({ value, text }) =>
      isTurned ? 0 : place(value) + text.width / 2 - size.width,
    ),
  );
  // A marker on the frame reaches out by half of its size.
  const halfMarker = 3;
  const flat =
    DESCENT * SIZES.ticks +
    Math.max(0.76 * SIZES.ticks, ...ticks.x.major.map(({ text }) => text.ascent));
  const turned = isTurned ? Math.max(0, reach.below - flat) : 0;
  return {
    left: Math.max(TICK_LENGTH + TICK_PAD + widestY + labelRoom(yLabel), reach.left),
    right: Math.max(lastX, halfMarker),
    top: title.height > 0 ? TITLE_PAD + title.height : 0.4 * SIZES.ticks,
    bottom: TICK_LENGTH + TICK_PAD + flat + turned + labelRoom(xLabel),
    turned,
  };
}
