import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { errorCode, fileError } from "../errors.ts";

/** Size of metrics.jsonl; 0 if there is none yet. */
export async function metricsSize(path: string): Promise<number> {
  return withFile(path, "r", async (file) => (await file.stat()).size, 0);
}

/** Cuts metrics.jsonl back to the length it had when a checkpoint was written. */
export async function cutMetrics(path: string, bytes: number): Promise<void> {
  await withFile(
    path,
    "r+",
    async (file) => {
      await file.truncate(bytes);
      await file.sync();
    },
    undefined,
  );
}

async function withFile<Result>(
  path: string,
  mode: "r" | "r+",
  use: (file: FileHandle) => Promise<Result>,
  ifMissing: Result,
): Promise<Result> {
  try {
    const file = await open(path, mode);
    try {
      return await use(file);
    } finally {
      await file.close();
    }
  } catch (error) {
    if (errorCode(error) === "ENOENT") return ifMissing;
    throw fileError(path, mode === "r" ? "be read" : "be cut back", error);
  }
}
