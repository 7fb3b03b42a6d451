import { readdir, readFile, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { errorCode, fileError, MisuseError } from "../errors.ts";
import type { RawFlags } from "../flags/parse-flags.ts";
import { isTorchPath } from "./torch-checkpoint.ts";

/** A run of the PyTorch scripts, as far as its files are there. */
export interface ScriptRun {
  readonly checkpoint: string;
  /** The flags in the scripts' config.json (`--save_logs`); undefined if there is none. */
  readonly flags: RawFlags | undefined;
  /** Why the scripts say that training stopped (summary.json), if they do. */
  readonly exception: string | undefined;
  /** When the run began: the time in the folder's name, else that of the file. */
  readonly created: Date;
}

/**
 * Finds the checkpoint that a path stands for (the file itself, or the one of the last epoch in a run folder of
 * the scripts) and the files that lie in its run folder.
 *
 * @throws MisuseError if there is none; RunError if a file cannot be read.
 */
export async function findScriptRun(path: string): Promise<ScriptRun> {
  const info = await stat(path).catch((error: unknown) => {
    if (errorCode(error) !== "ENOENT") throw fileError(path, "be read", error);
    throw new MisuseError(`${path}: there is no such file or folder; check the path`);
  });
  const checkpoint = info.isDirectory() ? await lastCheckpoint(path) : path;
  const parent = dirname(resolve(checkpoint));
  const folder = basename(parent) === "checkpoints" ? dirname(parent) : parent;
  const summary = await readJsonObject(join(folder, "summary.json"));
  const { mtime } = await stat(checkpoint);
  return {
    checkpoint,
    flags: await readJsonObject(join(folder, "config.json")),
    exception: typeof summary?.["exception"] === "string" ? summary["exception"] : undefined,
    created: timeIn(basename(folder)) ?? timeIn(basename(checkpoint)) ?? mtime,
  };
}

async function lastCheckpoint(folder: string): Promise<string> {
  for (const place of [join(folder, "checkpoints"), folder]) {
    const names = await readdir(place).catch((error: unknown) => {
      if (errorCode(error) === "ENOENT") return [];
      throw fileError(place, "be read", error);
    });
    const [found] = names
      .filter(isTorchPath)
      .flatMap((name) => {
        const epoch = /(?:^|_)epoch_(\d+)\.\w+$/.exec(name)?.[1];
        return epoch === undefined ? [] : [{ name, epoch: Number(epoch) }];
      })
      .sort((a, b) => b.epoch - a.epoch || b.name.localeCompare(a.name));
    if (found !== undefined) return join(place, found.name);
  }
  throw new MisuseError(
    `${folder}: has no checkpoint of the PyTorch scripts (…_epoch_N.ckpt); give a checkpoint or a run folder that was made with --save_checkpoints`,
  );
}

/** The object in a JSON file; undefined if there is none, or a run folder of ours is there. */
async function readJsonObject(path: string): Promise<RawFlags | undefined> {
  const text = await readFile(path, "utf8").catch((error: unknown) => {
    if (errorCode(error) === "ENOENT") return undefined;
    throw fileError(path, "be read", error);
  });
  if (text === undefined) return undefined;
  try {
    // The scripts write numbers that JSON does not have.
    const content: unknown = JSON.parse(text.replace(/(?<=[\s:,[])-?(NaN|Infinity)\b/g, "null"));
    const isObject = typeof content === "object" && content !== null && !Array.isArray(content);
    return isObject ? (content as RawFlags) : undefined;
  } catch {
    return undefined;
  }
}

/** `YYYY_MM_DD-HH_MM_SS`, in UTC, as the scripts put it into names. */
function timeIn(name: string): Date | undefined {
  const match = /(\d{4})_(\d\d)_(\d\d)-(\d\d)_(\d\d)_(\d\d)/.exec(name);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second] = match;
  const time = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  return Number.isNaN(time.valueOf()) ? undefined : time;
}
