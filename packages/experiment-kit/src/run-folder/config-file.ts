import { access, readFile } from "node:fs/promises";
import { isChecksumIntact, withChecksum, writeFileAtomic } from "@implicit-rank/array-files";
import { z } from "zod";
import { errorCode, fileError, MisuseError, RunError } from "../errors.ts";
import type { RawFlags } from "../flags/parse-flags.ts";
import { runPaths } from "./files.ts";

export const RUN_FORMAT = "implicit-rank run";
export const RUN_VERSION = 1;

const metricInfo = z.object({ name: z.string(), tag: z.string().optional() });

/** The `run` section of config.json: everything about a run besides its flags. */
export const runRecordSchema = z.object({
  format: z.literal(RUN_FORMAT),
  version: z.literal(RUN_VERSION),
  id: z.string(),
  experiment: z.string(),
  created: z.string(),
  /** Null if it is not known (of an imported run). */
  seed: z.number().int().min(0).nullable(),
  score: z.object({ metric: z.string(), source: z.string(), largest: z.boolean() }),
  metrics: z.object({
    train: z.array(metricInfo),
    validation: z.array(metricInfo),
    extra: z.array(metricInfo),
  }),
  first_epoch: z.number().int().min(0),
  last_epoch: z.number().int().min(0),
  num_model_parameters: z.number(),
  metadata: z.record(z.string(), z.unknown()),
  backend: z.string().optional(),
  threads: z.number().int().optional(),
  dataset_hash: z.string().optional(),
  versions: z.record(z.string(), z.string()),
  platform: z.string(),
  cpu: z.string(),
  host: z.string(),
  started_from: z
    .object({ checkpoint: z.string(), epoch: z.number().int(), run: z.string() })
    .optional(),
  /** The checkpoint of the PyTorch scripts that the run was made of. */
  imported: z
    .object({ from: z.string(), sha256: z.string(), unknown_flags: z.array(z.string()) })
    .optional(),
});

/**
 * What `config.json` records of a run beside its flags: versions, machine, command, data.
 *
 * @interface
 */
export type RunRecord = z.infer<typeof runRecordSchema>;

/** The content of config.json: the flags by name, and the record of the run. */
export interface RunConfig {
  readonly flags: RawFlags;
  readonly run: RunRecord;
}

/** Writes config.json: the flags at the top level, what else defines the run under `run`. */
export async function writeRunConfig(folder: string, config: RunConfig): Promise<void> {
  const { checksum } = withChecksum({ ...config.flags, run: config.run });
  const text = JSON.stringify({ ...config.flags, run: { checksum, ...config.run } }, null, 2);
  await writeFileAtomic(runPaths(folder).config, `${text}\n`, { overwrite: true });
}

/** Whether a folder holds a run. */
export async function hasRunConfig(folder: string): Promise<boolean> {
  return access(runPaths(folder).config).then(
    () => true,
    () => false,
  );
}

/**
 * Reads config.json of a run folder.
 *
 * @throws MisuseError if the folder is no run folder; RunError if the file is damaged or too new.
 */
export async function readRunConfig(folder: string): Promise<RunConfig> {
  const path = runPaths(folder).config;
  let text: string;
  try {
    text = await readFile(path, "utf8");
  } catch (error) {
    if (errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR") {
      throw new MisuseError(
        `${folder}: is not a run folder (it has no config.json); give the folder that training printed`,
      );
    }
    throw fileError(path, "be read", error);
  }
  const content = parseJsonObject(path, text);
  const { run, ...flags } = content;
  checkVersion(path, run);
  const parsed = runRecordSchema.safeParse(run);
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!;
    throw new RunError(
      `${path}: run.${issue.path.join(".")}: ${issue.message}; the file is damaged`,
    );
  }
  refuseChangedConfig(path, content);
  return { flags, run: parsed.data };
}

/**
 * The checksum is over the whole file and stands in `run`, since all other keys are flags.
 *
 * @throws RunError if a config of ours does not fit its checksum.
 */
export function refuseChangedConfig(path: string, content: object): void {
  const { run } = content as { readonly run?: unknown };
  if (typeof run !== "object" || run === null) return;
  const { checksum, ...unchecked } = run as { readonly checksum?: unknown };
  if (isChecksumIntact({ ...content, run: unchecked, checksum })) return;
  throw new RunError(
    `${path}: run.checksum: does not fit, the file was damaged or edited; restore it, or start a new run with the values that it should have`,
  );
}

function parseJsonObject(path: string, text: string): Record<string, unknown> {
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw new RunError(`${path}: is not valid JSON; the file is truncated or damaged`);
  }
  if (typeof content === "object" && content !== null && !Array.isArray(content))
    return content as Record<string, unknown>;
  throw new RunError(`${path}: is not a JSON object; the file is damaged`);
}

function checkVersion(path: string, run: unknown): void {
  const { format, version } = (typeof run === "object" && run !== null ? run : {}) as Record<
    string,
    unknown
  >;
  if (format !== RUN_FORMAT) {
    throw new RunError(
      `${path}: run.format: is not "${RUN_FORMAT}"; the folder was made by another program`,
    );
  }
  if (typeof version === "number" && version > RUN_VERSION) {
    throw new RunError(
      `${path}: run.version: is ${version}, this version reads up to ${RUN_VERSION}; install a newer implicit-rank`,
    );
  }
}
