import type { Callback, Fit } from "../fit/callback.ts";
import type { RunLog } from "../output/run-log.ts";
import type { PlotThread } from "../plots/plot-thread.ts";

export interface MetricsPlotterOptions {
  readonly thread: PlotThread;
  /** Redraw when `(epoch + 1) % interval == 0`, and at the end. */
  readonly interval: number;
  readonly log: RunLog;
  /** Makes the metrics recorded so far readable. */
  readonly flush: () => void;
}

/** Where epochs are fast, drawing takes at most about a tenth of the time, and a plot is at least this old. */
const SHORTEST_PAUSE_MS = 5000;
const PAUSE_FACTOR = 10;

/** Redraws the plots of all metrics while training goes on, and at its end. */
export function metricsPlotter({ thread, interval, log, flush }: MetricsPlotterOptions): Callback {
  let drawAt = 0;
  const draw = async (): Promise<void> => {
    const startedAt = performance.now();
    flush();
    const problem = await thread.draw();
    if (problem !== undefined) log.warning(`Plots could not be drawn: ${problem}`);
    const now = performance.now();
    drawAt = now + Math.max(SHORTEST_PAUSE_MS, PAUSE_FACTOR * (now - startedAt));
  };
  return {
    onFitStart(fit: Fit) {
      drawAt = fit.now + SHORTEST_PAUSE_MS;
    },
    onEpochEnd(fit: Fit) {
      if ((fit.epoch + 1) % interval !== 0 || fit.now < drawAt || thread.busy) return;
      drawAt = Infinity;
      void draw();
    },
    onFitEnd: () => draw(),
    onFitTermination: () => thread.close(),
  };
}
