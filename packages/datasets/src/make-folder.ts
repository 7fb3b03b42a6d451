import { makeFolders } from "@implicit-rank/array-files";
import { DatasetError } from "./error.ts";

/**
 * Makes the folder of `--output_dir`, with its parents, if it is not there.
 * @throws DatasetError (exit code 1) that names the folder and the flag
 */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await makeFolders(folder);
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : String(error);
    const remedy =
      reason === "ENOSPC" || reason === "EDQUOT"
        ? "free space or choose another folder with --output_dir"
        : "choose a folder you may write to with --output_dir";
    throw new DatasetError(`${folder}: cannot create the folder (${reason}); ${remedy}`, 1, {
      cause: error,
    });
  }
}
