/**
 * The factorization experiments for `@implicit-rank/experiment-kit`: `train mf`, `train cp` and `train
 * ht` of the command line.
 *
 * ```ts
 * import { factorizationExperiments } from "@implicit-rank/tensor-factorization/experiment";
 * ```
 *
 * @module
 */

export {
  cpExperiment,
  factorizationExperiments,
  hierarchicalExperiment,
  type LoadData,
  matrixExperiment,
} from "./experiments.ts";
export { type FactorizationData } from "./factorization-data.ts";
export {
  type CpFlags,
  cpFlags,
  type HierarchicalFlags,
  hierarchicalFlags,
  type MatrixFlags,
  matrixFlags,
} from "./flags.ts";
