import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { errorCode, fileError, MisuseError } from "../errors.ts";

const DEEPEST = 6;

/** Whether a folder holds a run: has one of these files. */
async function entriesOf(
  folder: string,
  marks: readonly string[],
): Promise<{ isRun: boolean; folders: readonly string[] }> {
  const entries = await readdir(folder, { withFileTypes: true });
  return {
    isRun: entries.some((entry) => marks.includes(entry.name) && entry.isFile()),
    folders: entries
      .filter(
        (entry) =>
          entry.isDirectory() && !entry.name.startsWith(".") && entry.name !== "node_modules",
      )
      .map((entry) => join(folder, entry.name))
      .sort(),
  };
}

/**
 * The run folders that a path stands for: itself, or those below it. Symbolic links and hidden folders
 * are not followed.
 *
 * @param marks a folder with one of these files is a run folder.
 * @throws MisuseError if the path is no folder; RunError if it cannot be read.
 */
export async function findRunFolders(
  path: string,
  marks: readonly string[] = ["config.json"],
): Promise<readonly string[]> {
  const found: string[] = [];
  const visit = async (folder: string, depth: number): Promise<void> => {
    const { isRun, folders } = await entriesOf(folder, marks).catch((error: unknown) => {
      // A folder below may vanish while it is looked at, or be closed to us; the named one must be there.
      if (depth > 0) return { isRun: false, folders: [] };
      throw pathError(path, error);
    });
    if (isRun) found.push(folder);
    else if (depth < DEEPEST) for (const child of folders) await visit(child, depth + 1);
  };
  await visit(path, 0);
  return found;
}

function pathError(path: string, error: unknown): Error {
  if (errorCode(error) === "ENOENT")
    return new MisuseError(`${path}: there is no such folder; give a run folder or one with runs`);
  if (errorCode(error) === "ENOTDIR")
    return new MisuseError(`${path}: is a file; give a run folder or one with runs`);
  return fileError(path, "be read", error);
}
