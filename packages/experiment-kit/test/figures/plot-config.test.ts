import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { parsePlotConfig } from "../../src/figures/plot-config.ts";
import { readPlotConfig, shippedPlotConfigs } from "../../src/figures/read-plot-config.ts";
import { temporaryFolder } from "../run-kit.ts";

const source = { checkpoint_path: "run", metric_names: ["a", "b"] };
const figure = (panel: object = {}, rest: object = {}) => ({
  ax_configs: [{ experiment_configs: [source] }, { experiment_configs: [source], ...panel }],
  ...rest,
});
const withSource = (change: object) =>
  figure({ experiment_configs: [source, { ...source, ...change }] });

describe("the defaults", () => {
  it("are those of the counterpart, and ours change nothing", () => {
    const { ax_configs: panels, ...rest } = parsePlotConfig(figure(), "plot.json");
    expect(rest).toEqual({
      title: "",
      title_font_size: 13,
      subplot_width: 3,
      subplot_height: 2,
      pad_width: null,
      save_plot_to: "",
      panel_labels: false,
      legend: "auto",
    });
    expect(panels[0]).toEqual({
      experiment_configs: [{ ...source, labels: null, colors: "summer", linestyles: null }],
      start_iter: 0,
      max_iter: -1,
      loss_metric_name: "",
      min_loss: null,
      title: "",
      y_label: "",
      x_label: "",
      y_top_lim: null,
      y_bottom_lim: null,
      y_ticks: null,
      x_ticks: null,
      y_ticks_labels: null,
      x_ticks_labels: null,
      x_tight: true,
      x_log_scale: false,
      y_log_scale: false,
      plot_linewidth: 1.5,
      title_font_size: 12,
      y_label_font_size: 11,
      x_label_font_size: 11,
      ticks_font_size: 9,
      legend_font_size: 10,
    });
  });
});

describe("a wrong configuration", () => {
  it.each<[string, unknown, string]>([
    ["nothing", {}, "ax_configs: is required"],
    ["no object", [], "must be an object (got [])"],
    ["no panel", { ax_configs: [] }, "ax_configs: must not be empty (got [])"],
    [
      "an unknown field of the figure",
      figure({}, { titel: "x" }),
      "titel: there is no such field; did you mean title?",
    ],
    [
      "an unknown field of a panel",
      figure({ ylabel: "x" }),
      "ax_configs[1].ylabel: there is no such field; did you mean y_label?",
    ],
    [
      "an unknown field of a source",
      withSource({ colours: "summer" }),
      "ax_configs[1].experiment_configs[1].colours: there is no such field; did you mean colors?",
    ],
    [
      "a wrong color in a list",
      withSource({ colors: ["red", "#0072B2", "blu"] }),
      'ax_configs[1].experiment_configs[1].colors[2]: must be a color such as firebrick, #1f77b4 or tab:blue (got "blu")',
    ],
    [
      "an unknown color map",
      withSource({ colors: "jet" }),
      'ax_configs[1].experiment_configs[1].colors: must be a color map (summer, viridis, cividis, plasma, inferno, magma, colorblind), or a list of colors (got "jet")',
    ],
    [
      "colors of a wrong type",
      withSource({ colors: 3 }),
      "ax_configs[1].experiment_configs[1].colors: must be a text or a list of texts (got 3)",
    ],
    [
      "a number among the paths",
      withSource({ checkpoint_path: ["run", 7] }),
      "ax_configs[1].experiment_configs[1].checkpoint_path[1]: must be a text (got 7)",
    ],
    [
      "no path",
      withSource({ checkpoint_path: undefined }),
      "ax_configs[1].experiment_configs[1].checkpoint_path: is required",
    ],
    [
      "too few labels",
      withSource({ labels: ["one"] }),
      "ax_configs[1].experiment_configs[1].labels: must have one label per metric (2, not 1)",
    ],
    [
      "an unknown line style",
      withSource({ linestyles: ["-", "~"] }),
      'ax_configs[1].experiment_configs[1].linestyles[1]: must be one of -, solid, --, dashed, -., dashdot, :, dotted (got "~")',
    ],
    [
      "a text for a number",
      figure({ start_iter: "5" }),
      'ax_configs[1].start_iter: must be a number (got "5")',
    ],
    [
      "a fraction of an epoch",
      figure({ max_iter: 2.5 }),
      "ax_configs[1].max_iter: must be an integer (got 2.5)",
    ],
    [
      "an empty range",
      figure({ start_iter: 100, max_iter: 50 }),
      "ax_configs[1].max_iter: must be more than start_iter (100) (got 50)",
    ],
    [
      "limits upside down",
      figure({ y_top_lim: 1, y_bottom_lim: 2 }),
      "ax_configs[1].y_top_lim: must be more than y_bottom_lim (2) (got 1)",
    ],
    [
      "a limit that a logarithmic axis cannot have",
      figure({ y_log_scale: true, y_bottom_lim: 0 }),
      "ax_configs[1].y_bottom_lim: must be more than 0 on a logarithmic axis (got 0)",
    ],
    [
      "tick labels without ticks",
      figure({ x_ticks_labels: ["one"] }),
      "ax_configs[1].x_ticks_labels: must have one label for each of x_ticks",
    ],
    [
      "a formula",
      figure({ title: "norm $\\frac{1}{2}$" }),
      'ax_configs[1].title: the formula $\\frac{1}{2}$ has \\frac, which is not known; Greek letters, common signs, ^, _ and \\mathrm{…} are (got "norm $\\\\frac{1}{2}$")',
    ],
    ["a size", figure({}, { subplot_width: 0 }), "subplot_width: must be more than 0 (got 0)"],
  ])("%s is answered with the JSON path of the field", (_, content, message) => {
    // As from a file: fields that are undefined are absent.
    const read: unknown = JSON.parse(JSON.stringify(content));
    expect(() => parsePlotConfig(read, "plot.json")).toThrow(
      expect.objectContaining({ exitCode: 2, message: `plot.json: ${message}` }),
    );
  });

  it("is named if it is no JSON, or does not exist", async () => {
    const path = join(temporaryFolder(), "plot.json");
    await expect(readPlotConfig(path)).rejects.toThrow(
      `--plot_config_path: ${path}: there is no such file; give one, or one of htf_loc_comp_and_sing_vals, mf_tf_htf_dyn`,
    );
    writeFileSync(path, "{ax_configs}");
    await expect(readPlotConfig(path)).rejects.toThrow(`${path}: is not valid JSON: `);
  });
});

