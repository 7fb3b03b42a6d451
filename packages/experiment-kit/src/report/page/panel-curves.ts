import type { ChartCurve, Reading } from "./chart.ts";
import { hasPositive } from "./chart-scales.ts";
import type { Range } from "./chart-scales.ts";
import type { LegendPlace } from "./legend.ts";
import { lineStyles } from "./line-styles.ts";
import type { CurvePlace, LineStyle } from "./line-styles.ts";
import type { Model, ShownRun } from "./model.ts";
import { formatCount, formatValue } from "./numbers.ts";
import type { ScaleKind, ViewState } from "./view-state.ts";

/** A curve of a panel, and where it stands in the legend. */
export interface PanelCurve extends ChartCurve {
  readonly place: LegendPlace;
}

/** What a panel shows. */
export interface PanelCurves {
  readonly runs: readonly ShownRun[];
  readonly curves: readonly PanelCurve[];
  readonly styleOf: (place: CurvePlace) => LineStyle;
}

/** The curves of a tag: of the runs that are shown, without the metrics that are hidden. */
export function collectCurves(
  model: Model,
  tag: string,
  names: readonly string[],
  hiddenNames: ReadonlySet<string>,
  colorBy: ViewState["colorBy"],
): PanelCurves {
  const runs = model.runs.filter(
    (shown) => shown.isShown && shown.run.metrics.some((metric) => metric.tag === tag),
  );
  const styleOf = lineStyles(names, runs.length, colorBy);
  const curves = runs.flatMap(({ run, series, number }, r) =>
    names.flatMap((name, i) => {
      const metric = run.metrics.findIndex((m) => m.name === name && m.tag === tag);
      if (metric < 0 || hiddenNames.has(name)) return [];
      const style = styleOf({ series: i, run: number });
      return [{ label: name, series: series[metric]!, style, place: { name: i, run: r } }];
    }),
  );
  return { runs, curves, styleOf };
}

/** The value of a curve at a reading (undefined: its last one); undefined if it is not shown. */
export function valueAt(
  { curves }: PanelCurves,
  reading: Reading | undefined,
  place: LegendPlace,
): number | undefined {
  const i = curves.findIndex((c) => c.place.name === place.name && c.place.run === place.run);
  const values = curves[i]?.series.values;
  return reading === undefined ? values?.at(-1) : values?.[reading.points[i]!];
}

/** Why nothing is to be seen; empty if something is. */
export function emptyText({ curves }: PanelCurves, scale: ScaleKind, isHidden: boolean): string {
  const series = curves.map((curve) => curve.series);
  if (!series.some(({ values }) => values.some(Number.isFinite)))
    return isHidden ? "Everything is hidden; switch something on." : "No values yet.";
  return scale === "log" && !hasPositive(series)
    ? "No positive values: a log axis cannot show them."
    : "";
}

/** As many curves are named to a screen reader. */
const MOST_SPOKEN = 6;

/** What a chart shows, in words. */
export function describeCurves(tag: string, scale: ScaleKind, shown: PanelCurves): string {
  const { curves } = shown;
  const ends = curves.slice(0, MOST_SPOKEN).map((curve) => {
    const { values } = curve.series;
    return `${nameOf(shown, curve)} from ${formatValue(values[0])} to ${formatValue(values.at(-1))}`;
  });
  const rest = curves.length > MOST_SPOKEN ? `, and ${curves.length - MOST_SPOKEN} more` : "";
  return `${tag} over epochs, ${scale} axis. ${ends.join("; ")}${rest}`;
}

/** A reading, in words. */
export function describeReading(reading: Reading, shown: PanelCurves): string {
  const values = shown.curves.slice(0, MOST_SPOKEN).map((curve, i) => {
    const value = curve.series.values[reading.points[i]!];
    return `${nameOf(shown, curve)} ${formatValue(value)}`;
  });
  return `Epoch ${formatCount(reading.epoch)}: ${values.join(", ")}`;
}

function nameOf({ runs }: PanelCurves, { label, place }: PanelCurve): string {
  return runs.length > 1 ? `${label} of ${runs[place.run]!.run.name}` : label;
}

/**
 * What can be shown of the epochs asked for: zooming out ends at the whole curves (null), zooming in at
 * one epoch.
 */
export function epochsWithin(
  curves: readonly PanelCurve[],
  [low, high]: Range,
  current: Range | null,
  scale: ScaleKind,
): Range | null {
  const ends = curves.flatMap(({ series }) => [series.epochs[0] ?? 0, series.epochs.at(-1) ?? 1]);
  const least = Math.max(Math.min(...ends), scale === "log" ? 1 : -Infinity);
  const most = Math.max(...ends);
  if (!(low < high) || (low <= least && high >= most)) return null;
  if (high - low < 1) return current;
  return [Math.max(least, low), Math.min(most, high)];
}
