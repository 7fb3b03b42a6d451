import { constants } from "node:fs";
import { access, mkdir, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { makeFolders } from "@implicit-rank/array-files";
import { errorCode, fileError, MisuseError, RunError } from "../errors.ts";

/**
 * Makes a new, empty run folder `<outputsDir>/<name>_<YYYY_MM_DD-HH_MM_SS>` (UTC). If it exists already,
 * `_2`, `_3`, … is appended.
 *
 * @throws MisuseError if the folder cannot be made there; RunError if the disk is full or failing.
 */
export async function createRunFolder(
  outputsDir: string,
  name: string,
  start: Date,
): Promise<string> {
  const wanted = join(outputsDir, `${name}_${folderTimestamp(start)}`);
  try {
    await makeFolders(outputsDir);
    for (let attempt = 1; ; attempt++) {
      const folder = attempt === 1 ? wanted : `${wanted}_${attempt}`;
      try {
        await mkdir(folder);
        return folder;
      } catch (error) {
        if (errorCode(error) !== "EEXIST") throw error;
      }
    }
  } catch (error) {
    throw outputsDirError(outputsDir, error);
  }
}

/** Makes a folder, with its parents, unless it exists. */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await makeFolders(folder);
  } catch (error) {
    throw fileError(folder, "be made", error);
  }
}

/**
 * Checks before any work is done that run folders can be made in `outputsDir` (which need not exist).
 *
 * @throws MisuseError naming the flag.
 */
export async function checkOutputsDir(outputsDir: string): Promise<void> {
  let folder = resolve(outputsDir);
  try {
    for (;;) {
      const found = await stat(folder).catch((error: unknown) => {
        if (errorCode(error) === "ENOENT" && dirname(folder) !== folder) return undefined;
        throw error;
      });
      if (found?.isDirectory() === false)
        throw new MisuseError(
          `--outputs_dir: ${folder} is a file, not a folder; choose another folder`,
        );
      if (found !== undefined) break;
      folder = dirname(folder);
    }
    await access(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw outputsDirError(outputsDir, error);
  }
}

/** Not the fault of whoever chose the folder. */
const DISK_FAILURES = new Set(["ENOSPC", "EDQUOT", "EIO"]);

function outputsDirError(outputsDir: string, error: unknown): Error {
  if (error instanceof MisuseError) return error;
  const message = `--outputs_dir: ${fileError(outputsDir, "make a run folder there", error).message}`;
  const isDisk = DISK_FAILURES.has(errorCode(error) ?? "");
  return isDisk
    ? new RunError(message, { cause: error })
    : new MisuseError(message, { cause: error });
}

function folderTimestamp(time: Date): string {
  const [date = "", clock = ""] = time.toISOString().split("T");
  return `${date.replaceAll("-", "_")}-${clock.slice(0, 8).replaceAll(":", "_")}`;
}
