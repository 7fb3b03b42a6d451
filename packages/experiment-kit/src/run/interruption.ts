/** Set once somebody wants the run to end after its epoch. */
export interface Interruption {
  reason: string | undefined;
}

const SIGNALS = ["SIGINT", "SIGTERM", "SIGHUP"] as const;

/**
 * Watches for signals and an AbortSignal. On the first, `interruption.reason` is set and the handlers
 * are removed, so that a second signal has its usual effect: it ends the process at once.
 */
export function watchInterruption(
  options: { readonly handleSignals: boolean; readonly signal?: AbortSignal | undefined },
  onInterrupt: (reason: string) => void,
): { readonly interruption: Interruption; readonly dispose: () => void } {
  const interruption: Interruption = { reason: undefined };
  const interrupt = (reason: string): void => {
    dispose();
    interruption.reason = reason;
    onInterrupt(reason);
  };
  const onSignal = (name: NodeJS.Signals): void =>
    interrupt(name === "SIGINT" ? "interrupted by Ctrl-C" : `interrupted by ${name}`);
  const onAbort = (): void => interrupt("interrupted");
  const dispose = (): void => {
    for (const name of SIGNALS) process.off(name, onSignal);
    options.signal?.removeEventListener("abort", onAbort);
  };
  if (options.handleSignals) for (const name of SIGNALS) process.on(name, onSignal);
  if (options.signal?.aborted === true) onAbort();
  else options.signal?.addEventListener("abort", onAbort);
  return { interruption, dispose };
}
