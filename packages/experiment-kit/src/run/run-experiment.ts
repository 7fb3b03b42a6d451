import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import { createRandom, randomSeed } from "@implicit-rank/random";
import { RunError } from "../errors.ts";
import type { Experiment, Trainable } from "../experiment.ts";
import type { Callback } from "../fit/callback.ts";
import type { RawFlags } from "../flags/parse-flags.ts";
import { resolveConfig } from "../flags/resolve-config.ts";
import type { SharedFlags } from "../flags/shared-flags.ts";
import type { RunConsole } from "../output/console.ts";
import type { RunLog } from "../output/run-log.ts";
import {
  hasRunConfig,
  RUN_FORMAT,
  RUN_VERSION,
  writeRunConfig,
} from "../run-folder/config-file.ts";
import type { RunRecord } from "../run-folder/config-file.ts";
import { checkOutputsDir, createRunFolder, makeFolder } from "../run-folder/create-run-folder.ts";
import { runPaths } from "../run-folder/files.ts";
import { lockRun } from "../run-folder/lock.ts";
import type { RunLock } from "../run-folder/lock.ts";
import { openOutput } from "./open-output.ts";
import { resolveScore, trackMetrics } from "./resolve-metrics.ts";
import type { RunOptions, RunResult } from "./run-options.ts";
import { runSession } from "./session.ts";
import type { Session } from "./session.ts";
import { continueMetrics, loadStartingCheckpoint, restoreModel } from "./starting-checkpoint.ts";
import type { StartingCheckpoint } from "./starting-checkpoint.ts";
import { environment } from "./versions.ts";

/**
 * Runs an experiment in a new run folder: parses and checks the flags, prepares the experiment, trains it
 * and writes the folder as docs/runs.md describes it. All checks come before the folder is made.
 *
 * @param rawFlags values by flag name (snake_case or kebab-case), texts or typed; missing ones take their
 *   defaults.
 * @returns how it ended; `exitCode` is what a command should exit with.
 * @throws MisuseError for wrong flags; RunError, or whatever the experiment threw, if training failed.
 */
export async function runExperiment<Config>(
  experiment: Experiment<Config>,
  rawFlags: RawFlags,
  options: RunOptions = {},
): Promise<RunResult> {
  const { flags, notices } = resolveConfig(experiment, rawFlags);
  const { console, log } = openOutput(flags, options);
  try {
    await checkOutputsDir(flags.outputs_dir);
    const start =
      flags.trainer_checkpoint === ""
        ? undefined
        : await loadStartingCheckpoint(flags.trainer_checkpoint, experiment as Experiment, flags);
    for (const notice of [...notices, ...(start?.notices ?? [])]) log.warning(notice);
    const seed = flags.random_seed === -1 ? randomSeed() : flags.random_seed;
    const trainable = await experiment.prepare(flags, {
      random: createRandom(seed),
      log: (line) => log.info(line),
    });
    try {
      if (start !== undefined) await restoreModel(trainable, start.checkpoint.model, start.path);
      return await runInNewFolder({
        experiment,
        flags,
        seed,
        trainable,
        start,
        log,
        console,
        options,
      });
    } finally {
      await trainable.dispose?.();
    }
  } finally {
    log.close();
    console.close();
  }
}

interface NewRun<Config> {
  readonly experiment: Experiment<Config>;
  readonly flags: Config & SharedFlags;
  readonly seed: number;
  readonly trainable: Trainable;
  readonly start: StartingCheckpoint | undefined;
  readonly log: RunLog;
  readonly console: RunConsole;
  readonly options: RunOptions;
}

async function runInNewFolder<Config>(run: NewRun<Config>): Promise<RunResult> {
  const { flags, start, log, options } = run;
  const created = new Date();
  const { folder, lock } = await claimFolder(run, created);
  try {
    const removal = options.folder === undefined ? folder : undefined;
    const session = await removeOnFailure(removal, async () => {
      const prepared = prepareSession(run, folder, created);
      if (start !== undefined) await continueMetrics(start, folder);
      const stored = { ...flags, ...run.trainable.settledFlags, random_seed: run.seed };
      await writeRunConfig(folder, { flags: stored, run: prepared.record });
      log.open(runPaths(folder).log);
      return prepared;
    });
    logStart(session);
    return await runSession(session);
  } finally {
    await lock.release();
  }
}

