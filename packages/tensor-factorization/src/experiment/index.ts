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
