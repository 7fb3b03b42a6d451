import { createRandom } from "@implicit-rank/random";
import { z } from "zod";
import { isUserError, MisuseError, RunError } from "../errors.ts";
import type { Experiment, MetricInfo, TorchConversion, Trainable } from "../experiment.ts";
import { listFlags } from "../flags/list-flags.ts";
import type { RawFlags } from "../flags/parse-flags.ts";
import { parseFlags } from "../flags/parse-flags.ts";
import { checkRunName, experimentFlags, resolveConfig } from "../flags/resolve-config.ts";
import { sharedFlags } from "../flags/shared-flags.ts";
import { METRIC_SOURCES } from "../fit/metric-values.ts";
import { restoreModel } from "../run/starting-checkpoint.ts";
import { compareStored } from "./compare-stored.ts";
import type { ComparedValue } from "./compare-stored.ts";
import { findScriptRun } from "./script-run.ts";
import { readTorchCheckpoint } from "./torch-checkpoint.ts";
import type { TorchCheckpoint } from "./torch-checkpoint.ts";
import { writeImportedRun } from "./write-imported-run.ts";

/** Where an imported run goes, and how strict the import is. */
export interface TorchImportOptions {
  /** Where the run folder is made; default `outputs/exps`. */
  readonly outputsDir?: string;
  /** Prefix of its name; default that of the scripts' config.json, else `exp`. */
  readonly experimentName?: string;
  /** Import although values that are computed anew differ from the stored ones. */
  readonly force?: boolean;
  /** Takes a line of progress. */
  readonly log?: (line: string) => void;
}

/** A run folder that was made from a checkpoint of the PyTorch scripts. */
export interface ImportedRun {
  readonly folder: string;
  readonly experiment: string;
  readonly epoch: number;
  /** Flags that are known, by name. */
  readonly flags: RawFlags;
  /** Flags of the scripts that are not. */
  readonly unknown: readonly string[];
  /** Names of the recorded metrics. */
  readonly metrics: readonly string[];
  readonly numParameters: number;
  /** The metrics that were computed anew from parameters and data; undefined if no data set was given. */
  readonly compared: readonly ComparedValue[] | undefined;
}

/**
 * Makes a run folder of a checkpoint of the PyTorch scripts: metric histories, parameters and optimizer state, and
 * the flags that it, the scripts' config.json beside it and the caller tell. If they name a data set, the
 * validation metrics are computed anew and compared with what the checkpoint stores.
 *
 * @param path the checkpoint (.ckpt, .pt, .pth) or a run folder of the scripts
 * @param rawFlags flags of the run that are known, as for `runExperiment`; they go before all others
 * @throws MisuseError for wrong flags; RunError (or an error of the experiment) if the checkpoint is damaged,
 *   is of none of the experiments, or its values differ from those computed
 */
export async function importTorchRun(
  path: string,
  experiments: readonly Experiment[],
  rawFlags: RawFlags = {},
  options: TorchImportOptions = {},
): Promise<ImportedRun> {
  const { log = () => undefined } = options;
  const script = await findScriptRun(path);
  const checkpoint = await readTorchCheckpoint(script.checkpoint);
  const experiment = recognize(checkpoint, experiments);
  const given = parsedFlags(experiment, rawFlags);
  const written = flagsOfScript(experiment, script.flags ?? {});
  const known = { ...written, ...given };
  const conversion = experiment.torch!.convert(checkpoint, known);
  refuseContradiction(checkpoint, given, conversion);
  const flags = {
    ...known,
    ...conversion.flags,
    ...cadence(checkpoint),
    save_checkpoints: true,
    outputs_dir: options.outputsDir ?? "outputs/exps",
    experiment_name: options.experimentName ?? String(known["experiment_name"] ?? "exp"),
  };
  checkRunName(flags.experiment_name);
  const measured = await measure(experiment, flags, checkpoint, conversion, given, log);
  const compared = measured?.compared;
  if (options.force !== true) refuseDifference(checkpoint, compared ?? []);
  const unknown = conversion.untold.filter((name) => !(name in flags));
  const folder = await writeImportedRun({
    experiment,
    checkpoint,
    conversion,
    script,
    flags,
    unknown,
    measured,
  });
  return {
    folder,
    experiment: experiment.name,
    epoch: checkpoint.epoch,
    flags,
    unknown,
    metrics: METRIC_SOURCES.flatMap((source) => checkpoint.metrics[source].map(({ name }) => name)),
    numParameters: conversion.numParameters,
    compared,
  };
}

function recognize(checkpoint: TorchCheckpoint, experiments: readonly Experiment[]): Experiment {
  const experiment = experiments.find(({ torch }) => torch?.recognizes(checkpoint.model));
  if (experiment !== undefined) return experiment;
  const names = [...checkpoint.model.keys()];
  throw new RunError(
    `${checkpoint.path}: model: has the parameters ${names.slice(0, 3).join(", ")} …, which are of none of the models here; give a checkpoint that the training scripts wrote`,
  );
}

