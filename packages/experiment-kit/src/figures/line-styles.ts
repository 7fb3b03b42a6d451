/** Lengths of strokes and gaps in line widths; solid lines have none. Names and signs as in matplotlib. */
const dashes: Readonly<Record<string, readonly number[]>> = {
  "-": [],
  solid: [],
  "--": [3.7, 1.6],
  dashed: [3.7, 1.6],
  "-.": [6.4, 1.6, 1, 1.6],
  dashdot: [6.4, 1.6, 1, 1.6],
  ":": [1, 1.65],
  dotted: [1, 1.65],
};

export const lineStyleNames: readonly string[] = Object.keys(dashes);

/** The `stroke-dasharray` of the j-th curve (from 0) of a source; undefined for a solid line. */
export function curveDash(
  linestyles: readonly string[] | null,
  j: number,
  lineWidth: number,
): string | undefined {
  const lengths = linestyles === null ? [] : dashes[linestyles[j % linestyles.length]!]!;
  return lengths.length === 0
    ? undefined
    : lengths.map((length) => Math.round(length * lineWidth * 100) / 100).join(" ");
}
