import { z } from "zod";

const integer = (): z.ZodInt => z.int();
const positive = (): z.ZodInt => z.int().min(1);

/** Flags of every `train` command of a factorization; names and defaults as in the PyTorch scripts. */
const trainingFlags = {
  dataset_path: z.string().min(1).describe("data set file to train on"),
  num_train_samples: positive()
    .default(2048)
    .describe("samples to train on: the first of the data set"),
  batch_size: integer()
    .default(-1)
    .describe("samples of one update; 0 or less: all of them (then nothing is shuffled)"),
  loss: z.enum(["l2", "l1", "huber"]).default("l2").describe("training loss, a mean over samples"),
  huber_loss_thresh: z
    .number()
    .positive()
    .default(1)
    .describe("residual at which the huber loss becomes linear"),
  lr: z.number().positive().default(0.01).describe("learning rate"),
  optimizer: z.enum(["grouprmsprop", "sgd"]).default("grouprmsprop").describe("optimizer"),
  momentum: z.number().min(0).lt(1).default(0).describe("momentum of sgd"),
  stop_on_zero_loss_tol: z
    .number()
    .min(0)
    .default(5e-5)
    .describe("stop when train_mse_loss stays below this"),
  stop_on_zero_loss_patience: z
    .int()
    .min(0)
    .default(100)
    .describe("checks in a row (one every validate_every epochs) that the loss may stay below it"),
  load_dataset_to_gpu: z
    .boolean()
    .default(false)
    .describe("accepted for compatibility; data is in memory anyway"),
  compute_svd_on_cpu: z
    .boolean()
    .default(false)
    .describe("accepted for compatibility; singular values are computed on the CPU anyway"),
  engine: z
    .enum(["fused", "plain", "tfjs"])
    .default("fused")
    .describe(
      "how steps are computed: fused SIMD kernels, the readable reference, or tfjs autodiff",
    ),
  threads: positive().default(1).describe("threads that share every step of the fused engine"),
} as const;

const testFlag = {
  num_test_samples: integer()
    .default(-1)
    .describe("samples to test on: the last of the data set; -1: all that are not trained on"),
} as const;

const meanFlag = {
  init_mean: z.number().default(0).describe("mean of the initial parameters"),
} as const;

function deviationFlag(std: number): { init_std: z.ZodDefault<z.ZodNumber> } {
  return {
    init_std: z
      .number()
      .min(0)
      .default(std)
      .describe("standard deviation of the initial parameters"),
  };
}

function topFlag(count: number, what: string): { num_top_to_track: z.ZodDefault<z.ZodInt> } {
  return {
    num_top_to_track: positive()
      .default(count)
      .describe(`how many of the largest ${what} to track`),
  };
}

/** Flags of `train mf`. */
export const matrixFlags = z.object({
  ...trainingFlags,
  depth: positive().default(3).describe("number of matrices in the product"),
  weight_init_type: z
    .enum(["normal", "identity"])
    .default("normal")
    .describe("initial matrices: normal entries, or init_std times the identity"),
  ...deviationFlag(1e-3),
  ...topFlag(10, "singular values"),
});

/** Flags of `train cp`. */
export const cpFlags = z.object({
  ...trainingFlags,
  ...testFlag,
  num_cp_components: integer()
    .default(-1)
    .describe("components; -1: the product of all mode sizes but the largest"),
  ...meanFlag,
  ...deviationFlag(1e-3),
  ...topFlag(10, "components and factor columns"),
});

/** Flags of `train ht`. */
export const hierarchicalFlags = z.object({
  ...trainingFlags,
  ...testFlag,
  ht_pool_size: z.int().min(2).default(2).describe("nodes that are pooled together in each layer"),
  ht_pool_pattern: z
    .enum(["checkerboard", "half", "checkerboard_sq"])
    .default("checkerboard")
    .describe("which nodes are pooled together"),
  ht_layer_widths: z
    .array(positive())
    .min(1)
    .default([512, 512])
    .describe("width of each hidden layer"),
  ...meanFlag,
  ...deviationFlag(1e-2),
  ...topFlag(15, "local components, weight vectors and singular values"),
  additional_matricizations_to_track: z
    .array(z.string())
    .default([])
    .meta({ grouped: true })
    .describe("modes of a further matricization to track, for example 0 2; may be repeated"),
});

/**
 * The flags of `train mf`, all given.
 *
 * @interface
 */
export type MatrixFlags = z.infer<typeof matrixFlags>;
/**
 * The flags of `train cp`, all given.
 *
 * @interface
 */
export type CpFlags = z.infer<typeof cpFlags>;
/**
 * The flags of `train ht`, all given.
 *
 * @interface
 */
export type HierarchicalFlags = z.infer<typeof hierarchicalFlags>;
export type TrainingFlags = Pick<MatrixFlags, keyof typeof trainingFlags>;
