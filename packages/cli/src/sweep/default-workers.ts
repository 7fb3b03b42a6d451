import { availableParallelism } from "node:os";
import type { SweepTask } from "@implicit-rank/experiment-kit";

/** As many runs at once as the cores can take, with the threads that each run has. */
export function defaultWorkers(tasks: readonly SweepTask[]): number {
  const threads = Math.max(1, ...tasks.map(({ flags }) => Number(flags["threads"] ?? 1)));
  return Math.max(1, Math.floor(availableParallelism() / threads));
}
