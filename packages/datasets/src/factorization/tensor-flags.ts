import { z } from "zod";
import { flagError } from "../error.ts";
import { count, outputFlags } from "../flags.ts";

/** The flags of `data tensor`. */
export const tensorDatasetFlags = z.object({
  task_type: z
    .enum(["completion", "sensing"], "must be completion or sensing")
    .default("completion")
    .describe(
      "completion: observe single entries; sensing: observe products with rank-one tensors",
    ),
  num_samples: count(1)
    .default(4096)
    .describe("number of observations; completion: at most all entries, each at most once"),
  order: count(2).default(3).describe("number of modes"),
  mode_dim_size: count(1).default(16).describe("size of every mode"),
  target_tensor_factorization_type: z
    .enum(["cp", "ht"], "must be cp or ht")
    .default("cp")
    .describe("factorization that the target is drawn from"),
  target_tensor_cp_rank: count(1).default(5).describe("CP rank of the target"),
  target_tensor_ht_rank: z
    .array(count(1))
    .min(1, "must have a width for each hidden layer")
    .default([5, 5])
    .describe("hierarchical rank of the target: the width of each hidden layer"),
  target_tensor_ht_pool_size: count(2)
    .default(2)
    .describe("nodes that each node of the target's mode tree merges"),
  target_tensor_ht_pool_pattern: z
    .enum(
      ["checkerboard", "half", "checkerboard_sq"],
      "must be checkerboard, half or checkerboard_sq",
    )
    .default("checkerboard")
    .describe("which nodes are merged: neighbors, opposite ones, or squares of a grid"),
  target_init_mean: z
    .number("must be a number")
    .default(0)
    .describe("mean of the target's Gaussian parameters"),
  target_init_std: z
    .number("must be a number")
    .min(0, "must not be negative")
    .default(1)
    .describe("standard deviation of the target's Gaussian parameters"),
  target_fro_norm: z
    .number("must be a number")
    .default(64)
    .describe("Frobenius norm of the target; 0 or less: 1"),
  target_calibrate_fro_norm: z
    .boolean()
    .default(false)
    .describe("give the target the norm sqrt(number of entries), whatever --target_fro_norm says"),
  random_seed: outputFlags.random_seed(),
  output_dir: outputFlags.output_dir("data/tc/sens"),
  custom_file_name: outputFlags.custom_file_name(),
});

/**
 * The flags of `data tensor`, all given.
 *
 * @interface
 */
export type TensorDatasetFlags = z.output<typeof tensorDatasetFlags>;
/** As on the command line, every one optional; file and target flags do not matter to the generator. */
export type TensorDatasetOptions = z.input<typeof tensorDatasetFlags>;

/** The Frobenius norm that the target must be given. */
export function tensorTargetNorm(flags: TensorDatasetFlags): number {
  if (flags.target_calibrate_fro_norm) return Math.sqrt(flags.mode_dim_size ** flags.order);
  return flags.target_fro_norm > 0 ? flags.target_fro_norm : 1;
}

/**
 * Checks that the target's hierarchical rank has as many widths as its mode tree has hidden layers:
 * N_0 = order, N_{l+1} = ⌈N_l / pool size⌉ until 1.
 * @throws DatasetError (exit code 2)
 */
export function checkHierarchicalRank(flags: TensorDatasetFlags): void {
  if (flags.target_tensor_factorization_type !== "ht") return;
  let layers = 0;
  for (let nodes = flags.order; nodes > 1; layers++) {
    nodes = Math.ceil(nodes / flags.target_tensor_ht_pool_size);
  }
  const given = flags.target_tensor_ht_rank.length;
  if (given !== layers) {
    throw flagError(
      "target_tensor_ht_rank",
      `${given} widths given, but order ${flags.order} with pool size ${flags.target_tensor_ht_pool_size} has ${layers} hidden layers; give ${layers}`,
    );
  }
}
