import { groupPlotFlags, listFlags, parseFlags } from "@implicit-rank/experiment-kit";
import type { PlottedGroups } from "@implicit-rank/experiment-kit/figures";
import { z } from "zod";
import type { CommandDefinition } from "../command.ts";
import { formatDeviation, formatNumber } from "../output/quantities.ts";
import { formatTable } from "../output/table.ts";

const writing = z.object({
  force: z.boolean().default(false).describe("replace existing files"),
});

const flags = listFlags(groupPlotFlags);
const runFlags = [
  "experiments_dir",
  "experiment_groups_dir_names",
  "per_experiment_group_y_axis_value_name",
  "x_axis_value_name",
  "y_value_scale_factor",
];
const groupFlags = [
  "per_experiment_group_label",
  "per_experiment_group_marker",
  "per_experiment_group_linestyle",
  "per_experiment_group_color",
  "error_bars_opacity",
  "plot_linewidth",
];
const fileFlags = ["save_plot_to"];
const named = (names: readonly string[]) => flags.filter(({ name }) => names.includes(name));
const others = flags.filter(
  ({ name }) => ![...runFlags, ...groupFlags, ...fileFlags].includes(name),
);

export const plotLocality: CommandDefinition = {
  description:
    "Draws groups of finished runs, such as those of one regularization coefficient, against a setting, such as the distance: for each group the mean over the runs of one x (seeds), with the population standard deviation as error bars; as SVG and as PNG of 300 dpi. It reads run folders of this program and of the PyTorch scripts.",
  flagGroups: [
    { title: "Runs", flags: named(runFlags) },
    { title: "Groups", flags: named(groupFlags) },
    { title: "Axes", flags: others },
    { title: "Files", flags: [...named(fileFlags), ...listFlags(writing)] },
  ],
  examples: [
    "implicit-rank plot locality --experiments_dir outputs/is_same --experiment_groups_dir_names reg_0 reg_1 --per_experiment_group_y_axis_value_name 'val accuracy' --x_axis_value_name distance --y_value_scale_factor 100 --x_label 'distance between images' --y_label 'test accuracy (%)' --save_plot_to figures/is_same",
    "implicit-rank plot locality --experiments_dir outputs/sweeps/pathfinder --experiment_groups_dir_names '*coeff=0_*' '*coeff=1_*' --per_experiment_group_label 'reg 0' 'reg 1' --per_experiment_group_y_axis_value_name 'last_tracked_values.val accuracy.value' --x_axis_value_name dataset_path --x_axis_ticks 3 5 7 9",
  ],
  async run({ flags: typed, output }) {
    const { force: typedForce, ...rest } = typed;
    const { force } = parseFlags(writing, { force: typedForce });
    const { plotGroups } = await import("@implicit-rank/experiment-kit/figures");
    const figure = await plotGroups(rest, { name: "locality", force });
    for (const { run, reason } of figure.leftOut)
      output.note(`warning: ${run} ${reason}; it is left out`);
    for (const { group, x } of figure.hidden)
      output.note(`warning: ${group} at ${x} is not above 0, so a logarithmic axis cannot show it`);
    output.result(jsonOf(figure), linesOf(figure), figure.svg);
    return 0;
  },
};

function jsonOf({ svg, png, widthInches, heightInches, groups, leftOut, hidden }: PlottedGroups) {
  return {
    svg,
    png,
    width_inches: widthInches,
    height_inches: heightInches,
    groups: groups.map(({ name, label, points }) => ({
      name,
      label,
      points: points.map(({ x, mean, deviation = null, values }) => ({
        x,
        mean,
        deviation,
        runs: values.length,
        values,
      })),
    })),
    left_out: leftOut.map(({ run, reason }) => ({ run, reason })),
    hidden,
  };
}

/** A row for each x, a column for each group. */
function linesOf(figure: PlottedGroups): readonly string[] {
  const { svg, png, widthInches, heightInches, groups, xName, xValues } = figure;
  const rows = xValues.map((x) => [
    typeof x === "number" ? formatNumber(x) : x,
    ...groups.map(({ points }) => cellOf(points.find((point) => point.x === x))),
  ]);
  const columns = groups.map(({ name, label }) => ({
    title: label || name,
    align: "right" as const,
  }));
  return [
    ...formatTable([{ title: xName, align: "right" }, ...columns], rows),
    `${svg} and ${png} (${widthInches.toFixed(1)} × ${heightInches.toFixed(1)} inches, 300 dpi)`,
  ];
}

type Point = PlottedGroups["groups"][number]["points"][number];

function cellOf(point: Point | undefined): string {
  if (point === undefined) return "-";
  const { mean, deviation, values } = point;
  if (deviation === undefined) return formatNumber(mean);
  return `${formatNumber(mean)} ± ${formatDeviation(deviation)} (${values.length})`;
}
