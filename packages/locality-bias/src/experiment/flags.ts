import { z } from "zod";

/** The models of the experiments: ResNets of these numbers of layers. */
export const modelNames = ["resnet18", "resnet34", "resnet50", "resnet101", "resnet152"] as const;

/** How tensors are computed; the command line starts them. */
export const backendNames = ["auto", "simd", "node", "node-gpu", "webgpu", "wasm", "cpu"] as const;
/**
 * The backends of TensorFlow.js that a run may ask for.
 *
 * @useDeclaredType
 */
export type BackendName = (typeof backendNames)[number];

/** Flags that both experiments share. */
const trainingFlags = {
  model: z.enum(modelNames).default("resnet18").describe("network, trained from scratch"),
  model_width: z
    .int()
    .min(1)
    .default(64)
    .describe("channels of the network's first stage; fewer train faster"),
  model_stem: z
    .enum(["imagenet", "small"])
    .default("imagenet")
    .describe(
      "first layers: 7 × 7 with stride 2 and pooling, or 3 × 3 with stride 1 for small images",
    ),
  dropout: z
    .number()
    .min(0)
    .lt(1)
    .default(0)
    .describe("dropout probability after the stages and the pooling"),
  batch_size: z.int().default(64).describe("samples of a batch; 0 or less: all at once"),
  gradient_accumulation: z
    .int()
    .default(-1)
    .describe("batches whose gradients make one update; 1 or less: an update after every batch"),
  lr: z.number().positive().default(0.01).describe("learning rate"),
  optimizer: z.enum(["sgd", "adam"]).default("sgd").describe("optimizer"),
  momentum: z.number().min(0).lt(1).default(0.9).describe("momentum of sgd"),
  weight_decay: z
    .number()
    .min(0)
    .default(0)
    .describe("weight decay: this times the parameters is added to the gradient"),
  stop_on_perfect_train_acc: z
    .boolean()
    .default(false)
    .describe("stop when the train accuracy stays at 1"),
  stop_on_perfect_train_acc_patience: z
    .int()
    .min(0)
    .default(20)
    .describe("checks in a row (one every validate_every epochs) that it may be 1 before"),
  grad_change_reg_coeff: z
    .number()
    .min(0)
    .default(0)
    .describe("coefficient of the input-gradient-change regularizer; 0: it is not computed"),
} as const;

const machineFlags = {
  backend: z
    .enum(backendNames)
    .default("auto")
    .describe("what computes: auto is simd, or what this machine has instead"),
  threads: z
    .int()
    .min(0)
    .max(128)
    .default(0)
    .describe("threads of the backend; 0: one for each core (in a sweep: 1)"),
} as const;

/** Flags of `train is-same`. */
export const isSameFlags = z.object({
  train_dataset_path: z
    .string()
    .min(1)
    .describe('training pairs, a file of "data is-same" or a .pt of the Python scripts'),
  test_dataset_path: z.string().min(1).describe("test pairs"),
  source_dir: z
    .string()
    .default("")
    .describe("folder of the images that the pairs are of; empty: data/ and the source's name"),
  num_train_samples: z.int().default(-1).describe("training pairs to use; below 0: all"),
  num_test_samples: z.int().default(-1).describe("test pairs to use; below 0: all"),
  distance: z.int().min(0).default(0).describe("pixels between the two images"),
  input_width: z.int().min(1).default(224).describe("width of the canvas that the images are on"),
  input_height: z.int().min(1).default(224).describe("height of the canvas"),
  preload_data_to_memory: z
    .boolean()
    .default(false)
    .describe("compose all pairs before training instead of while training"),
  ...trainingFlags,
  ...machineFlags,
});

/** Flags of `train pathfinder`. */
export const pathfinderFlags = z.object({
  dataset_path: z.string().min(1).describe('train and test images, a file of "data pathfinder"'),
  num_train_samples: z.int().default(-1).describe("training images to use; below 0: all"),
  num_test_samples: z.int().default(-1).describe("test images to use; below 0: all"),
  ...trainingFlags,
  reg_patch_size: z.int().min(1).default(2).describe("height and width of the swapped patches"),
  reg_distance: z
    .int()
    .min(0)
    .default(0)
    .describe("least number of pixels between the two patches"),
  reg_only_adjecent_patches: z
    .boolean()
    .default(false)
    .describe("patches at exactly that distance only"),
  reg_only_adjacent_patches: z
    .boolean()
    .default(false)
    .describe("the same as --reg_only_adjecent_patches"),
  ...machineFlags,
});

/**
 * The flags of `train is-same`, all given.
 *
 * @interface
 */
export type IsSameFlags = z.infer<typeof isSameFlags>;
/**
 * The flags of `train pathfinder`, all given.
 *
 * @interface
 */
export type PathfinderFlags = z.infer<typeof pathfinderFlags>;
export type TrainingFlags = Pick<
  IsSameFlags,
  keyof typeof trainingFlags | keyof typeof machineFlags
>;
