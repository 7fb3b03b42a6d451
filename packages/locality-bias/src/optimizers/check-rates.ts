import { LocalityBiasError } from "../errors.ts";

const flags: Readonly<Record<string, string>> = {
  learningRate: "--lr",
  momentum: "--momentum",
  weightDecay: "--weight_decay",
};

/** @throws LocalityBiasError if one is negative or not a number. */
export function checkRates(rates: Readonly<Record<string, number>>): void {
  for (const [name, value] of Object.entries(rates)) {
    if (!(value >= 0) || !Number.isFinite(value)) {
      throw new LocalityBiasError(
        `${flags[name] ?? name}: is ${value}; give a number of 0 or more`,
      );
    }
  }
}
