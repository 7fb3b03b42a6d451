import type { Callback, Fit } from "../fit/callback.ts";
import type { RunLog } from "../output/run-log.ts";

export interface CheckpointOptions {
  /** Save when `(epoch + 1) % interval == 0` and at the end; 0: only when training is interrupted. */
  readonly interval: number;
  readonly save: (fit: Fit) => Promise<void>;
  readonly log: RunLog;
}

/** A run that spends more than this share of its time on checkpoints is told so. */
const NOTABLE_SHARE = 0.25;
const NOTABLE_SECONDS = 5;

/**
 * Writes checkpoints. It has to be the last callback, so that what it saves holds every other callback's
 * state after the epoch. A run that diverged is not saved: its last checkpoint is the last good one.
 */
export function checkpointing({ interval, save, log }: CheckpointOptions): Callback {
  let startedAt = 0;
  let secondsSpent = 0;
  const saveTimed = async (fit: Fit): Promise<void> => {
    const before = performance.now();
    await save(fit);
    secondsSpent += (performance.now() - before) / 1000;
  };
  return {
    onFitStart(fit) {
      startedAt = fit.now;
    },
    onEpochEnd(fit) {
      const isDue = interval > 0 && (fit.epoch + 1) % interval === 0 && fit.epoch !== fit.lastEpoch;
      return isDue && fit.stop === undefined ? saveTimed(fit) : undefined;
    },
    onFitEnd(fit) {
      const share = secondsSpent / ((fit.now - startedAt) / 1000);
      if (share > NOTABLE_SHARE && secondsSpent > NOTABLE_SECONDS) {
        log.warning(
          `Writing checkpoints took ${Math.round(100 * share)}% of the time; a larger --save_every_num_val saves it`,
        );
      }
      if (fit.stop?.kind === "not-finite" || fit.epoch < 0) return undefined;
      return interval > 0 || fit.stop?.kind === "interrupted" ? save(fit) : undefined;
    },
  };
}
