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
