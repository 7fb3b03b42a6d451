import { readdir, readFile } from "node:fs/promises";
import { extname, join } from "node:path";
import { isChecksumIntact, readNpz, readSafetensors } from "@implicit-rank/array-files";
import { decodeGrayPng } from "@implicit-rank/datasets";

/** What a killed or failed writer may leave; no reader takes it for a file. */
export const isUnfinished = (name: string): boolean => /\.tmp$|\.part$/.test(name);

/**
 * The files below a folder that are under their final name and not whole. Text that grows line by line
 * (metrics.jsonl, logs) may end in a torn line, which readers leave out.
 */
export async function brokenFiles(folder: string): Promise<readonly string[]> {
  const broken: string[] = [];
  for (const path of await filesBelow(folder)) {
    const problem = await check(path).then(
      () => undefined,
      (error: unknown) => error,
    );
    if (problem !== undefined) broken.push(`${path}: ${String(problem)}`);
  }
  return broken;
}

export async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

async function check(path: string): Promise<void> {
  if (isUnfinished(path)) return;
  const ending = extname(path);
  if (ending === ".safetensors") await readSafetensors(path);
  else if (ending === ".npz") await readNpz(path);
  else if (ending === ".png") decodeGrayPng(await readFile(path), path);
  else if (ending === ".json") await checkJson(path);
  else if (ending in ENDINGS) await checkEnd(path, ENDINGS[ending]!);
}

const ENDINGS: Readonly<Record<string, string>> = {
  ".svg": "</svg>",
  ".html": "</html>",
  ".csv": "\r\n",
};

async function checkEnd(path: string, end: string): Promise<void> {
  const text = await readFile(path, "utf8");
  if (!text.endsWith(end) && !text.endsWith(`${end}\n`)) throw new Error(`does not end in ${end}`);
}

async function checkJson(path: string): Promise<void> {
  const content = JSON.parse(await readFile(path, "utf8")) as Readonly<Record<string, unknown>>;
  if ("checksum" in content && !isChecksumIntact(content)) throw new Error("wrong checksum");
}
