import { z } from "zod";
import { lineStyleNames } from "../line-styles.ts";
import { MathTextError, parseMathText } from "../math-text.ts";
import { markerNames } from "./markers.ts";
import { NumberFormatError, parseNumberFormat } from "./number-format.ts";

/** Passes texts on whose parser does not complain. */
function parsed(parse: (text: string) => unknown) {
  return z.string().superRefine((text, context) => {
    try {
      parse(text);
    } catch (error) {
      if (!(error instanceof MathTextError || error instanceof NumberFormatError)) throw error;
      context.addIssue({ code: "custom", message: error.message });
    }
  });
}

/** `$…$` is mathematics. */
const label = parsed(parseMathText);
const lineStyle = z.enum([...lineStyleNames, "None"]);
const texts = () => z.array(z.string()).default([]);

const fields = z.object({
  experiments_dir: z.string().min(1).describe("folder that the groups of runs are below"),
  experiment_groups_dir_names: z
    .array(z.string().min(1))
    .min(1)
    .describe(
      "groups, a curve each: folders with runs (of a sweep, for example) or patterns of run folders ('all/*coeff=0.1*'), in experiments_dir; . is experiments_dir itself",
    ),
  per_experiment_group_y_axis_value_name: z
    .array(z.string().min(1))
    .min(1)
    .describe(
      "y: key of summary.json with dots, such as 'last_tracked_values.val accuracy.value', or the name of a metric (its last value); one for each group, or one for all",
    ),
  per_experiment_group_label: z
    .array(label)
    .default([])
    .describe("text of the legend for each group, '' for none; if not given, the groups' names"),
  per_experiment_group_marker: z
    .array(z.enum(markerNames))
    .default([])
    .describe("marker of matplotlib for each group, or one for all"),
  per_experiment_group_linestyle: z
    .array(lineStyle)
    .default([])
    .describe("line style for each group, or one for all; if not given, solid"),
  per_experiment_group_color: texts().describe(
    "color for each group, or one for all: a name of CSS or matplotlib (tab:blue, C0), or #rrggbb; if not given, a palette for color-blind readers",
  ),
  error_bars_opacity: z
    .number()
    .min(0)
    .max(1)
    .default(1)
    .describe("opacity of the error bars, 0 to 1"),
  x_axis_value_name: z
    .string()
    .min(1)
    .describe(
      "x: key of summary.json or config.json with dots, such as distance or dataset_path; numbers or texts",
    ),
  x_axis_ticks: z
    .array(label)
    .default([])
    .describe("texts at the x values, one for each in their order"),
  use_x_axis_ticks_values: z
    .boolean()
    .default(false)
    .describe("x_axis_ticks are numbers: put ticks there instead"),
  y_axis_ticks: z.array(label).default([]).describe("texts at the ticks of y, from below"),
  use_y_axis_ticks_values: z
    .boolean()
    .default(false)
    .describe("y_axis_ticks are numbers: put ticks there instead"),
  y_axis_format_str: z
    .union([z.literal(""), parsed(parseNumberFormat)])
    .default("")
    .describe("format of Python for the numbers at y, such as {:.0%}, {x:.1f} or %.2f"),
  horizontal_lines: z.array(z.number()).default([]).describe("lines across at these y values"),
  horizontal_lines_colors: texts().describe("their colors; black where none is given"),
  horizontal_lines_styles: z
    .array(lineStyle)
    .default([])
    .describe("their line styles; solid where none is given"),
  vertical_lines: z.array(z.number()).default([]).describe("lines upright at these x values"),
  vertical_lines_colors: texts().describe("their colors; black where none is given"),
  vertical_lines_styles: z
    .array(lineStyle)
    .default([])
    .describe("their line styles; solid where none is given"),
  y_value_scale_factor: z.number().default(1).describe("factor of all y values (100 for percent)"),
  plot_title: label.default("").describe("title; $…$ is mathematics here and in all labels"),
  x_label: label.default("").describe("label of the x axis"),
  y_label: label.default("").describe("label of the y axis"),
  x_log_scale: z.boolean().default(false).describe("logarithmic x axis"),
  y_log_scale: z.boolean().default(false).describe("logarithmic y axis"),
  x_autoscale_tight: z
    .boolean()
    .default(false)
    .describe("x axis from the smallest to the largest x value, without room beside them"),
  y_bottom_lim: z.number().optional().describe("lower end of the y axis"),
  y_top_lim: z.number().optional().describe("upper end of the y axis"),
  plot_linewidth: z.number().positive().default(1.5).describe("width of lines in points"),
  save_plot_to: z
    .string()
    .default("")
    .describe("write the figure here, as .svg and .png beside each other"),
});

