import { FAILED_WORD, GENERATION_WORD } from "./memory-layout.ts";

/** The threads of a runtime beside the calling one. */
export interface ThreadPool {
  /** Tells the threads that the calling one has failed. */
  abandon(): void;
  dispose(): void;
}

// A thread lives inside one WebAssembly call. It is given as text so that it needs no file of its own, in
// whatever way the package is bundled.
const THREAD_SOURCE = `
const { parentPort, workerData } = require("node:worker_threads");
const { module, memory, index, count, scratch, sharedWork, failedWord, generationWord } = workerData;
const { exports } = new WebAssembly.Instance(module, { env: { memory } });
exports.configure(index, count, scratch, sharedWork);
parentPort.postMessage("ready");
try {
  exports.serve();
} catch (error) {
  const words = new Int32Array(memory.buffer, 0, 256);
  Atomics.store(words, failedWord, 1);
  Atomics.notify(words, generationWord);
}
`;

/** Starts a thread for each scratch area after the first, which is the calling thread's. */
export async function startThreads(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  scratch: readonly number[],
  sharedWork: number,
): Promise<ThreadPool> {
  const { Worker } = await import("node:worker_threads");
  const workers = scratch.slice(1).map(
    (own, position) =>
      new Worker(THREAD_SOURCE, {
        eval: true,
        execArgv: [],
        workerData: {
          module,
          memory,
          index: position + 1,
          count: scratch.length,
          scratch: own,
          sharedWork,
          failedWord: FAILED_WORD,
          generationWord: GENERATION_WORD,
        },
      }),
  );
  await Promise.all(
    workers.map(
      (worker) =>
        new Promise<void>((resolve, reject) => {
          worker.once("message", () => resolve());
          worker.once("error", reject);
        }),
    ),
  );
  const words = new Int32Array(memory.buffer, 0, 256);
  for (const worker of workers) worker.unref();
  return {
    abandon() {
      Atomics.store(words, FAILED_WORD, 1);
      Atomics.notify(words, GENERATION_WORD);
    },
    dispose() {
      for (const worker of workers) void worker.terminate();
    },
  };
}
