import { logTicks, numberFormat, powersBetween } from "../plots/axis-ticks.ts";
import { logLimits } from "../plots/y-scale.ts";
import type { D3, Scale } from "../plots/d3-types.ts";
import type { PanelCurve, PanelCurves } from "./panel-curves.ts";
import type { PanelConfig } from "./plot-config.ts";
import { richText } from "./rich-text.ts";
import type { RichText } from "./rich-text.ts";

export type Limits = readonly [low: number, high: number];

export interface Tick {
  readonly value: number;
  readonly text: RichText;
}

/** The ticks of an axis; minor ones have no text. */
export interface AxisTicks {
  readonly major: readonly Tick[];
  readonly minor: readonly number[];
}

/** Room around the values, as a share of their range. */
const MARGIN = 0.05;

/**
 * From the first to the last epoch shown, or with room on both sides.
 * Undefined if a logarithmic axis can show none of them.
 */
export function xLimits({ config, curves }: PanelCurves): Limits | undefined {
  const range = rangeOf(
    curves.map(({ epochs }) => epochs),
    config.x_log_scale,
  );
  if (range === undefined) return undefined;
  const [low, high] = range;
  if (low < high) return config.x_tight ? range : withRoom(range, config.x_log_scale);
  return config.x_log_scale ? [low / 1.1, high * 1.1] : [low - 0.5, high + 0.5];
}

/**
 * Room around all values and deviations, wide enough for the ticks asked for; the configured limits go
 * before. Undefined if a logarithmic axis can show none of the values.
 */
export function yLimits({ config, curves }: PanelCurves): Limits | undefined {
  const isLog = config.y_log_scale;
  const range = rangeOf(curves.flatMap(extent), isLog);
  if (range === undefined) return undefined;
  let [low, high] = withRoom(range, isLog);
  for (const tick of config.y_ticks ?? []) {
    if (isLog && tick <= 0) continue;
    low = Math.min(low, tick);
    high = Math.max(high, tick);
  }
  return [config.y_bottom_lim ?? low, config.y_top_lim ?? high];
}

function extent({ mean, deviation }: PanelCurve): readonly Float64Array[] {
  if (deviation === undefined) return [mean];
  return [
    mean,
    mean.map((value, i) => value - deviation[i]!),
    mean.map((value, i) => value + deviation[i]!),
  ];
}

/** The smallest and largest value that an axis can show; undefined if there is none. */
export function rangeOf(lists: readonly ArrayLike<number>[], isLog: boolean): Limits | undefined {
  let low = Infinity;
  let high = -Infinity;
  for (const list of lists) {
    for (let i = 0; i < list.length; i++) {
      const value = list[i]!;
      if (!isDrawable(value, isLog)) continue;
      low = Math.min(low, value);
      high = Math.max(high, value);
    }
  }
  return low <= high ? [low, high] : undefined;
}

/** Not so large, or so near to zero, that room around it or a range could not be calculated. */
function isDrawable(value: number, isLog: boolean): boolean {
  return isLog ? value >= 1 / LARGEST && value <= LARGEST : Math.abs(value) <= LARGEST;
}

const LARGEST = 1e300;

/** 5% on both sides; something where there is one value only. */
export function withRoom([low, high]: Limits, isLog: boolean): Limits {
  const isPoint = high - low <= ROUNDING * Math.max(Math.abs(low), Math.abs(high));
  if (isLog) return isPoint ? [low / 2, high * 2] : logLimits(low, high, MARGIN);
  const room = isPoint ? Math.max(MARGIN, MARGIN * Math.abs(low)) : MARGIN * (high - low);
  return [low - room, high + room];
}

/** Values that differ by less than this share of them are one: rounding made them differ. */
const ROUNDING = 1e-12;

/** The scale of an axis of a length in points. */
export function axisScale(d3: D3, limits: Limits, isLog: boolean): Scale {
  return (isLog ? d3.scaleLog() : d3.scaleLinear()).domain(limits) as Scale;
}

type XTicksConfig = Pick<
  PanelConfig,
  "x_ticks" | "x_ticks_labels" | "x_log_scale" | "ticks_font_size"
>;
type YTicksConfig = Pick<
  PanelConfig,
  "y_ticks" | "y_ticks_labels" | "y_log_scale" | "ticks_font_size"
>;

