import { colors, line, text } from "./svg.ts";

/** A rectangle with axes, and where the values lie in it. */
export interface Axes {
  readonly x: (value: number) => number;
  readonly y: (value: number) => number;
  readonly drawn: string;
}

export function axes(options: {
  readonly left: number;
  readonly top: number;
  readonly width: number;
  readonly height: number;
  readonly xMax: number;
  readonly yMax: number;
  readonly xTicks: readonly number[];
  readonly yTicks: readonly number[];
}): Axes {
  const { left, top, width, height, xMax, yMax } = options;
  const bottom = top + height;
  const x = (value: number): number => left + (value / xMax) * width;
  const y = (value: number): number => bottom - (value / yMax) * height;
  const label = { "font-size": 13, fill: colors.muted };
  const drawn = [
    line([left, bottom], [left + width, bottom]),
    line([left, top], [left, bottom]),
    ...options.xTicks.map((tick) =>
      text(x(tick), bottom + 18, tick.toLocaleString("en-US"), {
        ...label,
        "text-anchor": "middle",
      }),
    ),
    ...options.yTicks.map((tick) =>
      text(left - 8, y(tick) + 4.5, String(tick), { ...label, "text-anchor": "end" }),
    ),
  ].join("");
  return { x, y, drawn };
}
