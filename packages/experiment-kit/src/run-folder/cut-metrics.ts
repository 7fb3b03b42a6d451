import { createHash } from "node:crypto";
import { open } from "node:fs/promises";
import type { FileHandle } from "node:fs/promises";
import { errorCode, fileError } from "../errors.ts";

/** Size of metrics.jsonl; 0 if there is none yet. */
export async function metricsSize(path: string): Promise<number> {
  return withFile(path, "r", async (file) => (await file.stat()).size, 0);
}

/** SHA-256, in hex, of the first `bytes` of metrics.jsonl; of nothing if there is none. */
export async function metricsHash(path: string, bytes: number): Promise<string> {
  const hash = createHash("sha256");
  const addFrom = async (file: FileHandle): Promise<void> => {
    if (bytes === 0) return;
    const stream = file.createReadStream({ start: 0, end: bytes - 1, autoClose: false });
    for await (const block of stream) hash.update(block as Buffer);
  };
  await withFile(path, "r", addFrom, undefined);
  return hash.digest("hex");
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
