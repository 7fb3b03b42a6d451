import type { Fit } from "../fit/callback.ts";

/** Whether a rule is checked in this epoch: after the cooldown, when `(epoch + 1) % validateEvery == 0`. */
export function isCheckEpoch(fit: Fit, cooldown: number): boolean {
  return fit.epoch >= cooldown && (fit.epoch + 1) % fit.validateEvery === 0;
}
