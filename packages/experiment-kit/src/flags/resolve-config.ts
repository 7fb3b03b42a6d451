import type { z } from "zod";
import { MisuseError } from "../errors.ts";
import type { Experiment } from "../experiment.ts";
import { listFlags } from "./list-flags.ts";
import type { FlagInfo } from "./list-flags.ts";
import { parseFlags, unknownFlag } from "./parse-flags.ts";
import type { RawFlags } from "./parse-flags.ts";
import { sharedFlags } from "./shared-flags.ts";
import type { SharedFlags } from "./shared-flags.ts";

/** Flags after reading: complete, typed and checked. */
export interface ResolvedConfig<Config> {
  /** Every flag of the experiment with its value, defaults filled in. */
  readonly flags: Config & SharedFlags;
  /** One line each: flags that were accepted but have no effect, and why. */
  readonly notices: readonly string[];
}

/** All flags of an experiment: its own, then the shared ones (its own win where names are equal). */
export function experimentFlags(experiment: Experiment): readonly FlagInfo[] {
  return [...listFlags(experiment.flags), ...listFlags(sharedExcept(experiment))];
}

/**
 * Parses raw flags for an experiment and checks each flag and their combinations.
 *
 * @throws MisuseError one line that names the flag, what is wrong and what is allowed.
 */
export function resolveConfig<Config>(
  experiment: Experiment<Config>,
  raw: RawFlags,
): ResolvedConfig<Config> {
  const shared = sharedExcept(experiment);
  const own: Record<string, unknown> = {};
  const common: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(raw)) {
    const name = key.replaceAll("-", "_");
    if (name in experiment.flags.shape) own[name] = value;
    else if (name in shared.shape) common[name] = value;
    else
      throw unknownFlag(key, [
        ...Object.keys(experiment.flags.shape),
        ...Object.keys(shared.shape),
      ]);
  }
  const flags = {
    ...parseFlags(experiment.flags, own),
    ...parseFlags(shared, common),
  } as Config & SharedFlags;
  checkRunName(flags.experiment_name);
  return { flags, notices: notices(flags, raw) };
}

const sharedBeside = new WeakMap<z.ZodObject, typeof sharedFlags>();

/** The shared flags without those that the experiment has itself; made once for each experiment. */
function sharedExcept({ flags }: Experiment): typeof sharedFlags {
  const known = sharedBeside.get(flags);
  if (known !== undefined) return known;
  const mask = Object.fromEntries(
    Object.keys(sharedFlags.shape)
      .filter((name) => name in flags.shape)
      .map((name) => [name, true]),
  );
  const rest: typeof sharedFlags = sharedFlags.omit(mask as Record<never, never>);
  sharedBeside.set(flags, rest);
  return rest;
}

/**
 * Checks that a name can begin that of a run folder.
 *
 * @throws MisuseError naming the flag.
 */
export function checkRunName(name: string): void {
  const wrong = /[/\\:*?"<>|]|\p{Cc}/u.exec(name)?.[0];
  if (wrong !== undefined) {
    throw new MisuseError(
      `--experiment_name: must be usable as a folder name, without ${JSON.stringify(wrong)} (got ${JSON.stringify(name)})`,
    );
  }
  if (name.trim() === "" || name.startsWith(".")) {
    throw new MisuseError(
      `--experiment_name: must not be empty or start with a dot (got ${JSON.stringify(name)})`,
    );
  }
  if (Buffer.byteLength(name) > 200)
    throw new MisuseError("--experiment_name: must be at most 200 bytes long");
}

function notices(flags: SharedFlags, raw: RawFlags): readonly string[] {
  const given = new Set(
    Object.entries(raw)
      .filter(([, value]) => value !== undefined)
      .map(([key]) => key.replaceAll("-", "_")),
  );
  const lines: string[] = [];
  const wandb = [...given].filter((name) => name.includes("wandb"));
  if (flags.use_wandb || wandb.some((name) => name !== "use_wandb")) {
    lines.push(
      "--use_wandb: Weights & Biases is not supported by this version; the metrics are in the run folder's metrics.jsonl",
    );
  }
  if (flags.gpu_ids.length > 0)
    lines.push("--gpu_ids: has no effect; runs use the CPU, or the GPU of their --backend");
  for (const [switchName, dependents] of DEPENDENT_FLAGS) {
    if (flags[switchName]) continue;
    for (const name of dependents)
      if (given.has(name)) lines.push(`--${name}: has no effect without --${switchName}`);
  }
  return lines;
}

const DEPENDENT_FLAGS: readonly (readonly [keyof SharedFlags, readonly string[]])[] = [
  ["save_checkpoints", ["num_checkpoints", "save_checkpoints_by_score"]],
  ["score_metric_name", ["is_train_metric", "score_largest"]],
  [
    "early_stop",
    [
      "early_stop_min_delta",
      "early_stop_patience",
      "early_stop_cooldown",
      "early_stop_restore_best",
    ],
  ],
];
