import { resolve } from "node:path";
import {
  generateMatrixDataset,
  generateTensorDataset,
  matrixDatasetFlags,
  matrixDatasetName,
  readFactorizationDataset,
  saveFactorizationDataset,
  tensorDatasetFlags,
  tensorDatasetName,
} from "@implicit-rank/datasets";
import {
  type Experiment,
  listFlags,
  parseFlags,
  readMetrics,
  runExperiment,
  writeReport,
} from "@implicit-rank/experiment-kit";
import { factorizationExperiments } from "@implicit-rank/tensor-factorization/experiment";
import { z } from "zod";
import type { CommandDefinition } from "../command.ts";
import { seedAlias } from "../flags/seed-alias.ts";
import type { Output } from "../output/output.ts";
import { formatDuration, formatNumber } from "../output/quantities.ts";
import { programName } from "../output/program-name.ts";
import { shellWord } from "../output/shell-word.ts";
import { type Column, formatTable } from "../output/table.ts";
import { drawTensorTarget } from "./data-tensor.ts";
import { type Riser, summarizeRise } from "./rank-rise.ts";
import { resumeCommand, runOptions } from "./report-run.ts";

const demoFlags = z.object({
  outputs_dir: z.string().min(1).default("outputs/demo").describe("folder for data sets and runs"),
  random_seed: z.int().min(0).default(1).describe("seed of the data and of the initial parameters"),
});

/** Small enough for a minute, large enough for the plateaus between the ranks to be seen. */
const matrixData = { num_rows: 32, num_cols: 32, rank: 3, num_samples: 1024, target_fro_norm: 32 };
const tensorData = {
  order: 3,
  mode_dim_size: 8,
  target_tensor_cp_rank: 3,
  num_samples: 512,
  target_fro_norm: 24,
};
const cadence = {
  validate_every: 10,
  epoch_log_interval: 10,
  train_batch_log_interval: -1,
  save_every_num_val: 50,
  save_checkpoints: true,
  save_metric_plots: true,
  stop_on_zero_loss_patience: 50,
};

interface DemoModel {
  readonly name: "mf" | "cp" | "ht";
  readonly title: string;
  readonly flags: Readonly<Record<string, unknown>>;
  /** The norms or singular values that rise one after another. */
  readonly risers: (index: number) => string;
}

const models: readonly DemoModel[] = [
  {
    name: "mf",
    title: "matrix, depth 3",
    flags: { num_train_samples: 700, epochs: 4000 },
    risers: (index) => `singular_value_${index}`,
  },
  {
    name: "cp",
    title: "CP, 64 components",
    flags: { num_train_samples: 400, epochs: 4000, init_std: 1e-2 },
    risers: (index) => `top_component_${index}_fro_norm`,
  },
  {
    name: "ht",
    title: "hierarchical, widths 64 64",
    flags: { num_train_samples: 400, epochs: 15_000, ht_layer_widths: [64, 64] },
    risers: (index) => `l_1_f_0_1_top_${index}_local_comp_norm`,
  },
];

export const demo: CommandDefinition = {
  description:
    "Makes a small matrix and a small tensor of rank 3, trains all three factorizations on a part of their entries, and shows how their ranks grow one by one: a table, a figure and a report. Takes about a minute.",
  flagGroups: [{ title: "Options", flags: listFlags(demoFlags) }],
  aliases: seedAlias,
  examples: ["implicit-rank demo"],
  async run({ flags, output }) {
    const { outputs_dir: folder, random_seed: seed } = parseFlags(demoFlags, flags);
    const data = await makeData(folder, seed);
    output.note(`Data sets of rank 3: ${data.matrix} and ${data.tensor}`);
    const experiments = factorizationExperiments(readFactorizationDataset) as readonly Experiment[];
    const seen: Seen[] = [];
    for (const model of models) {
      output.note(`Training ${model.title} …`);
      const experiment = experiments.find(({ name }) => name === model.name)!;
      const result = await runExperiment(
        experiment,
        {
          ...cadence,
          ...model.flags,
          dataset_path: resolve(model.name === "mf" ? data.matrix : data.tensor),
          experiment_name: model.name,
          outputs_dir: folder,
          random_seed: seed,
        },
        { ...runOptions(output), output: output.verbose ? "text" : "quiet" },
      );
      if (result.exitCode === 130) {
        output.note(`Interrupted; go on with: ${resumeCommand(result.folder)}`);
        return 130;
      }
      seen.push(await look(model, result.folder, result.summary));
    }
    output.note("Drawing the dynamics and writing the report …");
    report(folder, seen, await picture(folder, seen), output);
    return 0;
  },
};

