import { listFlags, parseFlags } from "@implicit-rank/experiment-kit";
import type { PlottedFigure } from "@implicit-rank/experiment-kit/figures";
import { z } from "zod";
import type { CommandDefinition } from "../command.ts";

const flags = z.object({
  plot_config_path: z
    .string()
    .min(1)
    .describe(
      "JSON file that describes the figure, or one that comes with the program: mf_tf_htf_dyn or htf_loc_comp_and_sing_vals",
    ),
  save_plot_to: z
    .string()
    .min(1)
    .optional()
    .describe("write the figure here instead of where the configuration says"),
  force: z.boolean().default(false).describe("replace existing files"),
});

export const plotDynamics: CommandDefinition = {
  description:
    "Draws the dynamics of runs, panel by panel, as SVG and as PNG of 300 dpi. Where the configuration leaves checkpoint_path empty, a panel shows the runs given here that have its metrics: one as curves, several (seeds) as mean with a band of one standard deviation.",
  operands: [
    {
      name: "run",
      description: "run folder, folder of runs, or pattern such as 'outputs/exps/mf_*'",
      optional: true,
      variadic: true,
    },
  ],
  flagGroups: [{ title: "Figure", flags: listFlags(flags) }],
  examples: [
    "implicit-rank plot dynamics --plot_config_path mf_tf_htf_dyn outputs/exps/mf_* outputs/exps/cp_* outputs/exps/ht_*",
    "implicit-rank plot dynamics --plot_config_path my_plot.json --save_plot_to figures/dynamics.svg --force",
  ],
  async run({ flags: typed, operands, output }) {
    const { plot_config_path: config, save_plot_to: saveTo, force } = parseFlags(flags, typed);
    const figures = await import("@implicit-rank/experiment-kit/figures");
    const figure = await figures.plotDynamics({
      config,
      runs: operands,
      force,
      ...(saveTo === undefined ? {} : { saveTo }),
    });
    for (const run of figure.unusedRuns)
      output.note(`${run} is not shown: no panel has its metrics`);
    output.result(jsonOf(figure), linesOf(figure), figure.svg);
    return 0;
  },
};

function jsonOf({ svg, png, widthInches, heightInches, panels, unusedRuns }: PlottedFigure) {
  return {
    svg,
    png,
    width_inches: widthInches,
    height_inches: heightInches,
    panels,
    unused_runs: unusedRuns,
  };
}

function linesOf({
  svg,
  png,
  widthInches,
  heightInches,
  panels,
}: PlottedFigure): readonly string[] {
  const shown = panels.map(({ title, sources, epochs }, i) => {
    const runs = new Set(sources.flatMap((source) => source.runs));
    const source = runs.size === 1 ? [...runs][0]! : `${runs.size} runs`;
    return `  ${title || `panel ${i + 1}`}: ${source}, epochs ${epochs[0]} to ${epochs[1]}`;
  });
  return [
    ...shown,
    `${svg} and ${png} (${widthInches.toFixed(1)} × ${heightInches.toFixed(1)} inches, 300 dpi)`,
  ];
}
