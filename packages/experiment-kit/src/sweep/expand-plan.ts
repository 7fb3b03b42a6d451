import { isAbsolute, join, resolve } from "node:path";
import { isUserError, MisuseError } from "../errors.ts";
import type { Experiment } from "../experiment.ts";
import type { RawFlags } from "../flags/parse-flags.ts";
import { resolveConfig } from "../flags/resolve-config.ts";
import { cartesianProduct, refuseTooMany } from "./cartesian-product.ts";
import { jsonPath } from "./plan-file.ts";
import type { Plan } from "./plan-file.ts";
import { flagsBesideDefaults, runFolderName, runIdentity } from "./sweep-task.ts";
import type { SweepTask } from "./sweep-task.ts";

/** What a plan does not say itself. */
export interface ExpandPlanOptions {
  /** Name of the plan's file, for messages. */
  readonly source: string;
  /** The kind of experiment where the plan names none. */
  readonly experiment?: string;
  /** Changes a value before it is used, for example makes a path absolute. */
  readonly adjust?: (name: string, value: unknown) => unknown;
}

interface Expanded {
  readonly experiment: Experiment;
  readonly raw: RawFlags;
  /** Where a value stands in the plan. */
  readonly pathOf: (name: string) => readonly PropertyKey[];
}

/**
 * The runs of a plan: for each configuration the Cartesian product of its options over its base_config,
 * without the first `skip`, each with `repetitions` seeds: its own seed (0 if it has none), then further
 * ones, apart by more than the range of the seeds in the plan, so that no two runs are alike.
 *
 * @throws MisuseError naming the file and the JSON path of the wrong field.
 */
export function expandPlan(
  plan: Plan,
  experiments: readonly Experiment[],
  options: ExpandPlanOptions,
): readonly SweepTask[] {
  const expanded = plan.configurations
    .flatMap((_, index) => expandConfiguration(plan, index, experiments, options))
    .slice(plan.skip);
  if (expanded.length === 0)
    throw new MisuseError(
      `${options.source}: skip: leaves no configuration of the plan (got ${plan.skip})`,
    );
  refuseTooMany([expanded.length, plan.repetitions], `${options.source}: repetitions`);
  const resolved = expanded.map((item) => ({ ...item, flags: resolveFlags(item, options) }));
  const seeds = resolved.map(({ flags }) => seedOf(flags));
  const stride = Math.max(...seeds) - Math.min(...seeds) + 1;
  const tasks: SweepTask[] = [];
  resolved.forEach((item, configuration) => {
    for (let repetition = 0; repetition < plan.repetitions; repetition++) {
      const seed = seedOf(item.flags) + repetition * stride;
      const gpu = plan.gpu_ids_pool[tasks.length % Math.max(1, plan.gpu_ids_pool.length)];
      tasks.push(planTask(item, { configuration, seed, gpu }, options));
    }
  });
  return tasks;
}

function expandConfiguration(
  plan: Plan,
  index: number,
  experiments: readonly Experiment[],
  options: ExpandPlanOptions,
): readonly Expanded[] {
  const { base_config: base, options: alternatives, ...own } = plan.configurations[index]!;
  const name = own.experiment ?? plan.experiment ?? options.experiment;
  const known = experiments.map((experiment) => experiment.name).join(", ");
  const place = own.experiment === undefined ? "experiment" : `configurations[${index}].experiment`;
  if (name === undefined)
    throw new MisuseError(
      `${options.source}: experiment: is required; name one of ${known} there or with --experiment`,
    );
  const experiment = experiments.find((candidate) => candidate.name === name);
  if (experiment === undefined)
    throw new MisuseError(
      `${options.source}: ${place}: must be one of ${known} (got ${JSON.stringify(name)})`,
    );
  const positions = Object.entries(alternatives).map(
    ([key, values]) => [key, values.map((_, position) => position)] as const,
  );
  const counts = positions.map(([, values]) => values.length);
  refuseTooMany(counts, `${options.source}: configurations[${index}].options`);
  return cartesianProduct(positions).map((point) => {
    const chosen = Object.entries(point).map(
      ([key, position]) => [key, alternatives[key]![Number(position)]] as const,
    );
    return {
      experiment,
      raw: { ...base, ...Object.fromEntries(chosen) },
      pathOf: (key) =>
        key in point
          ? ["configurations", index, "options", key, Number(point[key])]
          : ["configurations", index, "base_config", key],
    };
  });
}

