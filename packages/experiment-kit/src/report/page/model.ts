import { thinCurve } from "../thin-curve.ts";
import type {
  Curve,
  LiveMessages,
  RecordedValue,
  ReportMetric,
  ReportRun,
} from "../report-data.ts";

/** A curve that grows. */
export interface Series {
  epochs: number[];
  values: number[];
}

/** A run on the page. */
export interface ShownRun {
  run: ReportRun;
  /** In the order of `run.metrics`. */
  readonly series: readonly Series[];
  /** Its place among all runs that the page has seen: gives its letter and color. */
  readonly number: number;
  isShown: boolean;
}

/** The metrics of all runs that share a chart. */
export interface Tag {
  readonly tag: string;
  readonly names: readonly string[];
}

export type Change =
  /** Runs or metrics came or went. */
  | { readonly kind: "structure" }
  /** A run was shown or hidden. */
  | { readonly kind: "visibility" }
  /** A run has new points in these tags. */
  | { readonly kind: "points"; readonly tags: ReadonlySet<string> };

/** What the page shows; every change is told to the listeners. */
export interface Model {
  readonly runs: readonly ShownRun[];
  tags(): readonly Tag[];
  put(run: ReportRun, curves: readonly Curve[]): void;
  append(message: LiveMessages["points"]): void;
  remove(key: string): void;
  keepOnly(keys: readonly string[]): void;
  show(run: ShownRun, isShown: boolean): void;
  listen(listener: (change: Change) => void): void;
}

/** A curve that has grown beyond this is thinned to half of it. */
const LONGEST_CURVE = 8000;

export function createModel(): Model {
  const runs: ShownRun[] = [];
  const listeners: ((change: Change) => void)[] = [];
  let created = 0;
  const tell = (change: Change): void => listeners.forEach((listener) => listener(change));
  const remove = (key: string): void => {
    const index = indexOf(key);
    if (index < 0) return;
    runs.splice(index, 1);
    tell({ kind: "structure" });
  };
  const indexOf = (key: string): number => runs.findIndex(({ run }) => run.key === key);

  return {
    runs,
    tags: () => collectTags(runs),
    put(run, curves) {
      const index = indexOf(run.key);
      const known = runs[index];
      const shown: ShownRun = {
        run,
        series: run.metrics.map((_, i) => toSeries(curves[i])),
        number: known?.number ?? created++,
        isShown: known?.isShown ?? true,
      };
      if (known === undefined) runs.push(shown);
      else runs[index] = shown;
      tell({ kind: "structure" });
    },
    append({ run, points }) {
      const shown = runs[indexOf(run.key)];
      if (shown === undefined) return;
      const metrics = shown.run.metrics.slice();
      const tags = new Set<string>();
      for (const [number, [epochs, values]] of Object.entries(points)) {
        const i = Number(number);
        const series = shown.series[i];
        const metric = metrics[i];
        if (series === undefined || metric === undefined) continue;
        grow(series, epochs, values);
        metrics[i] = withValues(metric, epochs, values);
        tags.add(metric.tag);
      }
      shown.run = { ...shown.run, ...run, metrics };
      tell({ kind: "points", tags });
    },
    remove,
    keepOnly(keys) {
      const gone = runs.filter(({ run }) => !keys.includes(run.key));
      for (const { run } of gone) remove(run.key);
    },
    show(run, isShown) {
      run.isShown = isShown;
      tell({ kind: "visibility" });
    },
    listen: (listener) => void listeners.push(listener),
  };
}

function collectTags(runs: readonly ShownRun[]): readonly Tag[] {
  const tags = new Map<string, Set<string>>();
  for (const { run } of runs) {
    for (const { tag, name } of run.metrics) {
      const names = tags.get(tag);
      if (names === undefined) tags.set(tag, new Set([name]));
      else names.add(name);
    }
  }
  return [...tags].map(([tag, names]) => ({ tag, names: [...names] }));
}

function toSeries(curve: Curve | undefined): Series {
  return { epochs: Array.from(curve?.epochs ?? []), values: Array.from(curve?.values ?? []) };
}

function grow(series: Series, epochs: readonly number[], values: readonly (number | null)[]): void {
  for (let i = 0; i < epochs.length; i++) {
    series.epochs.push(epochs[i]!);
    series.values.push(values[i] ?? Number.NaN);
  }
  if (series.values.length <= LONGEST_CURVE) return;
  const thinned = toSeries(thinCurve(series, LONGEST_CURVE / 2));
  series.epochs = thinned.epochs;
  series.values = thinned.values;
}

function withValues(
  metric: ReportMetric,
  epochs: readonly number[],
  values: readonly (number | null)[],
): ReportMetric {
  let { last, lowest, highest } = metric;
  values.forEach((value, i) => {
    const recorded: RecordedValue = { value, epoch: epochs[i]! };
    last = recorded;
    if (value === null) return;
    if (lowest.value === null || value < lowest.value) lowest = recorded;
    if (highest.value === null || value > highest.value) highest = recorded;
  });
  return { ...metric, last, lowest, highest };
}
