import type { Callback, Fit } from "../fit/callback.ts";
import { StopRequest } from "../fit/stop-request.ts";

/**
 * Stops at the end of the first epoch after `seconds` of training: wall time (that before a resume
 * counts), or the CPU time of this process since the fit started.
 */
export function stopOnTimeout(options: {
  readonly seconds: number;
  readonly useProcessTime?: boolean;
}): Callback {
  const { seconds, useProcessTime = false } = options;
  let cpuAtStart = process.cpuUsage();
  let earlierCpuSeconds = 0;
  const cpuSeconds = (): number => {
    const { user, system } = process.cpuUsage(cpuAtStart);
    return earlierCpuSeconds + (user + system) / 1e6;
  };
  return {
    onFitStart() {
      cpuAtStart = process.cpuUsage();
    },
    onEpochEnd(fit: Fit) {
      const spent = useProcessTime ? cpuSeconds() : fit.elapsedSeconds();
      if (spent < seconds) return;
      throw new StopRequest(
        "timeout",
        `the time limit of ${seconds} s of ${useProcessTime ? "CPU" : "training"} time was reached`,
      );
    },
    state: () => (useProcessTime ? { cpuSeconds: cpuSeconds() } : {}),
    restoreState(state) {
      const saved = (state as { readonly cpuSeconds?: unknown } | null)?.cpuSeconds;
      earlierCpuSeconds = typeof saved === "number" ? saved : 0;
    },
  };
}