/** The flags that are given, parsed one by one, without defaults. */
function parsedFlags(experiment: Experiment, raw: RawFlags): RawFlags {
  const parsed: Record<string, unknown> = {};
  for (const [key, value] of Object.entries(raw)) {
    if (value === undefined) continue;
    const name = key.replaceAll("-", "_");
    const field = experiment.flags.shape[name] ?? (sharedFlags.shape as z.ZodRawShape)[name];
    if (field === undefined) {
      throw new MisuseError(
        `--${name}: the checkpoint is of an experiment ${experiment.name}, which has no such flag; leave it out`,
      );
    }
    parsed[name] = parseFlags(z.object({ [name]: field }), { [name]: value })[name];
  }
  return parsed;
}

/** The flags in the scripts' config.json that have a meaning here and a value that is possible here. */
function flagsOfScript(experiment: Experiment, script: RawFlags): RawFlags {
  const flags: Record<string, unknown> = {};
  const names = new Set(experimentFlags(experiment).map(({ name }) => name));
  for (const [name, value] of Object.entries(script)) {
    if (!names.has(name) || value === null) continue;
    // The scripts hold groups as lists of lists, and -1 is the seed of an unseeded run.
    const groups = Array.isArray(value) && value.every((item) => Array.isArray(item));
    const ours = groups ? value.map((group: readonly unknown[]) => group.join(" ")) : value;
    try {
      Object.assign(flags, parsedFlags(experiment, { [name]: ours }));
    } catch (error) {
      if (!(error instanceof MisuseError)) throw error;
    }
  }
  const { random_seed: seed, trainer_checkpoint: _, score_largest: largest, ...rest } = flags;
  return {
    ...rest,
    ...(typeof seed === "number" && seed >= 0 ? { random_seed: seed } : {}),
    // The scripts' direction is that of the score that is named, if one is.
    ...(rest["score_metric_name"] === "" ? {} : { score_largest: largest }),
  };
}

function refuseContradiction(
  { path }: TorchCheckpoint,
  given: RawFlags,
  conversion: TorchConversion,
): void {
  for (const [name, value] of Object.entries(conversion.flags)) {
    if (!(name in given) || JSON.stringify(given[name]) === JSON.stringify(value)) continue;
    throw new MisuseError(
      `--${name}: is ${String(value)} in ${path} (got ${String(given[name])}); leave the flag out`,
    );
  }
}

/** Epochs of the run, and how often it validated where its history tells. */
function cadence({ epoch, metrics }: TorchCheckpoint): RawFlags {
  const epochs = metrics.validation.find((metric) => metric.epochs.length > 1)?.epochs;
  const first = epochs?.[0] ?? 0;
  const isRegular = epochs !== undefined && epochs[1] === 2 * first + 1;
  return { epochs: epoch + 1, ...(isRegular ? { validate_every: first + 1 } : {}) };
}

/** What the experiment says once it has the data. */
export interface Measured {
  readonly trainable: Pick<Trainable, "metadata" | "provenance" | "numParameters">;
  readonly saved: Awaited<ReturnType<Trainable["save"]>>;
  readonly infos: readonly MetricInfo[];
  readonly compared: readonly ComparedValue[];
}

/** Loads the data, puts the parameters into the model and validates it; undefined without a data set. */
async function measure(
  experiment: Experiment,
  flags: RawFlags,
  checkpoint: TorchCheckpoint,
  conversion: TorchConversion,
  given: RawFlags,
  log: (line: string) => void,
): Promise<Measured | undefined> {
  const required = listFlags(experiment.flags).filter((flag) => flag.required);
  const missing = required.find(({ name }) => !(name in flags));
  if (missing !== undefined) return undefined;
  const isGiven = required.every(({ name }) => name in given);
  const config = resolveConfig(experiment, flags).flags;
  const seed = config.random_seed === -1 ? 0 : config.random_seed;
  const trainable = await experiment
    .prepare(config, { random: createRandom(seed), log: () => undefined })
    .catch((error: unknown) => {
      // The path in the scripts' config.json may be of another machine.
      if (isGiven || !isUserError(error)) throw error;
      log(`The values are not checked: ${error.message}`);
      return undefined;
    });
  if (trainable === undefined) return undefined;
  try {
    await restoreModel(trainable, conversion.saved, checkpoint.path);
    const values = new Float64Array(trainable.validationMetrics.length);
    await trainable.validate(values, () => undefined);
    const { metadata, provenance, numParameters, trainMetrics, validationMetrics } = trainable;
    return {
      trainable: { metadata, numParameters, ...(provenance === undefined ? {} : { provenance }) },
      saved: await trainable.save(),
      infos: [...trainMetrics, ...validationMetrics],
      compared: compareStored(checkpoint, validationMetrics, values, conversion),
    };
  } finally {
    await trainable.dispose?.();
  }
}

function refuseDifference({ path }: TorchCheckpoint, compared: readonly ComparedValue[]): void {
  const wrong = compared.find(({ verdict }) => verdict === "different");
  if (wrong === undefined) return;
  throw new RunError(
    `${path}: ${wrong.name} is stored as ${wrong.stored}, but ${wrong.computed} is computed from the parameters and this data set; give the data set and the numbers of samples of the run, or --force to import it as it is`,
  );
}
