export { createRandom, randomSeed, restoreRandom } from "./random.ts";
export type { Random } from "./random.ts";
