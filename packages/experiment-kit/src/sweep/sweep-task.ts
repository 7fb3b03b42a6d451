import { createHash } from "node:crypto";
import { basename } from "node:path";
import type { Experiment } from "../experiment.ts";
import type { RawFlags } from "../flags/parse-flags.ts";
import { experimentFlags, resolveConfig } from "../flags/resolve-config.ts";

/** One run of a sweep or plan: what to run and the folder that it has. */
export interface SweepTask {
  /** Absolute path of its run folder. */
  readonly folder: string;
  readonly experiment: string;
  /** Equal for runs that compute the same. */
  readonly identity: string;
  /** The flags that are not the experiment's defaults. */
  readonly flags: RawFlags;
  /** Number of its configuration in a plan. */
  readonly configuration?: number;
}

/** Flags that say where a run is put and what it prints, not what it computes. */
const PRESENTATION_FLAGS: ReadonlySet<string> = new Set([
  "experiment_name",
  "outputs_dir",
  "disable_console_log",
  "save_logs",
  "gpu_ids",
  "use_test_dataset",
  "use_wandb",
  "wandb_project_name",
  "wandb_entity_name",
  "wandb_resume_path",
  "wandb_track_model",
  "wandb_exclude_files",
]);

/** Whether a flag has an influence on what a run computes. */
export function isSetting(name: string): boolean {
  return !PRESENTATION_FLAGS.has(name);
}

/**
 * The parsed flags that are not the defaults of the experiment, in the order of its flags.
 *
 * @throws MisuseError naming the first wrong flag.
 */
export function flagsBesideDefaults(experiment: Experiment, raw: RawFlags): RawFlags {
  const flags = resolveConfig(experiment, raw).flags as Readonly<Record<string, unknown>>;
  const defaults = new Map(experimentFlags(experiment).map((flag) => [flag.name, flag.default]));
  return Object.fromEntries(
    Object.entries(flags).filter(
      ([name, value]) =>
        value !== undefined && JSON.stringify(value) !== JSON.stringify(defaults.get(name)),
    ),
  );
}

/**
 * A short name of what a run computes: a hash of its kind and of its settings that are not defaults, so
 * that it stays the same when later versions add flags.
 */
export function runIdentity(experiment: string, besideDefaults: RawFlags): string {
  const settings = Object.entries(besideDefaults)
    .filter(([name]) => isSetting(name))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256")
    .update(JSON.stringify([experiment, settings]))
    .digest("hex")
    .slice(0, 10);
}

const LONGEST_NAME = 120;

/**
 * The name of a run folder: what it is, its values of the flags that vary, and its identity, for example
 * `mf_lr=0.01_seed=3_5f1c0e99ab`.
 */
export function runFolderName(
  start: string,
  varied: readonly (readonly [name: string, value: unknown])[],
  identity: string,
): string {
  const parts = varied.map(
    ([name, value]) => `${name === "random_seed" ? "seed" : name}=${nameOfValue(value)}`,
  );
  return `${[start, ...parts].join("_").slice(0, LONGEST_NAME)}_${identity}`;
}

/** A value as a part of a file name. */
function nameOfValue(value: unknown): string {
  if (Array.isArray(value)) return value.map(nameOfValue).join("-") || "none";
  return basename(String(value))
    .replace(/[^\w.+-]+/g, "-")
    .slice(0, 40);
}