/** @inline */
type Fields = z.infer<typeof fields>;

/** The lists of which each group has an entry; `one`: a single one is for all groups. */
const PER_GROUP = [
  ["per_experiment_group_y_axis_value_name", "one"],
  ["per_experiment_group_label", "each"],
  ["per_experiment_group_marker", "one"],
  ["per_experiment_group_linestyle", "one"],
  ["per_experiment_group_color", "one"],
] as const satisfies readonly (readonly [keyof Fields, "one" | "each"])[];

/**
 * What a figure of groups of runs is made of: names and defaults of the plotting script of the PyTorch
 * counterpart. Every group is a curve of mean and population standard deviation of y over the runs of one x.
 */
export const groupPlotFlags = fields.superRefine((flags, context) => {
  const wrong = (field: keyof Fields, message: string): void =>
    context.addIssue({ code: "custom", path: [field], message });
  checkLengths(flags, wrong);
  for (const axis of ["x", "y"] as const) {
    const at = flags[`${axis}_axis_ticks`];
    if (!flags[`use_${axis}_axis_ticks_values`]) continue;
    if (at.length === 0)
      wrong(`use_${axis}_axis_ticks_values`, `needs ${axis}_axis_ticks with the values`);
    if (at.some((text) => numberOf(text) === undefined))
      wrong(`${axis}_axis_ticks`, `must be numbers with use_${axis}_axis_ticks_values`);
  }
  const { y_bottom_lim: bottom, y_top_lim: top } = flags;
  if (bottom !== undefined && top !== undefined && top <= bottom)
    wrong("y_top_lim", `must be more than y_bottom_lim, ${bottom}`);
  if (!flags.y_log_scale) return;
  for (const field of ["y_bottom_lim", "y_top_lim"] as const)
    if ((flags[field] ?? 1) <= 0) wrong(field, "must be more than 0 on a logarithmic axis");
});

/**
 * The flags of `plot locality`, all given.
 *
 * @interface
 */
export type GroupPlotFlags = Fields;

function checkLengths(flags: Fields, wrong: (field: keyof Fields, message: string) => void): void {
  const groups = flags.experiment_groups_dir_names.length;
  for (const [field, rule] of PER_GROUP) {
    const { length } = flags[field];
    if (length === 0 || length === groups || (rule === "one" && length === 1)) continue;
    const single = rule === "one" && groups > 1 ? ", or one for all" : "";
    const many =
      groups === 1 ? "one entry for the one group" : `one entry for each of the ${groups} groups`;
    wrong(field, `must have ${many}${single}, not ${length}`);
  }
  for (const lines of ["horizontal_lines", "vertical_lines"] as const)
    for (const look of ["colors", "styles"] as const)
      if (flags[`${lines}_${look}`].length > flags[lines].length)
        wrong(
          `${lines}_${look}`,
          `has more entries than there are ${lines} (${flags[lines].length})`,
        );
}

/** A number, or a text that is one. */
export function numberOf(value: unknown): number | undefined {
  if (typeof value === "number") return Number.isFinite(value) ? value : undefined;
  if (typeof value !== "string" || !/^\s*[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?\s*$/i.test(value))
    return undefined;
  const number = Number(value);
  return Number.isFinite(number) ? number : undefined;
}
