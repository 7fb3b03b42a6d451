/**
 * The three default training commands on the default completion data, to their stopping rule: generates
 * the data, trains, and prints how the ranks grew.
 *
 *   node benchmarks/default-runs.ts [--engine fused|plain] [--threads 1] [--seed 1] [--folder outputs/default]
 *                                  [--epochs 500000] [--read]
 *
 * `--read` only prints the table of runs that are there already.
 */
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { type MetricHistory, readMetrics, readSummary } from "@implicit-rank/experiment-kit";
import { markdownTable } from "./timing.ts";

const { values: options } = parseArgs({
  options: {
    engine: { type: "string", default: "fused" },
    threads: { type: "string", default: "1" },
    seed: { type: "string", default: "1" },
    folder: { type: "string", default: "outputs/default" },
    epochs: { type: "string", default: "500000" },
    read: { type: "boolean", default: false },
  },
});
const bin = fileURLToPath(new URL("../packages/cli/dist/bin.js", import.meta.url));

/** The cadence of the published commands. */
const cadence =
  "--num_train_samples 2048 --save_logs --save_checkpoints --validate_every 25 --save_every_num_val 50 --epoch_log_interval 25 --train_batch_log_interval -1";

function implicitRank(flags: string): void {
  console.error(`implicit-rank ${flags}`);
  const run = spawnSync(process.execPath, [bin, ...flags.split(" "), "--quiet"], {
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (run.status !== 0)
    throw new Error(`implicit-rank ${flags} failed with exit code ${run.status}`);
}

function newest(folder: string, prefix: string): string {
  const names = readdirSync(folder).filter((name) => name.startsWith(prefix));
  return join(folder, names.sort().at(-1)!);
}

interface Model {
  readonly kind: "mf" | "cp" | "ht";
  readonly data: "matrix" | "tensor";
  /** What grows one by one: metric names by number. */
  component(k: number): string;
  readonly tracked: number;
  readonly effectiveRanks: readonly string[];
}

const models: readonly Model[] = [
  {
    kind: "mf",
    data: "matrix",
    component: (k) => `singular_value_${k}`,
    tracked: 10,
    effectiveRanks: ["e2e_effective_rank"],
  },
  {
    kind: "cp",
    data: "tensor",
    component: (k) => `top_component_${k}_fro_norm`,
    tracked: 10,
    effectiveRanks: [],
  },
  {
    kind: "ht",
    data: "tensor",
    component: (k) => `l_1_f_0_1_top_${k}_local_comp_norm`,
    tracked: 10,
    effectiveRanks: ["mat_0_eff_rank", "mat_1_eff_rank", "mat_2_eff_rank", "mat_0_1_eff_rank"],
  },
];

function trainAll(): void {
  mkdirSync(options.folder, { recursive: true });
  const seed = `--random_seed ${options.seed}`;
  implicitRank(`data matrix ${seed} --output_dir ${options.folder}/data --custom_file_name matrix`);
  implicitRank(`data tensor ${seed} --output_dir ${options.folder}/data --custom_file_name tensor`);
  for (const { kind, data } of models)
    implicitRank(
      `train ${kind} --dataset_path ${newest(`${options.folder}/data`, data)} --epochs ${options.epochs} ${cadence} ${seed} --engine ${options.engine} --threads ${options.threads} --experiment_name ${kind} --outputs_dir ${options.folder}/${options.engine}`,
    );
}

/** The first validated epoch at which a metric is above half of its final value. */
function halfRise(history: MetricHistory, name: string): number {
  const { epochs, values } = history.series.get(name)!;
  const final = values[values.length - 1];
  return epochs[values.findIndex((value) => value > final / 2)];
}

async function describeRun(model: Model, folder: string): Promise<string[]> {
  const summary = (await readSummary(folder))!;
  const history = await readMetrics(folder);
  const final = (name: string): number => summary.last_tracked_values[name].value ?? NaN;
  const components = Array.from({ length: model.tracked }, (_, k) => final(model.component(k)));
  const large = components.filter((norm) => norm > components[0] / 10);
  return [
    model.kind.toUpperCase(),
    String(summary.epochs_run),
    summary.duration_seconds.toFixed(1),
    final("train_mse_loss").toExponential(1),
    final("normalized_reconstruction_error").toExponential(1),
    model.effectiveRanks.map((name) => final(name).toFixed(2)).join(", ") || "–",
    `${large.length}: ${large.map((norm) => norm.toPrecision(3)).join(", ")}; next ${components[large.length].toPrecision(2)}`,
    large.map((_, k) => halfRise(history, model.component(k))).join(", "),
  ];
}

if (!options.read) trainAll();
const rows: string[][] = [];
for (const model of models)
  rows.push(
    await describeRun(model, newest(`${options.folder}/${options.engine}`, `${model.kind}_`)),
  );
console.log(
  markdownTable(
    [
      "model",
      "epochs",
      "seconds",
      "train MSE",
      "normalized error",
      "effective ranks",
      "components above 10% of the largest",
      "half-rise at epoch",
    ],
    rows,
  ),
);
