import { createRandom } from "@implicit-rank/random";
import { MisuseError, RunError } from "../errors.ts";
import type { Experiment, Provenance, Trainable } from "../experiment.ts";
import { resolveConfig } from "../flags/resolve-config.ts";
import type { SharedFlags } from "../flags/shared-flags.ts";
import type { RunConsole } from "../output/console.ts";
import type { RunLog } from "../output/run-log.ts";
import { listCheckpoints, newestGoodCheckpoint } from "../run-folder/checkpoint-store.ts";
import type { FoundCheckpoint } from "../run-folder/checkpoint-store.ts";
import { readRunConfig, writeRunConfig } from "../run-folder/config-file.ts";
import type { RunConfig } from "../run-folder/config-file.ts";
import { cutMetrics, metricsHash, metricsSize } from "../run-folder/cut-metrics.ts";
import { runPaths } from "../run-folder/files.ts";
import { lockRun } from "../run-folder/lock.ts";
import { removeLeftovers } from "../run-folder/remove-leftovers.ts";
import { readSummary, removeSummary } from "../run-folder/summary-file.ts";
import { openOutput } from "./open-output.ts";
import { resolveScore, trackMetrics } from "./resolve-metrics.ts";
import { addedCallbacks } from "./run-experiment.ts";
import type { RunOptions, RunResult } from "./run-options.ts";
import { restoreMetrics, runSession } from "./session.ts";
import { continueMetrics, loadStartingCheckpoint, restoreModel } from "./starting-checkpoint.ts";

/** How a run goes on. */
export interface ResumeOptions extends RunOptions {
  /** Train to this many epochs in all instead of those of the run; also extends a completed run. */
  readonly epochs?: number;
}

/**
 * Goes on with a run that was interrupted or killed, in its folder, from its last good checkpoint (from
 * the beginning if it has none): everything that training depends on is restored and metrics.jsonl is cut
 * back, so that the result has the same bits as that of an uninterrupted run.
 *
 * @param experiments all experiments that the run may be of.
 * @throws MisuseError if the folder is no run, or the run is finished; RunError if a file is damaged, the
 *   data set has changed, or another process is writing the run.
 */
export async function resumeRun(
  folder: string,
  experiments: readonly Experiment[],
  options: ResumeOptions = {},
): Promise<RunResult> {
  const config = await readRunConfig(folder);
  const { seed } = config.run;
  if (seed === null) {
    throw new MisuseError(
      `${folder}: the run was imported, and its seed is not known; start a new run with --trainer_checkpoint ${folder}`,
    );
  }
  const experiment = findExperiment(folder, config, experiments);
  const lock = await lockRun(folder);
  try {
    await refuseFinished(folder, options);
    await removeLeftovers(folder);
    const { flags } = resolveConfig(experiment, config.flags);
    const { console, log } = openOutput(flags, options);
    try {
      const seeded = {
        random: createRandom(seed),
        log: (line: string) => log.info(line),
      };
      const trainable = await experiment.prepare(flags, seeded);
      try {
        return await goOn({ folder, config, experiment, flags, trainable, log, console, options });
      } finally {
        await trainable.dispose?.();
      }
    } finally {
      log.close();
      console.close();
    }
  } finally {
    await lock.release();
  }
}

interface Resumption {
  readonly folder: string;
  readonly config: RunConfig;
  readonly experiment: Experiment;
  readonly flags: SharedFlags;
  readonly trainable: Trainable;
  readonly log: RunLog;
  readonly console: RunConsole;
  readonly options: ResumeOptions;
}

async function goOn(resumption: Resumption): Promise<RunResult> {
  const { folder, config, experiment, flags, trainable, log, console, options } = resumption;
  checkProvenance(folder, config, trainable.provenance ?? {}, log);
  const added = addedCallbacks(experiment, flags, trainable, folder, log, options);
  const metrics = trackMetrics(
    trainable,
    [...added.values()].flatMap((callback) => callback.metrics ?? []),
  );
  const score = resolveScore(experiment, flags, metrics);
  const found = await findCheckpoint(folder, config, log);
  const run = await extend(folder, config, found, options);
  const checkpoint = found?.checkpoint;
  if (checkpoint === undefined) {
    await beginAgain(resumption);
  } else {
    await restoreModel(trainable, checkpoint.model, found!.path);
    restoreMetrics(metrics, checkpoint.state);
    await cutMetrics(runPaths(folder).metrics, checkpoint.state.metricsBytes);
  }
  await removeSummary(folder);
  log.open(runPaths(folder).log);
  const firstEpoch = checkpoint === undefined ? run.first_epoch : checkpoint.state.epoch + 1;
  log.info(
    `Resuming ${folder} ${found === undefined ? "from the beginning: it has no checkpoint" : `from ${found.path}`}`,
  );
  return runSession({
    folder,
    record: run,
    flags,
    trainable,
    metrics,
    score,
    stops: experiment.stops?.(flags) ?? [],
    added,
    log,
    console,
    options,
    firstEpoch,
    lastEpoch: run.last_epoch,
    timesResumed: (checkpoint?.state.timesResumed ?? 0) + 1,
    ...(checkpoint === undefined ? {} : { resumed: checkpoint }),
  });
}

