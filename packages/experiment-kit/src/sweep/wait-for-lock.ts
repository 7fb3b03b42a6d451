import { setTimeout as delay } from "node:timers/promises";
import { isRunning } from "../run-folder/lock.ts";

/** A process on another machine that died counts as alive for five minutes. */
const LONGEST_WAIT_MS = 10 * 60_000;
const POLL_MS = 500;

/**
 * Waits while another process is at a run: a worker whose sweep was killed and that is ending its epoch,
 * or an array task that was requeued while its node does not answer.
 */
export async function waitForLock(folder: string, signal?: AbortSignal): Promise<void> {
  const deadline = performance.now() + LONGEST_WAIT_MS;
  while ((await isRunning(folder)) && performance.now() < deadline && signal?.aborted !== true)
    await delay(POLL_MS, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
}
