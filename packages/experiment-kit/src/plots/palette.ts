import type { LineSeries } from "./line-panel.ts";

/** Okabe and Ito's palette, distinguishable with every common form of color blindness; black and yellow last. */
export const CATEGORICAL = [
  "#0072B2",
  "#D55E00",
  "#009E73",
  "#CC79A7",
  "#E69F00",
  "#56B4E9",
  "#000000",
];

/**
 * A color for each series. A few different curves get the categorical palette; numbered ones
 * (`singular_value_0`, `singular_value_1`, …) and many get the perceptually even `viridis` without its
 * palest end, so that the order can be seen.
 *
 * @param sequential a map from 0…1 to colors, such as d3's `interpolateViridis`.
 */
export function seriesColors(
  series: readonly Pick<LineSeries, "label">[],
  sequential: (t: number) => string,
): readonly string[] {
  const { length } = series;
  if (length <= CATEGORICAL.length && !(length > 2 && isNumbered(series)))
    return CATEGORICAL.slice(0, length);
  return series.map((_, i) => sequential((0.88 * i) / Math.max(1, length - 1)));
}

/** Whether the labels differ only in a number. */
function isNumbered(series: readonly Pick<LineSeries, "label">[]): boolean {
  const parts = series.map(({ label }) => label.split(/\d+/).join("#"));
  return new Set(parts).size === 1;
}
