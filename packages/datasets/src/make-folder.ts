import { mkdir } from "node:fs/promises";
import { DatasetError } from "./error.ts";

/**
 * Makes the folder of `--output_dir`, with its parents, if it is not there.
 * @throws DatasetError (exit code 1) that names the folder and the flag
 */
export async function makeFolder(folder: string): Promise<void> {
  try {
    await mkdir(folder, { recursive: true });
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new DatasetError(
      `${folder}: cannot create the folder (${reason}); choose a folder you may write to with --output_dir`,
      1,
      { cause: error },
    );
  }
}
