import { join, resolve } from "node:path";
import { MisuseError } from "../errors.ts";
import type { Experiment } from "../experiment.ts";
import type { FlagInfo } from "../flags/list-flags.ts";
import type { RawFlags } from "../flags/parse-flags.ts";
import { unknownFlag } from "../flags/parse-flags.ts";
import { experimentFlags } from "../flags/resolve-config.ts";
import { cartesianProduct, refuseTooMany } from "./cartesian-product.ts";
import { flagAlternatives } from "./flag-alternatives.ts";
import type { TypedValue } from "./flag-alternatives.ts";
import { flagsBesideDefaults, isSetting, runFolderName, runIdentity } from "./sweep-task.ts";
import type { SweepTask } from "./sweep-task.ts";

/** Where the runs of a grid go. */
export interface GridOptions {
  /** Folder that the run folders are in. */
  readonly folder: string;
  /** Changes a value before it is used, for example makes a path absolute. */
  readonly adjust?: (name: string, value: unknown) => unknown;
}

/**
 * The runs of a grid: for every kind of experiment all combinations of the alternatives of its flags (the
 * last flag varies fastest). A flag counts for the kinds that have it. Without `random_seed` the seed is 0,
 * since a run whose seed is drawn could not be found again.
 *
 * @param typed values by flag name, as typed; see `flagAlternatives` for their form.
 * @throws MisuseError naming the flag.
 */
export function expandGrid(
  experiments: readonly Experiment[],
  typed: Readonly<Record<string, TypedValue>>,
  options: GridOptions,
): readonly SweepTask[] {
  const kinds = experiments.map(({ name }) => name);
  checkNames(experiments, typed);
  const tasks = new Map<string, SweepTask>();
  for (const experiment of experiments) {
    for (const task of tasksOfKind(experiment, kinds, typed, options))
      tasks.set(task.identity, task);
  }
  return [...tasks.values()];
}

function tasksOfKind(
  experiment: Experiment,
  kinds: readonly string[],
  typed: Readonly<Record<string, TypedValue>>,
  { folder, adjust = (_name, value) => value }: GridOptions,
): readonly SweepTask[] {
  const flags = new Map(experimentFlags(experiment).map((flag) => [flag.name, flag]));
  const alternatives = Object.entries(withSeedLast(typed)).flatMap(([name, value]) =>
    alternativesOf(flags.get(name), value, experiment.name, kinds),
  );
  const varied = alternatives.filter(([, values]) => values.length > 1).map(([name]) => name);
  const counts = alternatives.map(([, values]) => values.length);
  refuseTooMany(counts, varied.map((name) => `--${name}`).join(" × "));
  const named = varied.filter((name) => name !== "random_seed" && isSetting(name));
  return cartesianProduct(alternatives).map((point) => {
    const adjusted = Object.fromEntries(
      Object.entries(point).map(([name, value]) => [name, adjust(name, value)]),
    );
    const settings = flagsBesideDefaults(experiment, adjusted);
    checkSeed(settings);
    const identity = runIdentity(experiment.name, settings);
    const start = settings["experiment_name"] ?? experiment.name;
    const values = [...named, "random_seed"].map(
      (name) => [name, settings[name] ?? flags.get(name)?.default] as const,
    );
    return {
      folder: join(resolve(folder), runFolderName(String(start), values, identity)),
      experiment: experiment.name,
      identity,
      flags: { ...settings, outputs_dir: resolve(folder), experiment_name: String(start) },
    };
  });
}

/** The seed varies fastest, wherever it was typed: the runs of one setting come one after another. */
function withSeedLast(
  typed: Readonly<Record<string, TypedValue>>,
): Readonly<Record<string, TypedValue>> {
  const { random_seed: seed = "0", ...others } = typed;
  return { ...others, random_seed: seed };
}

function alternativesOf(
  flag: FlagInfo | undefined,
  value: TypedValue,
  kind: string,
  kinds: readonly string[],
): readonly (readonly [string, readonly unknown[]])[] {
  if (flag === undefined) return [];
  const values = flagAlternatives(flag, value, kind, kinds);
  return values === undefined ? [] : [[flag.name, values]];
}

function checkNames(
  experiments: readonly Experiment[],
  typed: Readonly<Record<string, TypedValue>>,
): void {
  const known = new Set(
    experiments.flatMap((experiment) => experimentFlags(experiment).map(({ name }) => name)),
  );
  for (const name of Object.keys(typed)) if (!known.has(name)) throw unknownFlag(name, [...known]);
}

/** @throws MisuseError for a seed that is drawn. */
export function checkSeed(flags: RawFlags): void {
  if (flags["random_seed"] === undefined || flags["random_seed"] === -1)
    throw new MisuseError(
      "--random_seed: must be at least 0 in a sweep, whose runs are found again by their settings (got -1)",
    );
}
