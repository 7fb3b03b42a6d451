/**
 * Seeded random numbers with the same bits on every machine, whose state can be saved and restored.
 *
 * ```ts
 * import { createRandom } from "@implicit-rank/random";
 * ```
 *
 * @module
 */

export { createRandom, randomSeed, restoreRandom } from "./random.ts";
export type { Random } from "./random.ts";
