import { readFactorizationDataset } from "@implicit-rank/datasets";
import type { Experiment } from "@implicit-rank/experiment-kit";
import { factorizationExperiments } from "@implicit-rank/tensor-factorization/experiment";

/** mf, cp and ht. */
export const factorizations = factorizationExperiments(
  readFactorizationDataset,
) as readonly Experiment[];
