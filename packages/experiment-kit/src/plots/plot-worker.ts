import { parentPort, workerData } from "node:worker_threads";
import { createRunPlotter } from "./draw-run-plots.ts";

/** Answers every message with one: nothing, or why the plots could not be drawn. */
const plotter = createRunPlotter((workerData as { readonly folder: string }).folder);
parentPort!.on("message", () => {
  plotter.draw().then(
    () => parentPort!.postMessage({}),
    (error: unknown) =>
      parentPort!.postMessage({ problem: error instanceof Error ? error.message : String(error) }),
  );
});
