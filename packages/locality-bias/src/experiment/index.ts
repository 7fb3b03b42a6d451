/**
 * The image experiments for `@implicit-rank/experiment-kit`: `train is-same` and `train pathfinder` of
 * the command line.
 *
 * ```ts
 * import { localityBiasExperiments } from "@implicit-rank/locality-bias/experiment";
 * ```
 *
 * @module
 */

export type { BackendRequest, StartBackend, StartedBackend } from "./backend.ts";
export {
  type ExperimentEnvironment,
  isSameExperiment,
  type IsSameSetRequest,
  localityBiasExperiments,
  pathfinderExperiment,
  type PathfinderSetRequest,
} from "./experiments.ts";
export {
  type BackendName,
  backendNames,
  type IsSameFlags,
  isSameFlags,
  type PathfinderFlags,
  pathfinderFlags,
} from "./flags.ts";
export type { ImageBatch, ImageBatches, ImagePlace } from "./image-batches.ts";
