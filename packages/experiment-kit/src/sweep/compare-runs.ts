import { MisuseError } from "../errors.ts";
import { nearest } from "../flags/nearest.ts";
import type { RunConfig } from "../run-folder/config-file.ts";
import type { RunInfo, RunStatus } from "../run-folder/list-runs.ts";
import { isFinished } from "../run-folder/summary-file.ts";
import { statisticsOf } from "./statistics.ts";
import type { Statistics } from "./statistics.ts";
import { isSetting } from "./sweep-task.ts";

/** A run in a comparison. */
export interface ComparedRun {
  readonly folder: string;
  readonly status: RunStatus;
  /** Null if it is not known. */
  readonly seed: number | null;
  readonly epochs: number | null;
  readonly seconds: number | null;
  readonly score: number | null;
  /** The last values by name. */
  readonly metrics: Readonly<Record<string, number | null>>;
}

/** Runs whose settings differ in the seed only. */
export interface ComparedGroup {
  readonly experiment: string;
  /** The values of the settings in which the compared runs differ. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly scoreName: string;
  readonly largest: boolean;
  /** Over the runs that are finished; those that go on, failed or diverged do not count. */
  readonly score: Statistics | undefined;
  readonly metrics: Readonly<Record<string, Statistics | undefined>>;
  readonly runs: readonly ComparedRun[];
  readonly finished: number;
  /** The finished run with the best score. */
  readonly best: ComparedRun | undefined;
}

/** Runs that are the same but for some settings, put side by side. */
export interface Comparison {
  readonly settings: readonly string[];
  readonly metrics: readonly string[];
  /** By kind of experiment, in it by mean score, best first; groups without a score are last. */
  readonly groups: readonly ComparedGroup[];
}

/** What is compared, and which runs belong together. */
export interface CompareOptions {
  /** Further metrics by name. */
  readonly metrics?: readonly string[];
  /** Larger scores are better; default: as each run says. */
  readonly largest?: boolean;
  /** Puts runs into groups; default: by all differing settings but the seed. */
  readonly groupOf?: (run: RunInfo) => string;
}

type KnownRun = RunInfo & { readonly config: RunConfig };

/**
 * Groups runs by the settings in which they differ, except the seed, and gives mean and deviation of the
 * score and of other metrics over each group. A setting counts as differing if it does among runs of one
 * kind of experiment. Damaged runs are left out.
 *
 * @throws MisuseError for a metric that no run has.
 */
export function compareRuns(runs: readonly RunInfo[], options: CompareOptions = {}): Comparison {
  const known = runs.filter((run): run is KnownRun => run.config !== undefined);
  const metrics = options.metrics ?? [];
  checkMetrics(known, metrics);
  const settings = differingSettings(known);
  const groups = new Map<string, KnownRun[]>();
  for (const run of known) {
    const values = settings.map((name) => run.config.flags[name]);
    const key = options.groupOf?.(run) ?? JSON.stringify([run.config.run.experiment, values]);
    groups.set(key, [...(groups.get(key) ?? []), run]);
  }
  const compared = [...groups.values()].map((group) =>
    compareGroup(group, settings, metrics, options.largest),
  );
  return { settings, metrics, groups: sortGroups(compared) };
}

function compareGroup(
  group: readonly KnownRun[],
  settings: readonly string[],
  metrics: readonly string[],
  direction: boolean | undefined,
): ComparedGroup {
  const { flags, run } = group[0]!.config;
  const largest = direction ?? run.score.largest;
  const runs = group.map((member) => comparedRun(member, metrics));
  const finished = runs.filter(({ status }) => isFinished(status));
  return {
    experiment: run.experiment,
    settings: Object.fromEntries(settings.map((name) => [name, flags[name]])),
    scoreName: run.score.metric,
    largest,
    score: statisticsOf(finished.map(({ score }) => score)),
    metrics: Object.fromEntries(
      metrics.map((name) => [
        name,
        statisticsOf(finished.map((member) => member.metrics[name] ?? null)),
      ]),
    ),
    runs,
    finished: finished.length,
    best: bestOf(finished, largest),
  };
}

function comparedRun({ folder, status, config, summary }: KnownRun, metrics: readonly string[]) {
  return {
    folder,
    status,
    seed: config.run.seed,
    epochs: summary?.epochs_run ?? null,
    seconds: summary?.duration_seconds ?? null,
    score: summary?.score ?? null,
    metrics: Object.fromEntries(
      metrics.map((name) => [name, summary?.last_tracked_values[name]?.value ?? null]),
    ),
  };
}

function bestOf(runs: readonly ComparedRun[], largest: boolean): ComparedRun | undefined {
  const scored = runs.filter(({ score }) => score !== null);
  return scored.toSorted((a, b) => (largest ? b.score! - a.score! : a.score! - b.score!))[0];
}

function differingSettings(runs: readonly KnownRun[]): readonly string[] {
  const valuesOf = new Map<string, Map<string, Set<string>>>();
  for (const { config } of runs) {
    for (const [name, value] of Object.entries(config.flags)) {
      if (name === "random_seed" || !isSetting(name)) continue;
      const byKind = valuesOf.get(name) ?? new Map<string, Set<string>>();
      const values = byKind.get(config.run.experiment) ?? new Set<string>();
      values.add(JSON.stringify(value));
      byKind.set(config.run.experiment, values);
      valuesOf.set(name, byKind);
    }
  }
  return [...valuesOf]
    .filter(([, byKind]) => [...byKind.values()].some((values) => values.size > 1))
    .map(([name]) => name);
}

function checkMetrics(runs: readonly KnownRun[], metrics: readonly string[]): void {
  const known = new Set(
    runs.flatMap(({ config }) =>
      Object.values(config.run.metrics).flatMap((infos) => infos.map(({ name }) => name)),
    ),
  );
  for (const name of metrics) {
    if (known.has(name)) continue;
    const similar = nearest(name, [...known]);
    throw new MisuseError(
      `--metric: none of the runs has ${JSON.stringify(name)}${similar === undefined ? "" : `; did you mean ${similar}?`}`,
    );
  }
}

function sortGroups(groups: readonly ComparedGroup[]): readonly ComparedGroup[] {
  const kinds = [...new Set(groups.map(({ experiment }) => experiment))];
  return groups.toSorted((a, b) => {
    if (a.experiment !== b.experiment)
      return kinds.indexOf(a.experiment) - kinds.indexOf(b.experiment);
    if (a.score === undefined || b.score === undefined)
      return Number(a.score === undefined) - Number(b.score === undefined);
    return a.largest ? b.score.mean - a.score.mean : a.score.mean - b.score.mean;
  });
}
