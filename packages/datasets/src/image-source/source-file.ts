import { readFile, stat } from "node:fs/promises";
import { DatasetError } from "../error.ts";

/** A damaged source file: exit code 1. */
export function damagedSource(file: string, problem: string): DatasetError {
  return new DatasetError(
    `${file}: ${problem}; delete it and get it again (or pass --download)`,
    1,
  );
}

/** Size of a regular file; undefined if there is none. */
export async function sizeOf(file: string): Promise<number | undefined> {
  const found = await stat(file).catch(() => undefined);
  return found?.isFile() ? found.size : undefined;
}

export async function readSource(file: string): Promise<Uint8Array> {
  try {
    return new Uint8Array(await readFile(file));
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new DatasetError(`${file}: cannot read (${reason}); check the path`, 1, { cause: error });
  }
}