/** Ticks of the x axis: as configured, else as many round ones as have room for their texts. */
export function xTicks(d3: D3, config: XTicksConfig, limits: Limits, length: number): AxisTicks {
  const { x_ticks: at, x_ticks_labels: labels, x_log_scale: isLog, ticks_font_size: size } = config;
  if (at !== null) return configuredTicks(at, labels, limits, size);
  const scale = axisScale(d3, limits, isLog).range([0, length]);
  const most = Math.min(9, Math.max(1, Math.floor(length / (3.2 * size))));
  return chooseTicks(d3, scale, isLog, most, size, (ticks) =>
    ticks.every(({ value, text }, i) => {
      const next = ticks[i + 1];
      if (next === undefined) return true;
      return scale(next.value) - scale(value) > (text.width + next.text.width) / 2 + 0.7 * size;
    }),
  );
}

/** Ticks of the y axis. */
export function yTicks(d3: D3, config: YTicksConfig, limits: Limits, length: number): AxisTicks {
  const { y_ticks: at, y_ticks_labels: labels, y_log_scale: isLog, ticks_font_size: size } = config;
  if (at !== null) return configuredTicks(at, labels, limits, size);
  const scale = axisScale(d3, limits, isLog).range([0, length]);
  const most = Math.min(9, Math.max(1, Math.floor(length / (2.8 * size))));
  return chooseTicks(d3, scale, isLog, most, size, () => true);
}

function configuredTicks(
  at: readonly number[],
  labels: readonly string[] | null,
  [low, high]: Limits,
  size: number,
): AxisTicks {
  const decimals = Math.max(...at.map((value) => /\.(\d+)$/.exec(String(value))?.[1]?.length ?? 0));
  const isPlain = at.every(
    (value) => value === 0 || (Math.abs(value) < 1e7 && Math.abs(value) >= 1e-4),
  );
  const text = (value: number, i: number): string =>
    labels?.[i] ?? (isPlain ? value.toFixed(decimals) : String(value)).replace("-", "−");
  const major = at
    .map((value, i) => ({ value, text: richText(text(value, i), size) }))
    .filter(({ value }) => value >= low && value <= high);
  return { major, minor: [] };
}

function chooseTicks(
  d3: D3,
  scale: Scale,
  isLog: boolean,
  most: number,
  size: number,
  fits: (ticks: readonly Tick[]) => boolean,
): AxisTicks {
  for (let count = most; count > 1; count--) {
    const ticks = isLog ? logarithmic(scale, count, size) : undefined;
    const chosen = ticks ?? linear(d3, scale, count, size);
    if (chosen.major.length <= count + 1 && fits(chosen.major)) return chosen;
  }
  return linear(d3, scale, 1, size);
}

function linear(d3: D3, scale: Scale, count: number, size: number): AxisTicks {
  const [low = 0, high = 1] = scale.domain();
  const values = d3.ticks(low, high, count);
  const step = values.length > 1 ? values[1]! - values[0]! : undefined;
  const format = numberFormat(d3, scale, step, "");
  return {
    major: values.map((value) => ({ value, text: richText(format(value), size) })),
    minor: [],
  };
}

/** Undefined where an axis spans less than a decade or so: linear ticks show more there. */
function logarithmic(scale: Scale, most: number, size: number): AxisTicks | undefined {
  const values = logTicks(scale.domain(), most);
  if (values.length < 2) return undefined;
  const [low = 1, high = 1] = scale.domain();
  const label = (value: number): string => {
    const power = Math.floor(Math.log10(value) + 1e-9);
    const factor = Math.round(value / 10 ** power);
    return `$${factor === 1 ? "" : `${factor}\\cdot `}10^{${power}}$`;
  };
  return {
    major: values.map((value) => ({ value, text: richText(label(value), size) })),
    minor: minorTicks(
      low,
      high,
      Math.log10(high) - Math.log10(low) > most ? [1] : [2, 3, 4, 5, 6, 7, 8, 9],
    ),
  };
}

/** Multiples of every power of ten; the powers themselves where an axis labels only some of them. */
function minorTicks(low: number, high: number, factors: readonly number[]): readonly number[] {
  const values: number[] = [];
  for (const power of powersBetween(low, high))
    for (const factor of factors) values.push(factor * 10 ** power);
  return values.filter((value) => value > low && value < high);
}
