import { MisuseError } from "../../errors.ts";
import { CATEGORICAL } from "../../plots/palette.ts";
import { parseColor } from "../line-colors.ts";
import { curveDash } from "../line-styles.ts";
import type { GroupPlotFlags } from "./group-plot-flags.ts";
import { xValuesOf } from "./group-points.ts";
import type { GroupPoint } from "./group-points.ts";
import { DEFAULT_MARKERS, markerShape } from "./markers.ts";
import type { MarkerShape } from "./markers.ts";

/** A line's look; absent: not drawn. */
export interface LineStyle {
  readonly color: string;
  /** Absent: solid. */
  readonly dash?: string;
}

export interface PlacedPoint extends GroupPoint {
  /** On the axis: x itself, or for texts their place in order, from 0. */
  readonly at: number;
}

/** One group as it is drawn. */
export interface GroupCurve {
  readonly label: string;
  readonly color: string;
  readonly line: LineStyle | undefined;
  readonly marker: MarkerShape | undefined;
  readonly points: readonly PlacedPoint[];
}

/** A line across the axes. */
export interface ReferenceLine extends LineStyle {
  readonly at: number;
}

export interface GroupCurves {
  readonly curves: readonly GroupCurve[];
  /** All x values in order; numbers, or texts at 0, 1, 2, … */
  readonly xValues: readonly (number | string)[];
  readonly horizontal: readonly ReferenceLine[];
  readonly vertical: readonly ReferenceLine[];
}

/**
 * Gives every group its look.
 *
 * @throws MisuseError naming the flag and the color that is none.
 */
export function groupCurves(
  flags: GroupPlotFlags,
  points: readonly (readonly GroupPoint[])[],
): GroupCurves {
  const xValues = xValuesOf(points);
  const place = new Map(xValues.map((x, i) => [x, typeof x === "number" ? x : i]));
  const colors = colorsOf(flags, "per_experiment_group_color");
  const curves = points.map((list, i): GroupCurve => {
    const color = entryOf(colors, i) ?? CATEGORICAL[i % CATEGORICAL.length]!;
    const style = entryOf(flags.per_experiment_group_linestyle, i) ?? "-";
    const markers = flags.per_experiment_group_marker;
    return {
      label: labelOf(flags, i),
      color,
      line: lineStyle(color, style, flags.plot_linewidth),
      marker: markerShape(entryOf(markers, i) ?? DEFAULT_MARKERS[i % DEFAULT_MARKERS.length]!),
      points: list.map((point) => ({ ...point, at: place.get(point.x)! })),
    };
  });
  return {
    curves,
    xValues,
    horizontal: referenceLines(flags, "horizontal_lines"),
    vertical: referenceLines(flags, "vertical_lines"),
  };
}

/** One entry is for all groups. */
function entryOf(list: readonly string[], i: number): string | undefined {
  return list.length === 1 ? list[0] : list[i];
}

/** Several groups without labels have their names: unlabeled curves could not be told apart. */
function labelOf({ per_experiment_group_label: labels, ...flags }: GroupPlotFlags, i: number) {
  const names = flags.experiment_groups_dir_names;
  if (labels.length > 0) return labels[i]!;
  return names.length > 1 ? names[i]!.replaceAll("$", "\\$") : "";
}

function lineStyle(color: string, style: string, lineWidth: number): LineStyle | undefined {
  if (style === "None") return undefined;
  const dash = curveDash([style], 0, lineWidth);
  return { color, ...(dash === undefined ? {} : { dash }) };
}

function referenceLines(
  flags: GroupPlotFlags,
  kind: "horizontal_lines" | "vertical_lines",
): readonly ReferenceLine[] {
  const colors = colorsOf(flags, `${kind}_colors`);
  const styles = flags[`${kind}_styles`];
  return flags[kind].flatMap((at, i) => {
    const style = lineStyle(colors[i] ?? "#000000", styles[i] ?? "-", flags.plot_linewidth);
    return style === undefined ? [] : [{ at, ...style }];
  });
}

type ColorFlag = "per_experiment_group_color" | "horizontal_lines_colors" | "vertical_lines_colors";

function colorsOf(flags: GroupPlotFlags, flag: ColorFlag): readonly string[] {
  return flags[flag].map((text) => {
    const color = parseColor(text);
    if (color !== undefined) return color;
    throw new MisuseError(
      `--${flag}: must be a color such as firebrick, #1f77b4, tab:blue or C0 (got ${JSON.stringify(text)})`,
    );
  });
}
