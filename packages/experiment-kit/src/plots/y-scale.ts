import type { LineSeries } from "./line-panel.ts";

/** The smallest and largest finite value of all curves; undefined if there is none. */
export function valueRange(series: readonly LineSeries[]): readonly [number, number] | undefined {
  let low = Infinity;
  let high = -Infinity;
  for (const { y } of series) {
    for (let i = 0; i < y.length; i++) {
      const value = y[i]!;
      if (!Number.isFinite(value)) continue;
      if (value < low) low = value;
      if (value > high) high = value;
    }
  }
  return low <= high ? [low, high] : undefined;
}

/** Losses and errors that are positive and span more than two decades are shown on a log axis. */
export function chooseYScale(name: string, series: readonly LineSeries[]): "linear" | "log" {
  const range = valueRange(series);
  if (range === undefined || !/loss|error/i.test(name)) return "linear";
  const [low, high] = range;
  return low > 0 && high / low > 100 ? "log" : "linear";
}

/** The limits of an axis: some room around the values, and zero where it is near. */
export function axisLimits(
  [low, high]: readonly [number, number],
  scale: "linear" | "log",
): readonly [number, number] {
  if (scale === "log") {
    return logLimits(low, high, 0.03);
  }
  if (low === high) {
    const room = low === 0 ? 1 : Math.abs(low) * 0.1;
    return [low - room, high + room];
  }
  const room = 0.04 * (high - low);
  const startsAtZero = low >= 0 && low < 0.3 * high;
  // Curves that stay at zero must not hide behind the frame.
  return [startsAtZero ? -0.02 * high : low - room, high + room];
}

/**
 * Room of a share of the decades on both sides of a positive range. The ratio of extreme values
 * overflows, so it is never formed, and the limits stay positive and finite: an axis cannot end at 0.
 */
export function logLimits(low: number, high: number, share: number): readonly [number, number] {
  const room = 10 ** (share * (Math.log10(high) - Math.log10(low)));
  return [Math.max(SMALLEST_NORMAL, low / room), Math.min(Number.MAX_VALUE, high * room)];
}

const SMALLEST_NORMAL = 2 ** -1022;
