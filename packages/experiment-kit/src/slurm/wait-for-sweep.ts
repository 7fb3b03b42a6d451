import { setTimeout as delay } from "node:timers/promises";
import type { Sweep } from "../sweep/sweep-file.ts";
import { readSlurmStatus } from "./slurm-status.ts";
import type { SlurmStatus } from "./slurm-status.ts";

/** Reads the state of a sweep every few seconds, until no run is queued or running, or `signal` aborts. */
export async function waitForSweep(
  sweep: Sweep,
  options: {
    readonly seconds?: number;
    readonly signal?: AbortSignal;
    onStatus?(status: SlurmStatus): void;
  } = {},
): Promise<SlurmStatus> {
  const { seconds = 5, signal } = options;
  for (;;) {
    const status = await readSlurmStatus(sweep);
    options.onStatus?.(status);
    const isActive = status.statuses.some(({ state }) => state === "queued" || state === "running");
    if (!isActive || signal?.aborted === true) return status;
    await delay(seconds * 1000, undefined, signal === undefined ? {} : { signal }).catch(
      () => undefined,
    );
  }
}
