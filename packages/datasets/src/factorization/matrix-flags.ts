import { z } from "zod";
import { count, outputFlags } from "../flags.ts";

/** The flags of `data matrix`. */
export const matrixDatasetFlags = z.object({
  task_type: z
    .enum(["completion", "sensing"], "must be completion or sensing")
    .default("completion")
    .describe(
      "completion: observe single entries; sensing: observe products with Gaussian matrices",
    ),
  num_samples: count(1)
    .default(4096)
    .describe(
      "number of observations; completion: at most rows × columns, each entry at most once",
    ),
  num_rows: count(1).default(64).describe("rows of the target"),
  num_cols: count(1).default(64).describe("columns of the target"),
  rank: count(1).default(5).describe("rank of the target"),
  use_symmetric_target: z
    .boolean()
    .default(false)
    .describe("target U Uᵀ instead of U Vᵀ (square only)"),
  target_fro_norm: z
    .number("must be a number")
    .default(64)
    .describe("Frobenius norm of the target; 0 or less: sqrt(rows × columns)"),
  random_seed: outputFlags.random_seed(),
  output_dir: outputFlags.output_dir("data/mf"),
  custom_file_name: outputFlags.custom_file_name(),
});

/**
 * The flags of `data matrix`, all given.
 *
 * @interface
 */
export type MatrixDatasetFlags = z.output<typeof matrixDatasetFlags>;
/** As on the command line, every one optional; file flags do not matter to the generator. */
export type MatrixDatasetOptions = z.input<typeof matrixDatasetFlags>;

/** The Frobenius norm that the target gets. */
export function matrixTargetNorm(flags: MatrixDatasetFlags): number {
  return flags.target_fro_norm > 0
    ? flags.target_fro_norm
    : Math.sqrt(flags.num_rows * flags.num_cols);
}
