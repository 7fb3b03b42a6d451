import { z } from "zod";
import { MisuseError } from "../errors.ts";
import { nearest } from "../flags/nearest.ts";
import { colorMapNames, parseColor } from "./line-colors.ts";
import { lineStyleNames } from "./line-styles.ts";
import { MathTextError, parseMathText } from "./math-text.ts";

const points = z.number().positive();
/** A text of the figure; `$…$` is mathematics. */
const label = z.string().superRefine((text, context) => {
  try {
    parseMathText(text);
  } catch (error) {
    if (!(error instanceof MathTextError)) throw error;
    context.addIssue({ code: "custom", message: error.message });
  }
});
const limit = z.number().nullable().default(null);
const ticks = z.array(z.number()).min(1).nullable().default(null);
const tickLabels = z.array(label).nullable().default(null);
const nameOfMap = z.string().refine((name) => colorMapNames.includes(name), {
  error: `must be a color map (${colorMapNames.join(", ")}), or a list of colors`,
});
const color = z.string().refine((text) => parseColor(text) !== undefined, {
  error: "must be a color such as firebrick, #1f77b4 or tab:blue",
});

const source = z
  .strictObject({
    /** A run folder, a checkpoint in it, its metrics.jsonl, a folder of runs, or a pattern; several are averaged. */
    checkpoint_path: z.union([z.string(), z.array(z.string().min(1)).min(1)]),
    metric_names: z.array(z.string().min(1)).min(1),
    labels: z.array(label).nullable().default(null),
    colors: z
      .union([nameOfMap, z.array(color).min(1)])
      .nullable()
      .default("summer"),
    linestyles: z.array(z.enum(lineStyleNames)).min(1).nullable().default(null),
  })
  .superRefine(({ labels, metric_names: metrics }, context) => {
    if (labels === null || labels.length === metrics.length) return;
    context.addIssue({
      code: "custom",
      path: ["labels"],
      message: `must have one label per metric (${metrics.length}, not ${labels.length})`,
    });
  });

const panel = z
  .strictObject({
    experiment_configs: z.array(source).min(1),
    start_iter: z.number().int().min(0).default(0),
    max_iter: z.number().int().default(-1),
    loss_metric_name: z.string().default(""),
    min_loss: z.number().nullable().default(null),
    title: label.default(""),
    y_label: label.default(""),
    x_label: label.default(""),
    y_top_lim: limit,
    y_bottom_lim: limit,
    y_ticks: ticks,
    y_ticks_labels: tickLabels,
    x_ticks: ticks,
    x_ticks_labels: tickLabels,
    x_tight: z.boolean().default(true),
    x_log_scale: z.boolean().default(false),
    y_log_scale: z.boolean().default(false),
    plot_linewidth: points.default(1.5),
    title_font_size: points.default(12),
    y_label_font_size: points.default(11),
    x_label_font_size: points.default(11),
    ticks_font_size: points.default(9),
    legend_font_size: points.default(10),
  })
  .superRefine((config, context) => {
    const wrong = (field: string, message: string): void =>
      context.addIssue({ code: "custom", path: [field], message });
    for (const axis of ["x", "y"] as const) {
      const [at, labels] = [config[`${axis}_ticks`], config[`${axis}_ticks_labels`]];
      if (labels !== null && labels.length !== at?.length)
        wrong(`${axis}_ticks_labels`, `must have one label for each of ${axis}_ticks`);
    }
    const { start_iter: start, max_iter: max, y_top_lim: top, y_bottom_lim: bottom } = config;
    if (max >= 0 && max <= start) wrong("max_iter", `must be more than start_iter (${start})`);
    if (top !== null && bottom !== null && top <= bottom)
      wrong("y_top_lim", `must be more than y_bottom_lim (${bottom})`);
    for (const field of ["y_top_lim", "y_bottom_lim"] as const)
      if (config.y_log_scale && config[field] !== null && config[field] <= 0)
        wrong(field, "must be more than 0 on a logarithmic axis");
  });

