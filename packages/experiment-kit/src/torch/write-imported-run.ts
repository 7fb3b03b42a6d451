import { randomUUID } from "node:crypto";
import { rm } from "node:fs/promises";
import type { Experiment, TorchConversion } from "../experiment.ts";
import { findMetric } from "../fit/metric-values.ts";
import type { MetricReference, TrackedMetrics } from "../fit/metric-values.ts";
import type { RawFlags } from "../flags/parse-flags.ts";
import { finiteOrNull } from "../json.ts";
import { storeCheckpoint } from "../run-folder/checkpoint-store.ts";
import { RUN_FORMAT, RUN_VERSION, writeRunConfig } from "../run-folder/config-file.ts";
import type { RunRecord } from "../run-folder/config-file.ts";
import { checkOutputsDir, createRunFolder } from "../run-folder/create-run-folder.ts";
import { runPaths } from "../run-folder/files.ts";
import { lockRun } from "../run-folder/lock.ts";
import type { RunSummary } from "../run-folder/summary-file.ts";
import { writeSummary } from "../run-folder/summary-file.ts";
import { lastValues } from "../run/summarize.ts";
import { kitVersion } from "../run/versions.ts";
import { lastMetrics, writeHistory } from "./history-metrics.ts";
import type { Measured } from "./import-run.ts";
import type { ScriptRun } from "./script-run.ts";
import type { TorchCheckpoint } from "./torch-checkpoint.ts";
import { asOurCheckpoint } from "./as-our-checkpoint.ts";

export interface ImportedParts {
  readonly experiment: Experiment;
  readonly checkpoint: TorchCheckpoint;
  readonly conversion: TorchConversion;
  readonly script: ScriptRun;
  readonly flags: RawFlags & { readonly outputs_dir: string; readonly experiment_name: string };
  /** Flags that are not known. */
  readonly unknown: readonly string[];
  readonly measured: Measured | undefined;
}

/**
 * Writes the run folder of an imported checkpoint; config.json, without which a folder is no run, comes last.
 *
 * @returns the folder.
 * @throws MisuseError or RunError if it cannot be written; nothing of it is left then.
 */
export async function writeImportedRun(parts: ImportedParts): Promise<string> {
  const { experiment, checkpoint, conversion, script, flags, measured } = parts;
  const { outputs_dir: outputsDir, experiment_name: name } = flags;
  await checkOutputsDir(outputsDir);
  const folder = await createRunFolder(outputsDir, name, script.created);
  try {
    const lock = await lockRun(folder);
    try {
      const metrics = lastMetrics(checkpoint, tagsOf(conversion, measured));
      const record = recordOf(parts, metrics);
      const written = writeHistory(runPaths(folder).metrics, checkpoint);
      const ours = asOurCheckpoint(checkpoint, {
        experiment: experiment.name,
        run: record.id,
        metrics,
        written,
        saved: measured?.saved ?? conversion.saved,
      });
      await storeCheckpoint(runPaths(folder).checkpoints, ours);
      await writeSummary(folder, summaryOf(parts, record, metrics, written.sha256));
      await writeRunConfig(folder, { flags, run: record });
    } finally {
      await lock.release();
    }
    return folder;
  } catch (error) {
    await rm(folder, { recursive: true, force: true });
    throw error;
  }
}

/** Those that the experiment gives its metrics once it has the data know more than the conversion. */
function tagsOf(
  conversion: TorchConversion,
  measured: Measured | undefined,
): ReadonlyMap<string, string> {
  const known = (measured?.infos ?? []).flatMap(({ name, tag }) =>
    tag === undefined ? [] : [[name, tag] as const],
  );
  return new Map([...conversion.tags, ...known]);
}

/** What is known of the run; the machine and the versions are not. */
function recordOf(parts: ImportedParts, metrics: TrackedMetrics): RunRecord {
  const { experiment, checkpoint, conversion, script, flags, unknown, measured } = parts;
  const { metric, source, largest } = scoreOf(experiment, flags, metrics);
  const { train, validation, extra } = metrics;
  const seed = flags["random_seed"];
  const hash = measured?.trainable.provenance?.datasetHash;
  return {
    format: RUN_FORMAT,
    version: RUN_VERSION,
    id: randomUUID(),
    experiment: experiment.name,
    created: script.created.toISOString(),
    seed: typeof seed === "number" ? seed : null,
    score: { metric, source, largest },
    metrics: {
      train: [...train.infos],
      validation: [...validation.infos],
      extra: [...extra.infos],
    },
    first_epoch: 0,
    last_epoch: checkpoint.epoch,
    num_model_parameters: conversion.numParameters,
    metadata: { ...conversion.metadata, ...measured?.trainable.metadata },
    ...(hash === undefined ? {} : { dataset_hash: hash }),
    versions: { "experiment-kit": kitVersion() },
    platform: "unknown",
    cpu: "unknown",
    host: "unknown",
    imported: {
      from: checkpoint.path,
      sha256: checkpoint.sha256,
      unknown_flags: [...unknown],
    },
  };
}

interface ImportedScore {
  readonly metric: string;
  readonly source: string;
  readonly largest: boolean;
  readonly reference: MetricReference | undefined;
}

/** The score that the scripts' flags name, else the experiment's own. */
function scoreOf(experiment: Experiment, flags: RawFlags, metrics: TrackedMetrics): ImportedScore {
  const { defaultScore } = experiment;
  const named = findMetric(metrics, String(flags["score_metric_name"] ?? ""));
  const reference = named ?? findMetric(metrics, defaultScore.metric);
  const isDefault = named === undefined || named.name === defaultScore.metric;
  return {
    metric: reference?.name ?? defaultScore.metric,
    source: reference?.source ?? defaultScore.source,
    largest: isDefault ? defaultScore.largest : flags["score_largest"] !== false,
    reference,
  };
}

function summaryOf(
  { experiment, checkpoint, script, flags }: ImportedParts,
  record: RunRecord,
  metrics: TrackedMetrics,
  metricsSha256: string,
): RunSummary {
  const { reference } = scoreOf(experiment, flags, metrics);
  const { exception } = script;
  const end = exception === undefined ? "" : `, where it stopped: ${exception}`;
  return {
    version: 1,
    experiment: experiment.name,
    outcome: "imported",
    stop_reason: `imported from ${checkpoint.path}, which ends with epoch ${checkpoint.epoch}${end}`,
    ...(exception === undefined ? {} : { exception }),
    score_name: record.score.metric,
    score: reference === undefined ? null : finiteOrNull(reference.group.values[reference.index]!),
    score_epoch: reference?.group.epochs[reference.index] ?? -1,
    score_largest: record.score.largest,
    last_epoch: checkpoint.epoch,
    epochs_run: checkpoint.epoch + 1,
    duration_seconds: null,
    seed: record.seed,
    num_model_parameters: record.num_model_parameters,
    times_resumed: 0,
    last_tracked_values: lastValues(metrics),
    metrics_sha256: metricsSha256,
  };
}
