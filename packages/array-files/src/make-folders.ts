import { mkdir, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";

/**
 * Makes a folder, with its parents, unless it exists. (Node's own recursive `mkdir` answers ENOENT on a
 * read-only file system, and never ends where a file system answers ENOENT for a folder that it refuses.)
 * @throws the system's error, EEXIST if it is a file
 */
export function makeFolders(folder: string): Promise<void> {
  return make(resolve(folder));
}

async function make(folder: string): Promise<void> {
  try {
    await mkdir(folder);
  } catch (error) {
    if (codeOf(error) === "EEXIST" && (await stat(folder)).isDirectory()) return;
    if (codeOf(error) !== "ENOENT" || dirname(folder) === folder) throw error;
    await make(dirname(folder));
    await mkdir(folder).catch((again: unknown) => {
      // Another process may have made it meanwhile.
      if (codeOf(again) !== "EEXIST") throw again;
    });
  }
}

function codeOf(error: unknown): unknown {
  return error instanceof Error && "code" in error ? error.code : undefined;
}