const figure = z.strictObject({
  ax_configs: z.array(panel).min(1),
  title: label.default(""),
  title_font_size: points.default(13),
  subplot_width: z.number().positive().max(100).default(3),
  subplot_height: z.number().positive().max(100).default(2),
  pad_width: z.number().min(0).nullable().default(null),
  save_plot_to: z.string().default(""),
  /** (a), (b), … above the panels. */
  panel_labels: z.boolean().default(false),
  /** auto: one legend below the figure if all panels have the same, else one below each panel. */
  legend: z.enum(["auto", "shared", "panels", "none"]).default("auto"),
});

/**
 * A figure of learning dynamics: panels with metric curves of runs against the epoch.
 *
 * @interface
 */
export type PlotConfig = z.infer<typeof figure>;
/** A panel of the figure: its axes, and the sources of its curves. */
export type PanelConfig = PlotConfig["ax_configs"][number];
/** Where curves come from: runs, and the metrics of them. */
export type SourceConfig = PanelConfig["experiment_configs"][number];

/**
 * Checks a plot configuration and fills in the defaults.
 *
 * @param name of the file, for messages.
 * @throws MisuseError with the JSON path of the first wrong field:
 *   `plot.json: ax_configs[1].experiment_configs[0].colors[2]: must be a color … (got "blu")`.
 */
export function parsePlotConfig(content: unknown, name: string): PlotConfig {
  const parsed = figure.safeParse(content);
  if (parsed.success) return parsed.data;
  throw new MisuseError(`${name}: ${describeIssue(innermost(parsed.error.issues[0]!), content)}`);
}

/** `["ax_configs", 1, "title"]` as ax_configs[1].title. */
export function jsonPath(path: readonly PropertyKey[]): string {
  return path
    .map((key, i) => (typeof key === "number" ? `[${key}]` : `${i === 0 ? "" : "."}${String(key)}`))
    .join("");
}

type Issue = z.core.$ZodIssue;

/** Of alternatives, the one that came nearest: whose complaint lies deepest or is no matter of type. */
function innermost(issue: Issue): Issue {
  if (issue.code !== "invalid_union") return issue;
  const best = issue.errors
    .flatMap(([first]) => (first === undefined ? [] : [first]))
    .find((inner) => inner.code !== "invalid_type" || inner.path.length > 0);
  if (best === undefined)
    return { ...issue, code: "custom", message: "must be a text or a list of texts" };
  return innermost({ ...best, path: [...issue.path, ...best.path] });
}

function describeIssue(issue: Issue, content: unknown): string {
  if (issue.code === "unrecognized_keys") {
    const key = issue.keys[0]!;
    const known = knownKeys(issue.path.length);
    const similar = nearest(key, known);
    const hint =
      similar === undefined ? `known are ${known.join(", ")}` : `did you mean ${similar}?`;
    return `${jsonPath([...issue.path, key])}: there is no such field; ${hint}`;
  }
  const value = issue.path.reduce<unknown>(
    (inner, key) => (inner as Record<PropertyKey, unknown> | undefined)?.[key],
    content,
  );
  const where = issue.path.length === 0 ? "" : `${jsonPath(issue.path)}: `;
  if (value === undefined) return `${where}is required`;
  const got = issue.code === "custom" && typeof value === "object" ? "" : ` (got ${show(value)})`;
  return `${where}${requirement(issue)}${got}`;
}

function knownKeys(depth: number): readonly string[] {
  const shapes = [figure.shape, panel.shape, source.shape];
  return Object.keys(shapes[Math.min(2, Math.floor(depth / 2))]!);
}

const KINDS: Readonly<Record<string, string>> = {
  string: "a text",
  number: "a number",
  int: "an integer",
  boolean: "true or false",
  array: "a list",
  object: "an object",
};

function requirement(issue: Issue): string {
  switch (issue.code) {
    case "invalid_type":
      return `must be ${KINDS[issue.expected] ?? issue.expected}`;
    case "invalid_value":
      return `must be one of ${issue.values.map(String).join(", ")}`;
    case "too_small":
      if (issue.origin === "array" || issue.origin === "string") return "must not be empty";
      return `must be ${issue.inclusive === true ? "at least" : "more than"} ${String(issue.minimum)}`;
    case "too_big":
      return `must be at most ${String(issue.maximum)}`;
    default:
      return issue.message;
  }
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 80 ? `${text.slice(0, 79)}…` : text;
}
