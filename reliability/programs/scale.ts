import { randomSeed } from "@implicit-rank/random";

/** How much larger than in `npm test` a run of the suite is: `RELIABILITY_ROUNDS=10 npm run faults`. */
export const rounds = Math.max(1, Number(process.env["RELIABILITY_ROUNDS"] || 1));

/** Chooses where faults strike; `RELIABILITY_SEED` strikes in the same places again. */
export const seedOfDay = Number(process.env["RELIABILITY_SEED"] || randomSeed());
