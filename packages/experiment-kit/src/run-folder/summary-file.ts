import { readFile, rm } from "node:fs/promises";
import { isChecksumIntact, withChecksum, writeFileAtomic } from "@implicit-rank/array-files";
import { z } from "zod";
import { errorCode, fileError, RunError } from "../errors.ts";
import { runPaths } from "./files.ts";

/** A value and the epoch (0-based) it was last updated in; null and -1 if never; null if not finite. */
const trackedValue = z.object({ value: z.number().nullable(), epoch: z.number().int() });
const trackedValues = z.record(z.string(), trackedValue);

/** How a run ended. */
export const outcomes = [
  "completed",
  "stopped",
  "diverged",
  "interrupted",
  "failed",
  "imported",
] as const;
/**
 * How a run ended.
 *
 * @useDeclaredType
 */
export type Outcome = (typeof outcomes)[number];

/** Whether a run with this outcome (or state) has a result that counts. */
export function isFinished(outcome: unknown): boolean {
  return outcome === "completed" || outcome === "stopped" || outcome === "imported";
}

const summarySchema = z.object({
  version: z.literal(1),
  experiment: z.string(),
  outcome: z.enum(outcomes),
  /** Why training stopped, in one sentence. */
  stop_reason: z.string(),
  /** Only if training was stopped before its last scheduled epoch. */
  exception: z.string().optional(),
  score_name: z.string(),
  score: z.number().nullable(),
  score_epoch: z.number().int(),
  score_largest: z.boolean(),
  last_epoch: z.number().int(),
  epochs_run: z.number().int(),
  /** Null if it is not known (of an imported run). */
  duration_seconds: z.number().nullable(),
  seed: z.number().int().nullable(),
  num_model_parameters: z.number(),
  times_resumed: z.number().int(),
  last_tracked_values: trackedValues,
  /** Of metrics.jsonl; absent if that could not be written to its end, and in earlier versions. */
  metrics_sha256: z.string().optional(),
  best_score_epoch: z.number().int().optional(),
  best_score_epoch_tracked_values: trackedValues.optional(),
});

/**
 * What `summary.json` tells of a run that has ended.
 *
 * @interface
 */
export type RunSummary = z.infer<typeof summarySchema>;
/**
 * The last value of a metric, and the epoch (0-based) of it; null and -1 if there is none.
 *
 * @interface
 */
export type TrackedValueSummary = z.infer<typeof trackedValue>;

export async function writeSummary(folder: string, summary: RunSummary): Promise<void> {
  await writeFileAtomic(
    runPaths(folder).summary,
    `${JSON.stringify(withChecksum(summary), null, 2)}\n`,
    {
      overwrite: true,
    },
  );
}

/**
 * The summary of a run, undefined if there is none (the run is going on or was killed).
 *
 * @throws RunError if the file is damaged or of a later version.
 */
export async function readSummary(folder: string): Promise<RunSummary | undefined> {
  const path = runPaths(folder).summary;
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT") return undefined;
    throw fileError(path, "be read", error);
  }
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw new RunError(`${path}: is not valid JSON; the file is truncated or damaged`);
  }
  const parsed = summarySchema.safeParse(content);
  if (parsed.success) {
    refuseChangedSummary(path, content as object);
    return parsed.data;
  }
  const version = (content as { readonly version?: unknown } | null)?.version;
  if (typeof version === "number" && version > 1) {
    throw new RunError(
      `${path}: version: is ${version}, this version reads 1; install a newer implicit-rank`,
    );
  }
  const issue = parsed.error.issues[0]!;
  throw new RunError(`${path}: ${issue.path.join(".")}: ${issue.message}; the file is damaged`);
}

/** @throws RunError if a summary of ours does not fit its checksum; those of the PyTorch scripts have none, nor a version. */
export function refuseChangedSummary(path: string, content: object): void {
  const isOurs = ["checksum", "version"].some((key) => key in content);
  if (!isOurs || isChecksumIntact(content as Readonly<Record<string, unknown>>)) return;
  throw new RunError(
    `${path}: checksum: does not fit, the file was damaged or edited; restore it, or remove it and resume the run to write it anew`,
  );
}

/** A run that goes on has no summary. */
export async function removeSummary(folder: string): Promise<void> {
  await rm(runPaths(folder).summary, { force: true });
}
