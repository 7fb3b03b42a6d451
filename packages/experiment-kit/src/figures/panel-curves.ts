import { isUserError, MisuseError } from "../errors.ts";
import { nearest } from "../flags/nearest.ts";
import type { MetricSeries } from "../run-folder/metrics-reader.ts";
import { curveColor } from "./line-colors.ts";
import { curveDash } from "./line-styles.ts";
import { meanCurve } from "./mean-curve.ts";
import type { MeanCurve } from "./mean-curve.ts";
import type { MetricSources, RunMetrics } from "./metric-source.ts";
import { jsonPath } from "./plot-config.ts";
import type { PanelConfig, SourceConfig } from "./plot-config.ts";

/** One curve of a panel as it is drawn. */
export interface PanelCurve extends MeanCurve {
  readonly metric: string;
  /** Absent: not in the legend. */
  readonly label?: string;
  readonly color: string;
  readonly dash?: string;
}

/** What a panel shows. */
export interface PanelCurves {
  readonly config: PanelConfig;
  readonly curves: readonly PanelCurve[];
  /** The runs of every source. */
  readonly runs: readonly (readonly string[])[];
}

/** Which panel of which configuration, for messages. */
export interface PanelPlace {
  /** The configuration's file, for messages. */
  readonly file: string;
  readonly index: number;
}

/**
 * Reads the curves of a panel in the order in which they are drawn.
 *
 * @param runs stand in for the sources whose checkpoint_path is empty: those of them that have its metrics.
 * @throws MisuseError naming the configuration's file and the JSON path of the field.
 */
export async function readPanelCurves(
  config: PanelConfig,
  place: PanelPlace,
  sources: MetricSources,
  runs: readonly RunMetrics[],
): Promise<PanelCurves> {
  const curves: PanelCurve[] = [];
  const used: string[][] = [];
  for (const [i, source] of config.experiment_configs.entries()) {
    const wrong = (field: string, problem: string): MisuseError =>
      new MisuseError(
        `${place.file}: ${jsonPath(["ax_configs", place.index, "experiment_configs", i])}.${field}: ${problem}`,
      );
    const wrongInPanel = (field: string, problem: string): MisuseError =>
      new MisuseError(
        `${place.file}: ${jsonPath(["ax_configs", place.index])}.${field}: ${problem}`,
      );
    const found = await runsOf(source, sources, runs, wrong);
    used.push(found.map(({ path }) => path));
    const ends = found.map((run) => lastEpoch(run, config, wrongInPanel));
    source.metric_names.forEach((metric, j) => {
      const series = found.map((run, r) =>
        between(seriesOf(run, metric, `metric_names[${j}]`, wrong), config.start_iter, ends[r]!),
      );
      const curve = meanCurve(series);
      if (curve.epochs.length === 0)
        throw wrong(`metric_names[${j}]`, nothingLeft(metric, found, config));
      curves.push({ ...curve, metric, ...looks(source, j, config.plot_linewidth) });
    });
  }
  return { config, curves, runs: used };
}

type Wrong = (field: string, problem: string) => MisuseError;

async function runsOf(
  { checkpoint_path: path, metric_names: names }: SourceConfig,
  sources: MetricSources,
  runs: readonly RunMetrics[],
  wrong: Wrong,
): Promise<readonly RunMetrics[]> {
  if (path !== "") {
    const paths = typeof path === "string" ? [path] : path;
    const found = await Promise.all(
      paths.map((one, i) =>
        sources.read(one).catch((error: unknown) => {
          if (!isUserError(error)) throw error;
          throw wrong(`checkpoint_path${typeof path === "string" ? "" : `[${i}]`}`, error.message);
        }),
      ),
    );
    return [...new Set(found.flat())];
  }
  if (runs.length === 0)
    throw wrong("checkpoint_path", "is empty; fill it in, or name the runs after the command");
  const fitting = runs.filter((run) => names.every((name) => run.series.has(name)));
  if (fitting.length > 0) return fitting;
  const missing = names.find((name) => !runs.some((run) => run.series.has(name))) ?? names[0]!;
  throw wrong(
    "checkpoint_path",
    `is empty, and ${runs.length === 1 ? "the run given does not have" : `none of the ${runs.length} runs given has`} ${missing}; give one that has it`,
  );
}

function seriesOf(run: RunMetrics, metric: string, field: string, wrong: Wrong): MetricSeries {
  const series = run.series.get(metric);
  if (series !== undefined) return series;
  const similar = nearest(metric, [...run.series.keys()]);
  const hint =
    run.series.size === 0
      ? "it has no metrics yet"
      : similar === undefined
        ? "see the first line of its metrics.jsonl for those it has"
        : `did you mean ${similar}?`;
  throw wrong(field, `${run.path} has no metric ${metric}; ${hint}`);
}

/**
 * The last epoch to show: `max_iter`, and with `min_loss` the first epoch whose train loss is below it (or
 * the last with a train loss, if none is); the smaller of both.
 */
function lastEpoch(run: RunMetrics, config: PanelConfig, wrong: Wrong): number {
  const { max_iter: max, min_loss: min, loss_metric_name: name } = config;
  const limit = max < 0 ? Infinity : max;
  if (name === "" || min === null) return limit;
  const { epochs, values } = seriesOf(run, name, "loss_metric_name", wrong);
  const below = values.findIndex((value) => value < min);
  return Math.min(limit, below < 0 ? epochs.at(-1)! : epochs[below]!);
}

function between(
  { epochs, values }: MetricSeries,
  first: number,
  last: number,
): Pick<MetricSeries, "epochs" | "values"> {
  const start = firstAtLeast(epochs, first);
  const end = last === Infinity ? epochs.length : firstAtLeast(epochs, last + 1);
  return { epochs: epochs.subarray(start, end), values: values.subarray(start, end) };
}

function firstAtLeast(epochs: Int32Array, bound: number): number {
  const index = epochs.findIndex((epoch) => epoch >= bound);
  return index < 0 ? epochs.length : index;
}

function nothingLeft(metric: string, runs: readonly RunMetrics[], config: PanelConfig): string {
  const epochs = runs.map((run) => run.series.get(metric)!.epochs);
  const last = Math.min(...epochs.map((list) => list.at(-1) ?? -1));
  if (last < config.start_iter)
    return `${metric} ends at epoch ${last}, before start_iter (${config.start_iter}); make start_iter smaller`;
  return runs.length > 1
    ? `the ${runs.length} runs have no epoch with ${metric} in common; use runs of one cadence`
    : `${metric} has no values between start_iter and the end of the panel; widen the range`;
}

function looks(
  { labels, colors, linestyles }: SourceConfig,
  j: number,
  lineWidth: number,
): Pick<PanelCurve, "label" | "color" | "dash"> {
  const dash = curveDash(linestyles, j, lineWidth);
  return {
    color: curveColor(colors, j),
    ...(labels === null ? {} : { label: labels[j]! }),
    ...(dash === undefined ? {} : { dash }),
  };
}
