import { drawDynamics } from "./draw-dynamics.ts";
import { figureBase, refuseExisting, writeFigure } from "./figure-files.ts";
import { plainText } from "./math-text.ts";
import { createMetricSources } from "./metric-source.ts";
import type { MetricSources, RunMetrics } from "./metric-source.ts";
import { readPanelCurves } from "./panel-curves.ts";
import type { PanelCurves } from "./panel-curves.ts";
import { readPlotConfig } from "./read-plot-config.ts";

/** Which figure is drawn of which runs, and where it goes. */
export interface PlotDynamicsOptions {
  /** A JSON file, or the name of a configuration that comes with this package. */
  readonly config: string;
  /** Runs, folders of runs or patterns for the sources whose checkpoint_path is empty: each takes those that have its metrics. */
  readonly runs?: readonly string[];
  /** Instead of the configuration's `save_plot_to`. */
  readonly saveTo?: string;
  /** Replace existing files. */
  readonly force?: boolean;
}

/** A panel of the figure that was drawn. */
export interface PlottedPanel {
  /** Without the arrangement of its formulas. */
  readonly title: string;
  readonly sources: readonly {
    readonly runs: readonly string[];
    readonly metrics: readonly string[];
  }[];
  /** First and last epoch shown. */
  readonly epochs: readonly [number, number];
}

/** The figure that was drawn, its files, and what is in it. */
export interface PlottedFigure {
  readonly svg: string;
  readonly png: string;
  readonly widthInches: number;
  readonly heightInches: number;
  readonly panels: readonly PlottedPanel[];
  /** Of `runs`, those that no panel shows. */
  readonly unusedRuns: readonly string[];
}

/**
 * Draws the figure of a plot configuration, as SVG and as PNG of 300 dpi beside it, whatever ending
 * `save_plot_to` has. Missing folders are made.
 *
 * @throws MisuseError for a wrong configuration (with the JSON path of the field), a run that does not
 *   exist or lacks a metric, or files that exist already; RunError or ArrayFileError for damaged files.
 */
export async function plotDynamics(options: PlotDynamicsOptions): Promise<PlottedFigure> {
  const { path, name, config } = await readPlotConfig(options.config);
  const field = options.saveTo === undefined ? `${path}: save_plot_to` : "--save_plot_to";
  const base = figureBase(options.saveTo ?? config.save_plot_to, name, field);
  if (options.force !== true) await refuseExisting(base);
  const sources = createMetricSources();
  const runs = await readRuns(options.runs ?? [], sources);
  const panels: PanelCurves[] = [];
  for (const [index, panel] of config.ax_configs.entries())
    panels.push(await readPanelCurves(panel, { file: path, index }, sources, runs));
  const figure = drawDynamics(config, panels, path);
  await writeFigure(base, figure.svg, options.force === true);
  const shown = new Set(panels.flatMap((panel) => panel.runs.flat()));
  return {
    svg: `${base}.svg`,
    png: `${base}.png`,
    widthInches: figure.width / 72,
    heightInches: figure.height / 72,
    panels: panels.map(describePanel),
    unusedRuns: runs.map((run) => run.path).filter((folder) => !shown.has(folder)),
  };
}

function describePanel({ config, curves, runs }: PanelCurves): PlottedPanel {
  return {
    title: plainText(config.title),
    sources: config.experiment_configs.map(({ metric_names: metrics }, i) => ({
      runs: runs[i]!,
      metrics,
    })),
    epochs: [
      Math.min(...curves.map(({ epochs }) => epochs[0]!)),
      Math.max(...curves.map(({ epochs }) => epochs.at(-1)!)),
    ],
  };
}

async function readRuns(
  paths: readonly string[],
  sources: MetricSources,
): Promise<readonly RunMetrics[]> {
  const found: RunMetrics[] = [];
  for (const path of paths) found.push(...(await sources.read(path)));
  return [...new Set(found)];
}
