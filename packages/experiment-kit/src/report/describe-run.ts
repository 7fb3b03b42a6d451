import { basename, resolve } from "node:path";
import type { RunConfig, RunRecord } from "../run-folder/config-file.ts";
import type { RunInfo } from "../run-folder/list-runs.ts";
import type { MetricHistory, MetricSeries } from "../run-folder/metrics-reader.ts";
import type { RunSummary, TrackedValueSummary } from "../run-folder/summary-file.ts";
import type { Curve, RecordedValue, ReportMetric, ReportRun } from "./report-data.ts";
import { thinCurve } from "./thin-curve.ts";

const NOTHING: RecordedValue = { value: null, epoch: -1 };

/** What the page shows of a run; `key` tells it from the page's other runs. */
export function describeRun(key: string, run: RunInfo, history: MetricHistory): ReportRun {
  const { config, summary } = run;
  if (config === undefined) return describeDamagedRun(key, run.folder, run.problem ?? "");
  const record = config.run;
  const metrics = metricsOf(record).map(({ name: metric, tag = metric }) =>
    describeMetric(metric, tag, history.series.get(metric), summary),
  );
  const lastScore = metrics.find((metric) => metric.name === record.score.metric)?.last ?? NOTHING;
  return {
    key,
    name: basename(resolve(run.folder)),
    state: run.status,
    reason: summary?.stop_reason ?? run.problem ?? reasonWithoutSummary(run),
    experiment: record.experiment,
    created: record.created,
    score: { metric: record.score.metric, largest: record.score.largest },
    lastScore,
    bestScore: bestOf(metrics, record.score),
    firstEpoch: record.first_epoch,
    lastEpoch: summary?.last_epoch ?? history.epochs.at(-1) ?? -1,
    plannedLastEpoch: record.last_epoch,
    seconds: summary === undefined ? (history.seconds.at(-1) ?? 0) : summary.duration_seconds,
    parameters: record.num_model_parameters,
    seed: record.seed,
    settings: texts(config.flags),
    environment: texts(environmentOf(config)),
    facts: texts(record.metadata),
    metrics,
  };
}

/** The curves of a run's metrics in the order of `ReportRun.metrics`, each with at most about `limit` points. */
export function curvesOf(
  metrics: readonly ReportMetric[],
  history: MetricHistory,
  limit: number,
): readonly Curve[] {
  return metrics.map(({ name }) => {
    const series = history.series.get(name);
    return series === undefined ? { epochs: [], values: [] } : thinCurve(series, limit);
  });
}

/** The metrics of a run in the order train, validation, extra. */
export function metricsOf(record: RunRecord): RunRecord["metrics"]["train"] {
  const { train, validation, extra } = record.metrics;
  return [...train, ...validation, ...extra];
}

function describeMetric(
  name: string,
  tag: string,
  series: MetricSeries | undefined,
  summary: RunSummary | undefined,
): ReportMetric {
  const recorded = series === undefined ? NOTHING : lastOf(series);
  const tracked = summary?.last_tracked_values[name];
  // Epochs that are not logged are in no history, but the summary knows the values at the end.
  const last = tracked !== undefined && tracked.epoch >= recorded.epoch ? tracked : recorded;
  return { name, tag, last, ...extremesOf(series, last) };
}

function lastOf({ epochs, values }: MetricSeries): RecordedValue {
  const value = values.at(-1) ?? Number.NaN;
  return { value: Number.isFinite(value) ? value : null, epoch: epochs.at(-1) ?? -1 };
}

function extremesOf(
  series: MetricSeries | undefined,
  last: RecordedValue | TrackedValueSummary,
): Pick<ReportMetric, "lowest" | "highest"> {
  let lowest = NOTHING;
  let highest = NOTHING;
  const take = (value: number | null, epoch: number): void => {
    if (value === null || !Number.isFinite(value)) return;
    if (lowest.value === null || value < lowest.value) lowest = { value, epoch };
    if (highest.value === null || value > highest.value) highest = { value, epoch };
  };
  if (series !== undefined)
    for (let i = 0; i < series.values.length; i++) take(series.values[i]!, series.epochs[i]!);
  take(last.value, last.epoch);
  return { lowest, highest };
}

function bestOf(metrics: readonly ReportMetric[], score: RunRecord["score"]): RecordedValue {
  const metric = metrics.find(({ name }) => name === score.metric);
  if (metric === undefined) return NOTHING;
  return score.largest ? metric.highest : metric.lowest;
}

function reasonWithoutSummary({ status }: RunInfo): string {
  return status === "killed" ? "it was killed, and can be resumed" : "";
}

function environmentOf({ run }: RunConfig): Readonly<Record<string, unknown>> {
  const { backend, threads, dataset_hash, platform, cpu, host, versions, started_from, imported } =
    run;
  return {
    begun: run.created,
    seed: run.seed ?? "unknown",
    backend,
    threads,
    "data set hash": dataset_hash,
    platform,
    cpu,
    host,
    ...Object.fromEntries(Object.entries(versions).map(([of, text]) => [`version of ${of}`, text])),
    "started from": started_from && `${started_from.checkpoint} (epoch ${started_from.epoch})`,
    "imported from": imported && `${imported.from} (SHA-256 ${imported.sha256})`,
    "unknown settings": imported?.unknown_flags.join(" "),
  };
}

function texts(values: Readonly<Record<string, unknown>>): Readonly<Record<string, string>> {
  const given = Object.entries(values).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given.map(([name, value]) => [name, settingText(value)]));
}

function settingText(value: unknown): string {
  if (typeof value === "string") return value;
  if (Array.isArray(value) && value.every((item) => typeof item !== "object"))
    return value.join(" ");
  return JSON.stringify(value);
}

/** A run of which nothing can be read but its name. */
export function describeDamagedRun(key: string, folder: string, reason: string): ReportRun {
  return {
    key,
    name: basename(resolve(folder)),
    state: "damaged",
    reason,
    experiment: "",
    created: "",
    score: { metric: "", largest: false },
    lastScore: NOTHING,
    bestScore: NOTHING,
    firstEpoch: 0,
    lastEpoch: -1,
    plannedLastEpoch: -1,
    seconds: 0,
    parameters: 0,
    seed: 0,
    settings: {},
    environment: {},
    facts: {},
    metrics: [],
  };
}