/** Puts a run without a checkpoint where it began: at nothing, or at the checkpoint it was started from. */
async function beginAgain({ folder, config, experiment, trainable }: Resumption): Promise<void> {
  const { started_from: origin } = config.run;
  const start =
    origin === undefined
      ? undefined
      : await loadStartingCheckpoint(origin.checkpoint, experiment, config.flags);
  if (start !== undefined && start.checkpoint.state.run !== origin?.run) {
    throw new RunError(
      `${start.path}: is not the checkpoint any more that ${folder} began from; start a new run with --trainer_checkpoint`,
    );
  }
  await cutMetrics(runPaths(folder).metrics, 0);
  if (start === undefined) return;
  await restoreModel(trainable, start.checkpoint.model, start.path);
  await continueMetrics(start, folder);
}

function findExperiment(
  folder: string,
  config: RunConfig,
  experiments: readonly Experiment[],
): Experiment {
  const experiment = experiments.find(({ name }) => name === config.run.experiment);
  if (experiment !== undefined) return experiment;
  const known = experiments.map(({ name }) => name).join(", ");
  throw new MisuseError(
    `${folder}: is a run of the experiment ${config.run.experiment}; known here are ${known}`,
  );
}

async function refuseFinished(folder: string, options: ResumeOptions): Promise<void> {
  const summary = await readSummary(folder);
  if (summary === undefined || summary.outcome === "interrupted" || summary.outcome === "failed")
    return;
  if (summary.outcome === "completed") {
    if (options.epochs !== undefined) return;
    throw new MisuseError(
      `${folder}: the run is complete; give --epochs with a larger total to train on`,
    );
  }
  throw new MisuseError(
    `${folder}: the run has ended: ${summary.stop_reason}; to train on, start a new run with --trainer_checkpoint ${folder}`,
  );
}

function checkProvenance(folder: string, config: RunConfig, now: Provenance, log: RunLog): void {
  const { dataset_hash: hash, backend, threads, versions } = config.run;
  if (hash !== undefined && now.datasetHash !== undefined && hash !== now.datasetHash) {
    throw new RunError(
      `${folder}: the data set has changed since the run began (SHA-256 ${hash.slice(0, 12)}…, now ${now.datasetHash.slice(0, 12)}…); restore it`,
    );
  }
  const changes = [
    ...(backend !== now.backend ? [`backend ${backend ?? "?"} → ${now.backend ?? "?"}`] : []),
    ...(threads !== now.threads ? [`threads ${threads ?? "?"} → ${now.threads ?? "?"}`] : []),
    ...Object.entries({ node: process.versions.node, ...now.versions })
      .filter(([name, version]) => versions[name] !== version)
      .map(([name, version]) => `${name} ${versions[name] ?? "?"} → ${version}`),
  ];
  if (changes.length > 0)
    log.warning(
      `Results may differ in the last bits from an uninterrupted run: ${changes.join(", ")}`,
    );
}

async function findCheckpoint(
  folder: string,
  config: RunConfig,
  log: RunLog,
): Promise<FoundCheckpoint | undefined> {
  const paths = runPaths(folder);
  const bytes = await metricsSize(paths.metrics);
  const { found, rejected } = await newestGoodCheckpoint(paths.checkpoints, async ({ state }) => {
    if (state.experiment !== config.run.experiment || state.run !== config.run.id)
      return "belongs to another run";
    if (state.metricsBytes > bytes)
      return `metrics.jsonl is shorter (${bytes} bytes) than when it was written (${state.metricsBytes})`;
    const { metricsBytes, metricsSha256: hash } = state;
    if (hash !== undefined && hash !== (await metricsHash(paths.metrics, metricsBytes)))
      return "metrics.jsonl was damaged or edited since it was written";
    return undefined;
  });
  for (const complaint of rejected) log.warning(`Passing over a checkpoint: ${complaint}`);
  if (found === undefined && rejected.length > 0) {
    throw new RunError(
      `${paths.checkpoints}: no checkpoint can be used: ${rejected[0]!}; start the run anew`,
    );
  }
  return found;
}

/** The record with another total of epochs, if one was asked for. */
async function extend(
  folder: string,
  config: RunConfig,
  found: FoundCheckpoint | undefined,
  options: ResumeOptions,
): Promise<RunConfig["run"]> {
  const { run, flags } = config;
  if (options.epochs === undefined) return run;
  const done = (found?.checkpoint.state.epoch ?? run.first_epoch - 1) - run.first_epoch + 1;
  const isComplete = (await readSummary(folder))?.outcome === "completed";
  if (isComplete && (await listCheckpoints(runPaths(folder).checkpoints)).length === 0) {
    throw new MisuseError(
      `${folder}: the run is complete and has no checkpoint to go on from; run it anew with --save_checkpoints and --epochs ${options.epochs}`,
    );
  }
  if (!Number.isInteger(options.epochs) || options.epochs <= done) {
    throw new MisuseError(
      `--epochs: must be more than the ${done} epochs that the run has done (got ${options.epochs})`,
    );
  }
  const extended = { ...run, last_epoch: run.first_epoch + options.epochs - 1 };
  await writeRunConfig(folder, { flags: { ...flags, epochs: options.epochs }, run: extended });
  return extended;
}
