import type { Callback, Fit } from "../fit/callback.ts";

export interface CheckpointOptions {
  /** Save when `(epoch + 1) % interval == 0` and at the end; 0: only when training is interrupted. */
  readonly interval: number;
  readonly save: (fit: Fit) => Promise<void>;
}

/**
 * Writes checkpoints. It has to be the last callback, so that what it saves holds every other callback's
 * state after the epoch. A run that diverged is not saved: its last checkpoint is the last good one.
 */
export function checkpointing({ interval, save }: CheckpointOptions): Callback {
  return {
    onEpochEnd(fit) {
      const isDue = interval > 0 && (fit.epoch + 1) % interval === 0 && fit.epoch !== fit.lastEpoch;
      return isDue && fit.stop === undefined ? save(fit) : undefined;
    },
    onFitEnd(fit) {
      if (fit.stop?.kind === "not-finite" || fit.epoch < 0) return undefined;
      return interval > 0 || fit.stop?.kind === "interrupted" ? save(fit) : undefined;
    },
  };
}