describe("the shipped configurations", () => {
  const names = (pattern: string) =>
    Array.from({ length: 10 }, (_, i) => pattern.replace("#", String(i)));
  const summary = async (name: string) => {
    const { config } = await readPlotConfig(name);
    const { ax_configs: panels, ...rest } = config;
    return {
      rest,
      panels: panels.map(({ title, y_label, x_label, y_ticks, experiment_configs: sources }) => ({
        title,
        y_label,
        x_label,
        y_ticks,
        sources,
      })),
    };
  };
  const panel = (title: string, y_label: string, metrics: string, colors = "summer") => ({
    title,
    y_label,
    x_label: "iterations",
    y_ticks: null as readonly number[] | null,
    sources: [
      {
        checkpoint_path: "",
        metric_names: names(metrics),
        labels: null,
        linestyles: null,
        colors,
      },
    ],
  });

  it("are the two of the counterpart", async () => {
    expect(await shippedPlotConfigs()).toEqual(["htf_loc_comp_and_sing_vals", "mf_tf_htf_dyn"]);
    const dynamics = await summary("mf_tf_htf_dyn");
    expect(dynamics.rest).toMatchObject({
      title: "",
      subplot_width: 7.8,
      subplot_height: 2,
      pad_width: 1.5,
      save_plot_to: "mf_tf_htf_dyn.png",
    });
    expect(dynamics.panels).toEqual([
      panel("matrix factorization", "singular values", "singular_value_#"),
      panel("tensor factorization", "component norms", "top_component_#_fro_norm"),
      panel(
        "hierarchical tensor factorization",
        "local component norms",
        "l_1_f_0_1_top_#_local_comp_norm",
      ),
    ]);
    const order4 = await summary("htf_loc_comp_and_sing_vals");
    expect(order4.rest).toMatchObject({ subplot_width: 8.3, pad_width: 1.5, subplot_height: 2 });
    expect(order4.panels).toEqual([
      panel("node $\\{ 1, 2 \\}$", "local component norms", "l_0_f_0_1_top_#_local_comp_norm"),
      {
        ...panel(
          "node $\\{ 1, 2, 3 , 4 \\}$",
          "local component norms",
          "l_1_f_0_1_top_#_local_comp_norm",
        ),
        y_ticks: [0, 4, 8, 12],
      },
      panel("matricization $\\{ 1, 2 \\}$", "singular values", "mat_0_1_sing_val_#", "viridis"),
      panel("matricization $\\{ 1, 3 \\}$", "singular values", "mat_0_2_sing_val_#", "viridis"),
    ]);
  });

  it("are found by the counterpart's file name too", async () => {
    const named = await readPlotConfig("mf_tf_htf_dyn_plot_config.json");
    expect(named.config).toEqual((await readPlotConfig("mf_tf_htf_dyn")).config);
    expect(named.name).toBe("mf_tf_htf_dyn");
  });
});
