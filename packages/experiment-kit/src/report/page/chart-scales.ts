import { scaleLinear, scaleLog } from "d3-scale";
import { axisLimits } from "../../plots/y-scale.ts";
import type { Series } from "./model.ts";
import { formatCount, formatValue, powerOfTen } from "./numbers.ts";
import type { ScaleKind } from "./view-state.ts";

export type Range = readonly [low: number, high: number];

/** Which part of the curves a chart shows; null: all. */
export interface Zoom {
  readonly x: Range | null;
  readonly y: Range | null;
}

export interface Tick {
  readonly at: number;
  readonly text: string;
}

/** One axis: pixels of a value, and the value at a pixel. */
export interface Axis {
  readonly kind: ScaleKind;
  readonly domain: Range;
  readonly ticks: readonly Tick[];
  pixel(value: number): number;
  value(pixel: number): number;
}

/** The inner area of a chart in pixels. */
export interface Frame {
  readonly left: number;
  readonly top: number;
  readonly right: number;
  readonly bottom: number;
}

/** The axis of the epochs. Epochs are counted from 0, which a log axis leaves out. */
export function epochAxis(
  series: readonly Series[],
  kind: ScaleKind,
  zoom: Range | null,
  { left, right }: Frame,
): Axis {
  const [low, high] = zoom ?? epochRange(series, kind);
  const domain: Range =
    low < high ? [low, high] : [Math.max(kind === "log" ? 0.5 : -Infinity, low - 1), high + 1];
  const count = Math.max(2, Math.floor((right - left) / 76));
  return createAxis(kind, domain, [left, right], count, (value) => formatCount(value), true);
}

/** The axis of the values: fits what is to be seen of the curves between the epochs shown. */
export function valueAxis(
  series: readonly Series[],
  kind: ScaleKind,
  zoom: Range | null,
  epochs: Range,
  { top, bottom }: Frame,
): Axis {
  const seen = valueRangeWithin(series, kind, epochs);
  const domain = zoom ?? (seen === undefined ? fallback[kind] : axisLimits(seen, kind));
  const count = Math.max(2, Math.floor((bottom - top) / 38));
  return createAxis(kind, domain, [bottom, top], count, formatValue, false);
}

/** Whether a log axis can show anything of the curves. */
export function hasPositive(series: readonly Series[]): boolean {
  return series.some(({ values }) => values.some((value) => value > 0));
}

const fallback: Readonly<Record<ScaleKind, Range>> = { linear: [0, 1], log: [0.1, 1] };

function epochRange(series: readonly Series[], kind: ScaleKind): Range {
  let low = Infinity;
  let high = -Infinity;
  for (const { epochs } of series) {
    const first = kind === "log" ? epochs.find((epoch) => epoch > 0) : epochs[0];
    if (first !== undefined) low = Math.min(low, first);
    high = Math.max(high, epochs.at(-1) ?? -Infinity);
  }
  return low <= high ? [low, high] : kind === "log" ? [1, 10] : [0, 1];
}

function valueRangeWithin(
  series: readonly Series[],
  kind: ScaleKind,
  [from, to]: Range,
): Range | undefined {
  let low = Infinity;
  let high = -Infinity;
  for (const { epochs, values } of series) {
    // The neighbors outside are where the curve enters and leaves.
    const first = Math.max(0, firstAtLeast(epochs, from) - 1);
    const end = Math.min(epochs.length, firstAtLeast(epochs, to) + 1);
    for (let i = first; i < end; i++) {
      const value = values[i]!;
      if (!Number.isFinite(value) || (kind === "log" && value <= 0)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  if (low > high) return undefined;
  return kind === "log" && low === high ? [low / 2, high * 2] : [low, high];
}

/** Index of the first number that is at least `target`, in increasing numbers. */
export function firstAtLeast(numbers: ArrayLike<number>, target: number): number {
  let low = 0;
  let high = numbers.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (numbers[middle]! < target) low = middle + 1;
    else high = middle;
  }
  return low;
}

function createAxis(
  kind: ScaleKind,
  domain: Range,
  range: Range,
  count: number,
  format: (value: number) => string,
  isWhole: boolean,
): Axis {
  const scale = (kind === "log" ? scaleLog() : scaleLinear()).domain(domain).range(range);
  const ticks =
    kind === "log" && domain[1] / domain[0] >= 20
      ? decadeTicks(domain, count)
      : scale
          .ticks(kind === "log" ? Math.min(count, 4) : count)
          .filter((value) => !isWhole || Number.isInteger(value))
          .map((at) => ({ at, text: format(at) }));
  return {
    kind,
    domain,
    ticks: thinTicks(ticks, count + 2),
    pixel: (value) => scale(value),
    value: (pixel) => scale.invert(pixel),
  };
}

function decadeTicks([low, high]: Range, count: number): readonly Tick[] {
  const first = Math.ceil(Math.log10(low) - 1e-9);
  const last = Math.floor(Math.log10(high) + 1e-9);
  const step = Math.max(1, Math.ceil((last - first) / Math.max(1, count)));
  const isPlain = first >= -2 && last <= 4;
  const ticks: Tick[] = [];
  for (let exponent = first; exponent <= last; exponent += step)
    ticks.push({
      at: 10 ** exponent,
      text: isPlain ? plainDecade(exponent) : powerOfTen(exponent),
    });
  return ticks;
}

function plainDecade(exponent: number): string {
  return exponent >= 0 ? formatCount(10 ** exponent) : (10 ** exponent).toFixed(-exponent);
}

function thinTicks(ticks: readonly Tick[], most: number): readonly Tick[] {
  const step = Math.ceil(ticks.length / Math.max(1, most));
  return step <= 1 ? ticks : ticks.filter((_, i) => i % step === 0);
}
