import { join } from "node:path";

/** The names inside a run folder. */
export const runPaths = (folder: string) => ({
  config: join(folder, "config.json"),
  metrics: join(folder, "metrics.jsonl"),
  log: join(folder, "experiment.log"),
  summary: join(folder, "summary.json"),
  checkpoints: join(folder, "checkpoints"),
  plots: join(folder, "plots"),
  tensorboard: join(folder, "tensorboard"),
  lock: join(folder, "run.lock"),
});

export type RunPaths = ReturnType<typeof runPaths>;
