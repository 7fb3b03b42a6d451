import { readFactorizationDataset } from "@implicit-rank/datasets";
import type { Experiment } from "@implicit-rank/experiment-kit";
import { factorizationExperiments } from "@implicit-rank/tensor-factorization/experiment";

/** Every kind of experiment that a plan or sweep can name. */
export function allExperiments(): readonly Experiment[] {
  return factorizationExperiments(readFactorizationDataset) as readonly Experiment[];
}
