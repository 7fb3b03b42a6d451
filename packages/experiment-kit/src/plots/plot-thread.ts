import { Worker } from "node:worker_threads";

/** Draws the plots of a run in a thread of its own, so that training goes on meanwhile. */
export interface PlotThread {
  readonly busy: boolean;
  /** Starts to draw; resolves when it is done, with what went wrong, if anything. */
  draw(): Promise<string | undefined>;
  close(): Promise<void>;
}

/** The thread is started by the first `draw`; what it needs to draw is loaded only there. */
export function createPlotThread(folder: string): PlotThread {
  let worker: Worker | undefined;
  let pending: Promise<string | undefined> | undefined;

  const start = (): Worker => {
    // As source (tests) the file ends in .ts, as a package in .js.
    const file = import.meta.url.endsWith(".ts") ? "./plot-worker.ts" : "./plot-worker.js";
    const started = new Worker(new URL(file, import.meta.url), { workerData: { folder } });
    started.unref();
    return started;
  };
  const request = (thread: Worker): Promise<string | undefined> =>
    new Promise((resolve) => {
      const settle = (problem: string | undefined): void => {
        thread.off("message", onMessage).off("error", onError).off("exit", onExit);
        resolve(problem);
      };
      const onMessage = ({ problem }: { readonly problem?: string }): void => settle(problem);
      const onError = (error: Error): void => settle(error.message);
      const onExit = (): void => settle("the drawing thread ended");
      thread.on("message", onMessage).on("error", onError).on("exit", onExit);
      thread.postMessage("draw");
    });

  return {
    get busy() {
      return pending !== undefined;
    },
    async draw() {
      await pending;
      worker ??= start();
      const thread = worker;
      thread.ref();
      pending = request(thread).finally(() => {
        pending = undefined;
        thread.unref();
      });
      return pending;
    },
    async close() {
      await worker?.terminate();
    },
  };
}