/** A new folder named by time, or the one that was asked for, which may hold what is left of a start. */
async function claimFolder<Config>(
  { flags, options }: NewRun<Config>,
  created: Date,
): Promise<{ readonly folder: string; readonly lock: RunLock }> {
  if (options.folder === undefined) {
    const folder = await createRunFolder(flags.outputs_dir, flags.experiment_name, created);
    return { folder, lock: await removeOnFailure(folder, () => lockRun(folder)) };
  }
  const { folder } = options;
  await makeFolder(folder);
  const lock = await lockRun(folder);
  if (!(await hasRunConfig(folder))) return { folder, lock };
  await lock.release();
  throw new RunError(`${folder}: holds a run already; resume it or choose another folder`);
}

/** A new folder without a config is no run: it must not stay behind. */
async function removeOnFailure<Result>(
  folder: string | undefined,
  action: () => Promise<Result>,
): Promise<Result> {
  try {
    return await action();
  } catch (error) {
    if (folder !== undefined) await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

function prepareSession<Config>(run: NewRun<Config>, folder: string, created: Date): Session {
  const { experiment, flags, seed, trainable, start, log, console, options } = run;
  const added = addedCallbacks(experiment, flags, trainable, folder, log, options);
  const metrics = trackMetrics(
    trainable,
    [...added.values()].flatMap((callback) => callback.metrics ?? []),
  );
  const score = resolveScore(experiment as Experiment, flags, metrics);
  const firstEpoch = (start?.checkpoint.state.epoch ?? -1) + 1;
  const lastEpoch = firstEpoch + flags.epochs - 1;
  const { versions, ...machine } = environment();
  const provenance = trainable.provenance ?? {};
  const record: RunRecord = {
    format: RUN_FORMAT,
    version: RUN_VERSION,
    id: randomUUID(),
    experiment: experiment.name,
    created: created.toISOString(),
    seed,
    score: { metric: score.metric.name, source: score.metric.source, largest: score.largest },
    metrics: {
      train: [...metrics.train.infos],
      validation: [...metrics.validation.infos],
      extra: [...metrics.extra.infos],
    },
    first_epoch: firstEpoch,
    last_epoch: lastEpoch,
    num_model_parameters: trainable.numParameters,
    metadata: { ...trainable.metadata },
    ...(provenance.backend === undefined ? {} : { backend: provenance.backend }),
    ...(provenance.threads === undefined ? {} : { threads: provenance.threads }),
    ...(provenance.datasetHash === undefined ? {} : { dataset_hash: provenance.datasetHash }),
    versions: { ...versions, ...provenance.versions },
    ...machine,
    ...(start === undefined
      ? {}
      : {
          started_from: {
            checkpoint: start.path,
            epoch: start.checkpoint.state.epoch,
            run: start.checkpoint.state.run,
          },
        }),
  };
  const stops = experiment.stops?.(flags) ?? [];
  return {
    folder,
    record,
    flags,
    trainable,
    metrics,
    score,
    stops,
    added,
    log,
    console,
    options,
    firstEpoch,
    lastEpoch,
    timesResumed: 0,
  };
}

/** The callbacks that the experiment and the caller add, by name. */
export function addedCallbacks<Config>(
  experiment: Experiment<Config>,
  flags: Config & SharedFlags,
  trainable: Trainable,
  folder: string,
  log: RunLog,
  options: RunOptions,
): ReadonlyMap<string, Callback> {
  const files = { folder, log: (line: string) => log.info(line) };
  return new Map([
    ...Object.entries(experiment.callbacks?.(flags, trainable, files) ?? {}),
    ...Object.entries(options.callbacks?.(flags, trainable) ?? {}),
  ]);
}

function logStart({ log, folder, flags, trainable, record }: Session): void {
  log.info(`Run folder: ${folder}`);
  const stored = { ...flags, ...trainable.settledFlags, random_seed: record.seed };
  log.detail(`Config: ${JSON.stringify(stored, null, 2)}`);
  const metadata = { "num model parameters": trainable.numParameters, ...trainable.metadata };
  log.detail(`Additional Metadata: ${JSON.stringify(metadata, null, 2)}`);
}
