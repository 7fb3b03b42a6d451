import { z } from "zod";

/** The flags that every experiment has (names and defaults of the PyTorch counterpart, and a few of ours). */
export const sharedFlags = z.object({
  experiment_name: z.string().default("exp").describe("prefix of the run folder's name"),
  outputs_dir: z
    .string()
    .min(1)
    .default("outputs/exps")
    .describe("folder that the run folder is made in"),
  random_seed: z
    .number()
    .int()
    .min(-1)
    .default(-1)
    .describe("seed of all random choices; -1 draws one and records it in config.json"),
  epochs: z.number().int().min(1).default(100).describe("number of epochs to run"),
  validate_every: z.number().int().min(1).default(1).describe("validate after every n-th epoch"),
  epoch_log_interval: z
    .number()
    .int()
    .default(1)
    .describe(
      "record every n-th epoch in metrics.jsonl and the log (validations always are); 0 or less: validations only",
    ),
  train_batch_log_interval: z
    .number()
    .int()
    .default(50)
    .describe("log every n-th batch within an epoch; 0 or less: never"),
  save_every_num_val: z
    .number()
    .int()
    .min(1)
    .default(1)
    .describe("save checkpoints and plots every n-th validation"),
  save_metric_plots: z
    .boolean()
    .default(false)
    .describe("draw every group of metrics as SVG and PNG in plots/"),
  save_checkpoints: z
    .boolean()
    .default(false)
    .describe("write checkpoints while training and at the end"),
  num_checkpoints: z.number().int().min(1).default(1).describe("number of checkpoints to keep"),
  save_checkpoints_by_score: z
    .boolean()
    .default(false)
    .describe(
      "keep the best-scoring checkpoints instead of the newest (the newest is always kept too)",
    ),
  trainer_checkpoint: z
    .string()
    .default("")
    .describe(
      "start from this checkpoint file or run folder and run --epochs more epochs in a new run folder",
    ),
  score_metric_name: z
    .string()
    .default("")
    .describe("metric that the run is judged by; empty: the experiment's own score"),
  is_train_metric: z.boolean().default(false).describe("the score metric is a train metric"),
  score_largest: z
    .boolean()
    .optional()
    .describe(
      "larger scores are better (true for a named metric; the experiment's own score has its own direction)",
    ),
  return_best_score: z
    .boolean()
    .default(false)
    .describe("report the best epoch's score instead of the last"),
  early_stop: z.boolean().default(false).describe("stop when the score no longer improves"),
  early_stop_min_delta: z
    .number()
    .min(0)
    .default(0)
    .describe("smallest change of the score that is an improvement"),
  early_stop_patience: z
    .number()
    .int()
    .min(0)
    .default(0)
    .describe("checks without improvement that are tolerated"),
  early_stop_cooldown: z
    .number()
    .int()
    .min(0)
    .default(0)
    .describe("epochs at the start without checks"),
  early_stop_restore_best: z
    .boolean()
    .default(false)
    .describe("with --early_stop: end with the parameters of the best epoch"),
  timeout_seconds: z
    .number()
    .min(0)
    .default(0)
    .describe("stop after this many seconds of training; 0: never"),
  disable_console_log: z.boolean().default(false).describe("print nothing"),
  save_logs: z
    .boolean()
    .default(false)
    .describe(
      "accepted for old commands: config.json, experiment.log and summary.json are always written",
    ),
  gpu_ids: z
    .array(z.number().int().min(0))
    .default([])
    .describe("accepted for old commands: runs use the CPU, or the GPU of their --backend"),
  use_test_dataset: z
    .boolean()
    .default(false)
    .describe("accepted for old commands: the validation set is the test set already"),
  use_tensorboard: z.boolean().default(false).describe("write TensorBoard event files"),
  tensorboard: z.boolean().default(false).describe("the same as --use_tensorboard"),
  use_wandb: z
    .boolean()
    .default(false)
    .describe("accepted for old commands: Weights & Biases is not supported"),
  wandb_project_name: z
    .string()
    .default("default")
    .describe("accepted for old commands, see --use_wandb"),
  wandb_entity_name: z.string().default("").describe("accepted for old commands, see --use_wandb"),
  wandb_resume_path: z.string().default("").describe("accepted for old commands, see --use_wandb"),
  wandb_track_model: z
    .enum(["gradients", "parameters", "all"])
    .nullable()
    .default(null)
    .describe("accepted for old commands, see --use_wandb"),
  wandb_exclude_files: z
    .array(z.string())
    .default(["plots/**"])
    .describe("accepted for old commands, see --use_wandb"),
});

/** The parsed shared flags. */
export type SharedFlags = z.infer<typeof sharedFlags>;
