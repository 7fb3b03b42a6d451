import { z } from "zod";

/** What `sweep` and `plan run` share. */
export const poolFlags = z.object({
  workers: z
    .int()
    .min(1)
    .optional()
    .describe("runs at once, each in a process of its own (default: the cores of the machine)"),
  retry: z.boolean().default(false).describe("also run what failed in an earlier start"),
  metric: z.array(z.string()).default([]).describe("show these metrics too, beside the score"),
  output: z.string().default("").describe("write the results to this .csv or .json file as well"),
  per_run: z
    .boolean()
    .default(false)
    .describe("with --output: a row for each run, not for each group of seeds"),
  force: z.boolean().default(false).describe("replace the files of --output and the figure"),
  plot_config_path: z
    .string()
    .default("")
    .describe(
      "at the end draw this figure of all runs (as plot dynamics does), seeds as mean and band",
    ),
});

/** Flags of `sweep` beside those that it varies. */
export const sweepFlags = z.object({
  ...poolFlags.shape,
  sweep_dir: z
    .string()
    .default("")
    .describe(
      "folder of the sweep and its runs (default: outputs/sweeps/ and a name made of the settings)",
    ),
  executor: z
    .enum(["local", "slurm"])
    .default("local")
    .describe("run in processes on this machine, or as a Slurm job array"),
});

/** Flags of `sweep --executor slurm`. */
export const slurmFlags = z.object({
  slurm_partition: z.string().optional().describe("partition (queue) of the jobs"),
  slurm_time: z
    .string()
    .optional()
    .describe("time limit of a run, for example 30 or 2:00:00; a checkpoint is saved before"),
  slurm_cpus_per_task: z.int().min(1).optional().describe("cores of a run (default: --threads)"),
  slurm_mem: z.string().optional().describe("memory of a run, for example 2G"),
  slurm_array_limit: z.int().min(1).optional().describe("the most runs at once"),
  slurm_extra: z
    .array(z.string())
    .default([])
    .meta({ grouped: true })
    .describe("a further option of sbatch, for example account=lab; may be repeated"),
  wait: z.boolean().default(false).describe("wait until Slurm has run all, then show the results"),
  status: z.boolean().default(false).describe("submit nothing, show how far the sweep is"),
});