/** @inline */
type Flags = Readonly<Record<string, unknown>>;

function resolveFlags({ experiment, raw, pathOf }: Expanded, options: ExpandPlanOptions): Flags {
  // The templates of these two hold characters that the filled-in names do not.
  const { experiment_name: name, outputs_dir: folder, ...others } = raw;
  const flags = withJsonPath(options.source, pathOf, () => {
    const adjusted = Object.entries(others).map(
      ([key, value]) => [key, options.adjust?.(key, value) ?? value] as const,
    );
    return resolveConfig(experiment, Object.fromEntries(adjusted)).flags as unknown as Flags;
  });
  const fill = (key: string, template: unknown, otherwise: string): string => {
    const place = `${options.source}: ${jsonPath(pathOf(key))}`;
    if (template !== undefined && typeof template !== "string")
      throw new MisuseError(`${place}: must be a text (got ${JSON.stringify(template)})`);
    return fillTemplate(
      template ?? otherwise,
      { ...flags, experiment: experiment.name, random_seed: seedOf(flags) },
      place,
    );
  };
  return {
    ...flags,
    experiment_name: fill("experiment_name", name, experiment.name),
    outputs_dir: fill("outputs_dir", folder, "outputs/exps"),
  };
}

/**
 * Replaces each `{field}` by the value of that flag, as a part of a file name: `.`, `,` and slashes become
 * `-`, brackets and blanks go. Everything outside the braces stays as it is.
 */
export function fillTemplate(template: string, flags: Flags, place: string): string {
  return template.replace(/\{([^{}]*)\}/g, (_whole, field: string) => {
    if (!Object.hasOwn(flags, field))
      throw new MisuseError(`${place}: {${field}}: there is no such field`);
    const value = flags[field];
    const text = Array.isArray(value) ? value.join(",") : String(value ?? "");
    return text.replace(/[.,/\\]/g, "-").replace(/[[\]\s]/g, "");
  });
}

/** Errors about a flag become errors about the place in the plan that its value comes from. */
function withJsonPath<Result>(
  source: string,
  pathOf: Expanded["pathOf"],
  action: () => Result,
): Result {
  try {
    return action();
  } catch (error) {
    const [, name, rest] =
      (isUserError(error) ? /^--(\w+): ([^]*)$/.exec(error.message) : undefined) ?? [];
    if (name === undefined || rest === undefined) throw error;
    throw new MisuseError(`${source}: ${jsonPath(pathOf(name))}: ${rest}`, { cause: error });
  }
}

function seedOf(flags: Flags): number {
  return Math.max(0, Number(flags["random_seed"] ?? 0));
}

function planTask(
  { experiment, flags }: Expanded & { readonly flags: Flags },
  run: {
    readonly configuration: number;
    readonly seed: number;
    readonly gpu: number | undefined;
  },
  options: ExpandPlanOptions,
): SweepTask {
  const name = String(flags["experiment_name"]);
  const outputs = resolve(String(flags["outputs_dir"]));
  const gpu = run.gpu === undefined ? {} : { gpu_ids: [run.gpu] };
  const raw = { ...flags, random_seed: run.seed, outputs_dir: outputs, ...gpu };
  const settings = withJsonPath(
    options.source,
    () => ["experiment_name"],
    () => flagsBesideDefaults(experiment, raw),
  );
  const identity = runIdentity(experiment.name, settings);
  const folder = join(outputs, runFolderName(name, [["random_seed", run.seed]], identity));
  return {
    folder: isAbsolute(folder) ? folder : resolve(folder),
    experiment: experiment.name,
    identity,
    flags: settings,
    configuration: run.configuration,
  };
}