interface Pictures {
  readonly figure: string;
  readonly report: string;
}

/** The dynamics of the three runs as one figure, and a page with all of their metrics. */
async function picture(folder: string, seen: readonly Seen[]): Promise<Pictures> {
  const runs = seen.map((row) => row.folder);
  const { plotDynamics } = await import("@implicit-rank/experiment-kit/figures");
  const figure = await plotDynamics({
    config: "mf_tf_htf_dyn",
    runs,
    saveTo: `${folder}/dynamics.svg`,
    force: true,
  });
  const page = await writeReport({ paths: runs, output: `${folder}/report.html`, overwrite: true });
  return { figure: figure.png, report: page.path };
}

async function makeData(folder: string, seed: number): Promise<{ matrix: string; tensor: string }> {
  const now = new Date();
  const place = { output_dir: `${folder}/data`, random_seed: seed };
  const ofMatrix = parseFlags(matrixDatasetFlags, { ...matrixData, ...place });
  const ofTensor = parseFlags(tensorDatasetFlags, { ...tensorData, ...place });
  const matrix = generateMatrixDataset(ofMatrix);
  const tensor = generateTensorDataset(ofTensor, drawTensorTarget(ofTensor));
  return {
    matrix: await saveFactorizationDataset(
      place.output_dir,
      matrixDatasetName(ofMatrix, now),
      matrix,
    ),
    tensor: await saveFactorizationDataset(
      place.output_dir,
      tensorDatasetName(ofTensor, now),
      tensor,
    ),
  };
}

interface Seen {
  readonly model: string;
  readonly folder: string;
  readonly epochs: number;
  readonly seconds: number;
  readonly trainLoss: number | undefined;
  readonly reconstructionError: number | undefined;
  readonly risers: readonly Riser[];
}

async function look(
  model: DemoModel,
  folder: string,
  summary: { readonly epochs_run: number; readonly duration_seconds: number },
): Promise<Seen> {
  const { series } = await readMetrics(folder);
  return {
    model: model.title,
    folder,
    epochs: summary.epochs_run,
    seconds: summary.duration_seconds,
    trainLoss: series.get("train_mse_loss")?.values.at(-1),
    reconstructionError: series.get("normalized_reconstruction_error")?.values.at(-1),
    risers: summarizeRise(series, model.risers),
  };
}

const columns: readonly Column[] = [
  { title: "factorization" },
  { title: "epochs", align: "right" },
  { title: "time", align: "right" },
  { title: "train MSE", align: "right" },
  { title: "error", align: "right" },
  { title: "largest at the end" },
  { title: "rose at epoch" },
];

function report(folder: string, seen: readonly Seen[], pictures: Pictures, output: Output): void {
  const rows = seen.map((row) => [
    row.model,
    String(row.epochs),
    formatDuration(1000 * row.seconds),
    formatNumber(row.trainLoss),
    formatNumber(row.reconstructionError),
    row.risers.map(({ end }) => (end < 1e-2 ? "~0" : end.toPrecision(3))).join(" "),
    row.risers.map(({ epoch }) => (epoch === undefined ? "–" : String(epoch))).join(" "),
  ]);
  const first = seen[0]!.folder;
  const lines = [
    "",
    ...formatTable(columns, rows),
    "",
    "The target has rank 3. From a small start, gradient descent raises one singular value (component,",
    "local component) after another and leaves the rest near zero, though nothing asks it to:",
    "“largest at the end” are the five largest, “rose at epoch” is where each passed half of its end value.",
    "“error” is the distance from the whole target, most of whose entries were seen, relative to its norm.",
    "",
    `Runs, with their metrics and plots: ${folder}`,
    `Figure of the dynamics: ${pictures.figure} (and .svg)`,
    `Report, to open in a browser: ${pictures.report}`,
    `Next: ${programName()} runs list ${shellWord(folder)}`,
    `  or: ${programName()} runs show ${shellWord(first)}`,
  ];
  output.result({ folder, seen, ...pictures }, lines, folder);
}
