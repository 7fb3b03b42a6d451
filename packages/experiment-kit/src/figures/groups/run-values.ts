import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { errorCode, fileError, RunError } from "../../errors.ts";
import { refuseChangedConfig } from "../../run-folder/config-file.ts";
import { runPaths } from "../../run-folder/files.ts";
import { isRunning } from "../../run-folder/lock.ts";
import { isFinished, refuseChangedSummary } from "../../run-folder/summary-file.ts";
import { keysOf, valueAt } from "./dotted-key.ts";
import { numberOf } from "./group-plot-flags.ts";

/** What a finished run gives to a figure. */
export interface RunValues {
  readonly run: string;
  readonly x: number | string;
  readonly y: number;
}

/** A run without a place in a figure. */
export interface LeftOut {
  readonly run: string;
  /** In one line; what it lacks, if a key is the reason. */
  readonly reason: string;
  readonly lacks?: "x" | "y";
  /** Keys that it has instead. */
  readonly known?: readonly string[];
}

export interface ValueKeys {
  readonly x: string;
  readonly y: string;
}

/** The values of a run folder of ours or of the PyTorch scripts: of y in summary.json, of x there or else in config.json. */
export async function readRunValues(run: string, keys: ValueKeys): Promise<RunValues | LeftOut> {
  try {
    const summary = await readJsonObject(runPaths(run).summary);
    if (summary === undefined) return { run, reason: await whyWithoutSummary(run) };
    refuseChangedSummary(runPaths(run).summary, summary);
    const failure = failureOf(summary);
    if (failure !== undefined) return { run, reason: failure };
    return await valuesOf(run, summary, keys);
  } catch (error) {
    if (!(error instanceof RunError)) throw error;
    return { run, reason: error.message };
  }
}

async function valuesOf(run: string, summary: object, keys: ValueKeys) {
  const y = metricValue(summary, keys.y);
  if (y === undefined || (typeof y !== "number" && y !== null)) {
    const known = [...Object.keys(trackedValues(summary)), ...keysOf(summary)];
    return {
      run,
      reason: lack("summary.json", keys.y, y, "no number"),
      lacks: "y" as const,
      known,
    };
  }
  if (y === null || !Number.isFinite(y)) return { run, reason: `${keys.y} is not finite` };
  const inSummary = valueAt(summary, keys.x);
  const config = inSummary === undefined ? await readJsonObject(runPaths(run).config) : undefined;
  if (config !== undefined) refuseChangedConfig(runPaths(run).config, config);
  const found = inSummary ?? valueAt(config, keys.x);
  const x = xValue(found);
  if (x === undefined) {
    const known = [...keysOf(summary), ...keysOf(config)];
    const reason = lack("summary.json and config.json", keys.x, found, "neither number nor text");
    return { run, reason, lacks: "x" as const, known };
  }
  return { run, x, y };
}

function lack(files: string, key: string, found: unknown, wanted: string): string {
  return found === undefined || found === null
    ? `has no ${JSON.stringify(key)} in ${files}`
    : `${JSON.stringify(key)} is ${wanted}`;
}

/** A number, or that of `{ value, epoch }`; the name of a metric alone stands for its last value. */
function metricValue(summary: object, key: string): unknown {
  const there = valueAt(summary, key);
  const found = there === undefined ? trackedValues(summary)[key] : there;
  return isTracked(found) ? found.value : found;
}

function isTracked(value: unknown): value is { readonly value: unknown } {
  return typeof value === "object" && value !== null && "value" in value && "epoch" in value;
}

function trackedValues(summary: object): Readonly<Record<string, unknown>> {
  const tracked = "last_tracked_values" in summary ? summary.last_tracked_values : undefined;
  return typeof tracked === "object" && tracked !== null ? { ...tracked } : {};
}

/** A list of numbers or texts counts as the text of its entries. */
function xValue(value: unknown): number | string | undefined {
  if (typeof value === "number") return numberOf(value);
  if (typeof value === "string") return value;
  if (typeof value === "boolean") return String(value);
  if (Array.isArray(value) && value.every((item) => typeof item !== "object"))
    return value.join(" ");
  return undefined;
}

const failures: Readonly<Record<string, string>> = {
  diverged: "diverged",
  failed: "failed",
  interrupted: "was interrupted",
};

/** Only runs that came to their end count; the summaries of the PyTorch scripts are of such. */
function failureOf(summary: object): string | undefined {
  const outcome = "outcome" in summary ? summary.outcome : "completed";
  if (isFinished(outcome)) return undefined;
  return failures[String(outcome)] ?? `ended as ${JSON.stringify(outcome)}`;
}

async function whyWithoutSummary(run: string): Promise<string> {
  if (!existsSync(run)) return "has not begun";
  return (await isRunning(run)) ? "is still running" : "has no summary.json: it is not finished";
}

/** Undefined if there is no such file. Python's `NaN` and `Infinity`, which are no JSON, are null. */
async function readJsonObject(path: string): Promise<object | undefined> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    if (errorCode(error) === "ENOENT" || errorCode(error) === "ENOTDIR") return undefined;
    throw fileError(path, "be read", error);
  });
  if (text === undefined) return undefined;
  try {
    const content: unknown = JSON.parse(withoutBareNumbers(text));
    if (typeof content === "object" && content !== null && !Array.isArray(content)) return content;
  } catch {
    throw new RunError(`${path}: is not valid JSON; the file is truncated or damaged`);
  }
  throw new RunError(`${path}: is not a JSON object; the file is damaged`);
}

function withoutBareNumbers(json: string): string {
  return json.replaceAll(/"(?:[^"\\]|\\.)*"|-?\b(?:NaN|Infinity)\b/g, (token) =>
    token.startsWith('"') ? token : "null",
  );
}
