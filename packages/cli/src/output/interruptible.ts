const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/** Exit code of a command that was interrupted and can go on later. */
export const INTERRUPTED = 130;

class Interruption extends Error {}

/**
 * Runs work that stops when its signal is aborted; the first Ctrl-C (or SIGTERM, SIGHUP) aborts it, a
 * second one ends the process. Returns undefined if it was interrupted.
 */
export async function interruptible<Result>(
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result | undefined> {
  const controller = new AbortController();
  const stop = (): void => {
    controller.abort(new Interruption("interrupted"));
    for (const name of SIGNALS) process.off(name, stop);
  };
  for (const name of SIGNALS) process.on(name, stop);
  try {
    return await work(controller.signal);
  } catch (error) {
    if (error instanceof Interruption) return undefined;
    throw error;
  } finally {
    for (const name of SIGNALS) process.off(name, stop);
  }
}
