import type {
  Experiment,
  PrepareContext,
  StopRule,
  Trainable,
} from "@implicit-rank/experiment-kit";
import type { Random } from "@implicit-rank/random";
import type { PatchPair } from "../regularizer/patch.ts";
import {
  checkPathfinderPatches,
  isSamePatches,
  pathfinderPatches,
} from "../regularizer/patch-samplers.ts";
import type { StartBackend } from "./backend.ts";
import {
  type IsSameFlags,
  isSameFlags,
  type PathfinderFlags,
  pathfinderFlags,
  type TrainingFlags,
} from "./flags.ts";
import { checkSets, type ImageBatches } from "./image-batches.ts";
import { resNetTorchImport } from "./torch-import.ts";

/** What a set of images is loaded with, for either experiment. */
interface SetRequest {
  /** Below 0: all. */
  readonly samples: number;
  /** 0 or less: all at once. */
  readonly batchSize: number;
  /** Of the order in every epoch; undefined: always that of the file. */
  readonly seed?: number;
}

/** The set of pairs that a run wants. */
export interface IsSameSetRequest extends SetRequest {
  readonly use: "train" | "test";
  readonly path: string;
  /** Empty: where the images of the file's source usually are. */
  readonly sourceDir: string;
  readonly distance: number;
  readonly height: number;
  readonly width: number;
  readonly preload: boolean;
}

/** The pathfinder set that a run wants. */
export interface PathfinderSetRequest extends SetRequest {
  readonly path: string;
  readonly split: "train" | "test";
}

/** What the experiments need of the packages that they do not know; the command line passes it. */
export interface ExperimentEnvironment {
  /** Opens a set of pairs of images. */
  loadIsSame(request: IsSameSetRequest): Promise<ImageBatches>;
  /** Opens a split of a pathfinder set. */
  loadPathfinder(request: PathfinderSetRequest): Promise<ImageBatches>;
  startBackend: StartBackend;
}

/** Are two images at a distance of the same class? `train is-same`. */
export function isSameExperiment(environment: ExperimentEnvironment): Experiment<IsSameFlags> {
  return {
    name: "is-same",
    flags: isSameFlags,
    torch: resNetTorchImport(3, untoldOfIsSame),
    defaultScore,
    stops: perfectAccuracyStop,
    async prepare(flags, context) {
      const shared = {
        sourceDir: flags.source_dir,
        distance: flags.distance,
        height: flags.input_height,
        width: flags.input_width,
        batchSize: flags.batch_size,
        preload: flags.preload_data_to_memory,
      };
      return prepareTrainable(environment, flags, context, {
        loadTrain: (seed) =>
          environment.loadIsSame({
            ...shared,
            use: "train",
            path: flags.train_dataset_path,
            samples: flags.num_train_samples,
            seed,
          }),
        loadTest: () =>
          environment.loadIsSame({
            ...shared,
            use: "test",
            path: flags.test_dataset_path,
            samples: flags.num_test_samples,
          }),
        patches({ places: [first, second] }) {
          if (first === undefined || second === undefined)
            throw new Error("the loader of pairs must tell where their images lie");
          return (random) => isSamePatches([first, second], random);
        },
      });
    },
  };
}

/** Are two points connected by a path? `train pathfinder`. */
export function pathfinderExperiment(
  environment: ExperimentEnvironment,
): Experiment<PathfinderFlags> {
  return {
    name: "pathfinder",
    flags: pathfinderFlags,
    torch: resNetTorchImport(1, untoldOfPathfinder),
    defaultScore,
    stops: perfectAccuracyStop,
    async prepare(flags, context) {
      const shared = { path: flags.dataset_path, batchSize: flags.batch_size };
      return prepareTrainable(environment, flags, context, {
        loadTrain: (seed) =>
          environment.loadPathfinder({
            ...shared,
            split: "train",
            samples: flags.num_train_samples,
            seed,
          }),
        loadTest: () =>
          environment.loadPathfinder({ ...shared, split: "test", samples: flags.num_test_samples }),
        patches({ sampleShape: [height, width] }) {
          const options = {
            height,
            width,
            size: flags.reg_patch_size,
            distance: flags.reg_distance,
            adjacentOnly: flags.reg_only_adjecent_patches || flags.reg_only_adjacent_patches,
          };
          if (flags.grad_change_reg_coeff > 0) checkPathfinderPatches(options);
          return (random) => pathfinderPatches(options, random);
        },
      });
    },
  };
}

/** Both experiments, for a command line. */
export function localityBiasExperiments(
  environment: ExperimentEnvironment,
): readonly [Experiment<IsSameFlags>, Experiment<PathfinderFlags>] {
  return [isSameExperiment(environment), pathfinderExperiment(environment)];
}

/** Flags of the scripts that no checkpoint tells. */
const untold = [
  "num_train_samples",
  "batch_size",
  "gradient_accumulation",
  "dropout",
  "grad_change_reg_coeff",
  "stop_on_perfect_train_acc",
  "stop_on_perfect_train_acc_patience",
];
const untoldOfIsSame = [
  "train_dataset_path",
  "test_dataset_path",
  "num_test_samples",
  "distance",
  "input_width",
  "input_height",
  ...untold,
];
const untoldOfPathfinder = [
  "dataset_path",
  "reg_patch_size",
  "reg_distance",
  "reg_only_adjecent_patches",
  ...untold,
];

const defaultScore = { metric: "val accuracy", source: "validation", largest: true } as const;

function perfectAccuracyStop(flags: TrainingFlags): readonly StopRule[] {
  if (!flags.stop_on_perfect_train_acc) return [];
  return [
    {
      kind: "metric-value",
      metric: "train accuracy",
      threshold: 1,
      largest: true,
      patience: flags.stop_on_perfect_train_acc_patience,
    },
  ];
}

interface Task {
  loadTrain(seed: number): Promise<ImageBatches>;
  loadTest(): Promise<ImageBatches>;
  /** How the regularizer's patches of a batch are drawn. */
  patches(train: ImageBatches): (random: Random) => PatchPair;
}

/** Loads both sets, and the backend only once they are known to be good. */
async function prepareTrainable(
  environment: ExperimentEnvironment,
  flags: TrainingFlags,
  context: PrepareContext,
  task: Task,
): Promise<Trainable> {
  const opened: ImageBatches[] = [];
  const open = async (loading: Promise<ImageBatches>): Promise<ImageBatches> => {
    const set = await loading;
    opened.push(set);
    return set;
  };
  try {
    const train = await open(task.loadTrain(context.random.fork("batches").int(2 ** 32)));
    const test = await open(task.loadTest());
    checkSets(train, test);
    const sampler = task.patches(train);
    const backend = await environment.startBackend({
      backend: flags.backend,
      threads: flags.threads,
      log: (line) => context.log(line),
    });
    const drawPatches = flags.grad_change_reg_coeff > 0 ? { drawPatches: sampler } : {};
    // tfjs takes a while to load, which the list of flags need not wait for.
    const { createTrainable } = await import("./trainable.ts");
    return createTrainable({ train, test, flags, context, backend, ...drawPatches });
  } catch (error) {
    // Loaders hold worker threads, which would keep the process alive.
    await Promise.all(opened.map((set) => set.close()));
    throw error;
  }
}
