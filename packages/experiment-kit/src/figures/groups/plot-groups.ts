import { parseFlags } from "../../flags/parse-flags.ts";
import type { RawFlags } from "../../flags/parse-flags.ts";
import { figureBase, refuseExisting, writeFigure } from "../figure-files.ts";
import { plainText } from "../math-text.ts";
import { drawGroups } from "./draw-groups.ts";
import { groupCurves } from "./group-curves.ts";
import { groupPlotFlags } from "./group-plot-flags.ts";
import type { GroupPlotFlags } from "./group-plot-flags.ts";
import { groupPoints } from "./group-points.ts";
import type { GroupPoint } from "./group-points.ts";
import { readRunGroups } from "./run-groups.ts";
import type { RunGroup } from "./run-groups.ts";
import type { LeftOut } from "./run-values.ts";

/** Where the files go. */
export interface PlotGroupsOptions {
  /** Of the files, if `save_plot_to` is empty: `groups`, in the current folder. */
  readonly name?: string;
  /** Replace existing files. */
  readonly force?: boolean;
}

/** A curve of the figure. */
export interface PlottedGroup {
  /** As given in `experiment_groups_dir_names`. */
  readonly name: string;
  /** Of the legend, without the arrangement of its formulas. */
  readonly label: string;
  /** In the order of x; y values are scaled. */
  readonly points: readonly GroupPoint[];
}

/** The figure that was drawn, its files, and what is in it. */
export interface PlottedGroups {
  readonly svg: string;
  readonly png: string;
  readonly widthInches: number;
  readonly heightInches: number;
  /** The key that x is read from, and all of its values in order. */
  readonly xName: string;
  readonly xValues: readonly (number | string)[];
  readonly groups: readonly PlottedGroup[];
  /** Runs that are not shown, with the reason. */
  readonly leftOut: readonly LeftOut[];
  /** Points that a logarithmic axis cannot show. */
  readonly hidden: readonly { readonly group: string; readonly x: number | string }[];
}

/**
 * Draws groups of finished runs: for each group the mean of a result, with its population standard deviation
 * as error bars, against a setting or another result; as SVG and as PNG of 300 dpi beside it. Runs of one x
 * (seeds) are one point.
 *
 * @param flags see `groupPlotFlags`, as texts or typed values.
 * @throws MisuseError for a wrong flag, a group that does not exist, or files that exist already; RunError
 *   if no run of a group can be shown or the files cannot be written.
 */
export async function plotGroups(
  flags: RawFlags,
  options: PlotGroupsOptions = {},
): Promise<PlottedGroups> {
  const parsed = parseFlags(groupPlotFlags, flags);
  const { name = "groups", force = false } = options;
  const base = figureBase(parsed.save_plot_to, name, "--save_plot_to");
  if (!force) await refuseExisting(base);
  const groups = await readRunGroups(parsed);
  const points = groups.map((group) => scaledPoints(group, parsed.y_value_scale_factor));
  const curves = groupCurves(parsed, points);
  const figure = drawGroups(parsed, curves);
  await writeFigure(base, figure.svg, force);
  return {
    svg: `${base}.svg`,
    png: `${base}.png`,
    widthInches: figure.width / 72,
    heightInches: figure.height / 72,
    xName: parsed.x_axis_value_name,
    xValues: curves.xValues,
    groups: groups.map((group, i) => ({
      name: group.name,
      label: plainText(curves.curves[i]!.label),
      points: points[i]!,
    })),
    leftOut: groups.flatMap(({ leftOut }) => leftOut),
    hidden: groups.flatMap((group, i) =>
      points[i]!.filter((point) => isHidden(point, parsed)).map(({ x }) => ({
        group: group.name,
        x,
      })),
    ),
  };
}

function scaledPoints({ runs }: RunGroup, factor: number): readonly GroupPoint[] {
  return groupPoints(runs.map((run) => ({ ...run, y: run.y * factor })));
}

function isHidden({ x, mean }: GroupPoint, flags: GroupPlotFlags): boolean {
  return (flags.x_log_scale && Number(x) <= 0) || (flags.y_log_scale && mean <= 0);
}
