import { readFileSync } from "node:fs";
import { parentPort } from "node:worker_threads";
import { DatasetError } from "../error.ts";
import { decodeGrayPng } from "../image/gray-png.ts";
import { createResampler, TRIANGLE, type Resampler } from "../image/resample.ts";
import { toFailure, type WorkerReply } from "../ordered-workers.ts";

/** PNG files to be read and reduced to side × side. */
export interface ResizeTask {
  readonly files: readonly string[];
  readonly side: number;
}

const resamplers = new Map<string, Resampler>();

parentPort?.on("message", (task: ResizeTask) => {
  const reply = work(task);
  const moved = "result" in reply ? [reply.result.buffer as ArrayBuffer] : [];
  parentPort?.postMessage(reply, moved);
});

function work({ files, side }: ResizeTask): WorkerReply<Uint8Array> {
  try {
    const result = new Uint8Array(files.length * side * side);
    files.forEach((file, i) => result.set(readResized(file, side), i * side * side));
    return { result };
  } catch (error) {
    return { failure: toFailure(error) };
  }
}

/** Bilinear with antialiasing, in bytes, as PIL and torchvision do. */
function readResized(file: string, side: number): Uint8Array {
  const { size, pixels } = decodeGrayPng(readBytes(file), file);
  if (size[0] === side && size[1] === side) return pixels;
  const key = size.join();
  const resampler = resamplers.get(key) ?? createResampler(size, [side, side], TRIANGLE);
  resamplers.set(key, resampler);
  return resampler.bytes(pixels);
}

function readBytes(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    const reason = error instanceof Error && "code" in error ? String(error.code) : String(error);
    throw new DatasetError(
      `${file}: cannot read (${reason}); run the same "data pathfinder-raw" again to complete the folder`,
      1,
      { cause: error },
    );
  }
}
