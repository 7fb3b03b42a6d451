import {
  closeSync,
  openSync,
  readSync,
  fstatSync,
  renameSync,
  writeFileSync,
  rmSync,
} from "node:fs";
import { join } from "node:path";
import { parentPort, threadId } from "node:worker_threads";
import { encodeGrayPng, isWholePng } from "../image/gray-png.ts";
import type { PathfinderSettings } from "./raw-flags.ts";
import { imageName } from "./raw-folder.ts";
import { createSynthesizer, type PathfinderSynthesizer } from "./synthesis.ts";

/** Images `from` … `to` - 1 of a path length, to be written into `folder`. */
export interface RawTask {
  readonly settings: PathfinderSettings;
  readonly seed: number;
  readonly pathLength: number;
  readonly folder: string;
  readonly from: number;
  readonly to: number;
}

export type RawReply =
  | { readonly done: number; readonly kept: number }
  | {
      readonly failure: string;
      readonly exitCode: 1 | 2;
      readonly code?: string;
      readonly file?: string;
    };

let synthesizer: PathfinderSynthesizer | undefined;

parentPort?.on("message", (task: RawTask) => {
  parentPort?.postMessage(work(task));
});

function work(task: RawTask): RawReply {
  synthesizer ??= createSynthesizer(task.settings);
  let kept = 0;
  let file = task.folder;
  try {
    for (let index = task.from; index < task.to; index++) {
      file = join(task.folder, imageName(index));
      if (isThere(file)) {
        kept++;
        continue;
      }
      const { pixels } = synthesizer.image(task.seed, task.pathLength, index);
      const [height, width] = task.settings.window_size as [number, number];
      writeWhole(file, encodeGrayPng({ size: [height, width], pixels }));
    }
    return { done: task.to - task.from, kept };
  } catch (error) {
    return failure(error, file);
  }
}

/** Whether an earlier run wrote this image, all of it. */
function isThere(file: string): boolean {
  let handle: number;
  try {
    handle = openSync(file, "r");
  } catch {
    return false;
  }
  try {
    const end = new Uint8Array(12);
    const { size } = fstatSync(handle);
    return size > end.length && readSync(handle, end, 0, 12, size - 12) === 12 && isWholePng(end);
  } finally {
    closeSync(handle);
  }
}

/** Renamed into place, but not synced one by one: a power cut may cost images, which are made again. */
function writeWhole(file: string, bytes: Uint8Array): void {
  const temporary = `${file}.${process.pid}-${threadId}.tmp`;
  try {
    writeFileSync(temporary, bytes);
    renameSync(temporary, file);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function failure(error: unknown, file: string): RawReply {
  const exitCode = error instanceof Error && "exitCode" in error && error.exitCode === 2 ? 2 : 1;
  const code = error instanceof Error && "code" in error ? String(error.code) : undefined;
  const message = error instanceof Error ? error.message : String(error);
  return { failure: message, exitCode, file, ...(code === undefined ? {} : { code }) };
}
