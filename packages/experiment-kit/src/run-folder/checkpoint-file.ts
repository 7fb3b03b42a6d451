import { createHash } from "node:crypto";
import { contentHash, readSafetensors, writeSafetensors } from "@implicit-rank/array-files";
import type { ArrayFile, NamedArray } from "@implicit-rank/array-files";
import { z } from "zod";
import { RunError } from "../errors.ts";
import { METRIC_SOURCES } from "../fit/metric-values.ts";
import type { MetricValues, TrackedMetrics } from "../fit/metric-values.ts";
import { stopKinds } from "../fit/stop-request.ts";
import type { StopKind } from "../fit/stop-request.ts";
import { numberToJson } from "../json.ts";
import type { Json } from "../json.ts";

/** A checkpoint that is kept, and its score (null if it had none). */
export interface RetainedCheckpoint {
  readonly epoch: number;
  readonly score: number | null;
}

/** What the kit itself needs to go on from a checkpoint. */
export interface CheckpointState {
  readonly experiment: string;
  readonly run: string;
  /** Last finished epoch (0-based). */
  readonly epoch: number;
  readonly elapsedSeconds: number;
  readonly timesResumed: number;
  /** Length that metrics.jsonl had. */
  readonly metricsBytes: number;
  /** SHA-256 of metrics.jsonl up to there; earlier versions recorded none. */
  readonly metricsSha256?: string;
  /** Set if training was over when this was written. */
  readonly stop: { readonly kind: StopKind; readonly message: string } | null;
  readonly values: Readonly<
    Record<string, { readonly values: readonly Json[]; readonly epochs: readonly number[] }>
  >;
  readonly callbacks: Readonly<Record<string, Json>>;
  readonly retained: readonly RetainedCheckpoint[];
}

/** The latest values of all metrics, as the state holds them. */
export function valuesForState(metrics: TrackedMetrics): CheckpointState["values"] {
  const group = ({ values, epochs }: MetricValues) => ({
    values: Array.from(values, numberToJson),
    epochs: [...epochs],
  });
  return Object.fromEntries(METRIC_SOURCES.map((source) => [source, group(metrics[source])]));
}

/** All that is needed to go on from the end of an epoch to the same bits. */
export interface Checkpoint {
  readonly state: CheckpointState;
  /** What `Trainable.save` gave. */
  readonly model: ArrayFile;
  /** Arrays of callbacks by name. */
  readonly callbackArrays: Readonly<Record<string, ArrayFile>>;
}

const VERSION = 1;
const STATE_KEY = "implicit_rank_checkpoint";
const CALLBACK_PREFIX = "callback/";

const json: z.ZodType<Json> = z.json();
const stateSchema = z.object({
  experiment: z.string(),
  run: z.string(),
  epoch: z.number().int().min(-1),
  elapsedSeconds: z.number().min(0),
  timesResumed: z.number().int().min(0),
  metricsBytes: z.number().int().min(0),
  metricsSha256: z.string().exactOptional(),
  stop: z.object({ kind: z.enum(stopKinds), message: z.string() }).nullable(),
  values: z.record(
    z.string(),
    z.object({ values: z.array(json), epochs: z.array(z.number().int()) }),
  ),
  callbacks: z.record(z.string(), json),
  retained: z.array(z.object({ epoch: z.number().int().min(0), score: z.number().nullable() })),
});
const contentSchema = z.object({
  state: stateSchema,
  callbackMetadata: z.record(z.string(), z.record(z.string(), z.string())),
});
/** `content` is JSON in a text, so that its checksum does not depend on how JSON is parsed. */
const envelopeSchema = z.object({
  version: z.number().int(),
  hash: z.string(),
  content: z.string(),
});

