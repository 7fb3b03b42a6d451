import { readFactorizationDataset } from "@implicit-rank/datasets";
import type { Experiment } from "@implicit-rank/experiment-kit";
import {
  type ExperimentEnvironment,
  localityBiasExperiments,
} from "@implicit-rank/locality-bias/experiment";
import { factorizationExperiments } from "@implicit-rank/tensor-factorization/experiment";
import { loadIsSame, loadPathfinder } from "./images/load-images.ts";

/**
 * Every kind of experiment that a plan or sweep can name.
 *
 * @param defaultThreads of a backend where --threads is 0: one for each core, 1 in a sweep, which runs
 *   as many experiments at once
 */
export function allExperiments(defaultThreads?: number): readonly Experiment[] {
  return [
    ...factorizationExperiments(readFactorizationDataset),
    ...localityBiasExperiments(experimentEnvironment(defaultThreads)),
  ] as readonly Experiment[];
}

/** How the experiments on images get their data and the backend that computes. */
export function experimentEnvironment(defaultThreads?: number): ExperimentEnvironment {
  return {
    loadIsSame,
    loadPathfinder,
    async startBackend(request) {
      // tfjs takes a while to load, which the help of a command need not wait for.
      const { startBackend } = await import("./backend/start-backend.ts");
      return startBackend(request, defaultThreads);
    },
  };
}