/** Writes a checkpoint atomically; an existing file is replaced. */
export async function writeCheckpoint(path: string, checkpoint: Checkpoint): Promise<void> {
  const { state, model, callbackArrays } = checkpoint;
  const arrays: Record<string, NamedArray> = { ...model.arrays };
  const callbackMetadata: Record<string, Readonly<Record<string, string>>> = {};
  for (const [name, file] of Object.entries(callbackArrays)) {
    for (const [key, array] of Object.entries(file.arrays))
      arrays[`${CALLBACK_PREFIX}${name}/${key}`] = array;
    callbackMetadata[name] = file.metadata;
  }
  const content = JSON.stringify({ state, callbackMetadata });
  const hash = hashOf(arrays, content, model.metadata);
  const envelope = JSON.stringify({ version: VERSION, hash, content });
  await writeSafetensors(
    path,
    { arrays, metadata: { ...model.metadata, [STATE_KEY]: envelope } },
    { overwrite: true },
  );
}

/**
 * Reads a checkpoint and verifies its checksum.
 *
 * @throws RunError or ArrayFileError: one line that names the file and what is wrong with it.
 */
export async function readCheckpoint(path: string): Promise<Checkpoint> {
  const file = await readSafetensors(path);
  const { [STATE_KEY]: text, ...metadata } = file.metadata;
  if (text === undefined)
    throw new RunError(
      `${path}: is not a checkpoint of implicit-rank; give an epoch_N.safetensors of a run folder`,
    );
  const envelope = envelopeSchema.safeParse(parseJson(path, text));
  if (!envelope.success) throw damaged(path, envelope.error);
  const { version, hash, content } = envelope.data;
  if (version > VERSION) {
    throw new RunError(
      `${path}: version: is ${version}, this version reads up to ${VERSION}; install a newer implicit-rank`,
    );
  }
  if (hash !== hashOf(file.arrays, content, metadata)) {
    throw new RunError(`${path}: its checksum does not fit; the file is damaged`);
  }
  const parsed = contentSchema.safeParse(parseJson(path, content));
  if (!parsed.success) throw damaged(path, parsed.error);
  const { state, callbackMetadata } = parsed.data;
  return { state, ...splitArrays(file.arrays, metadata, callbackMetadata) };
}

function splitArrays(
  arrays: ArrayFile["arrays"],
  metadata: Readonly<Record<string, string>>,
  callbackMetadata: Readonly<Record<string, Readonly<Record<string, string>>>>,
): Pick<Checkpoint, "model" | "callbackArrays"> {
  const isCallbacks = ([name]: [string, NamedArray]): boolean => name.startsWith(CALLBACK_PREFIX);
  const entries = Object.entries(arrays);
  const callbackArrays = Object.fromEntries(
    Object.entries(callbackMetadata).map(([name, callbackMeta]) => {
      const prefix = `${CALLBACK_PREFIX}${name}/`;
      const own = entries
        .filter(([key]) => key.startsWith(prefix))
        .map(([key, array]) => [key.slice(prefix.length), array]);
      return [
        name,
        { arrays: Object.fromEntries(own) as ArrayFile["arrays"], metadata: callbackMeta },
      ];
    }),
  );
  const model = {
    arrays: Object.fromEntries(entries.filter((entry) => !isCallbacks(entry))),
    metadata,
  };
  return { model, callbackArrays };
}

function hashOf(
  arrays: ArrayFile["arrays"],
  state: string,
  metadata: Readonly<Record<string, string>>,
): string {
  const sorted = Object.entries(metadata).sort(([a], [b]) => (a < b ? -1 : 1));
  return createHash("sha256")
    .update(contentHash({ arrays }))
    .update(JSON.stringify(sorted))
    .update(state)
    .digest("hex");
}

function parseJson(path: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new RunError(`${path}: metadata: is not valid JSON; the file is damaged`);
  }
}

function damaged(path: string, error: z.ZodError): RunError {
  const issue = error.issues[0]!;
  return new RunError(`${path}: ${issue.path.join(".")}: ${issue.message}; the file is damaged`);
}
