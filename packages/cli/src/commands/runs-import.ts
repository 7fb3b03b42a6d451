import {
  type ComparedValue,
  type Experiment,
  experimentFlags,
  type ImportedRun,
  importTorchRun,
  listFlags,
  parseFlags,
  sharedFlags,
} from "@implicit-rank/experiment-kit";
import { z } from "zod";
import type { CommandDefinition, TypedFlags } from "../command.ts";
import { allExperiments } from "../experiments.ts";
import { seedAlias } from "../flags/seed-alias.ts";
import type { Output } from "../output/output.ts";
import { flagText } from "../output/flag-text.ts";
import { programName } from "../output/program-name.ts";
import { shellWord } from "../output/shell-word.ts";
import { adjustFlag } from "../sweep/adjust-flag.ts";

const importFlags = z.object({
  outputs_dir: sharedFlags.shape.outputs_dir,
  experiment_name: z
    .string()
    .optional()
    .describe("prefix of the run folder's name; default: that of the scripts' config.json, or exp"),
  force: z
    .boolean()
    .default(false)
    .describe("import although values that are computed anew differ from those that are stored"),
});

/** Flags of the run that a checkpoint does not tell; the experiments say what is a possible value. */
const untoldFlags = z.object({
  dataset_path: z
    .string()
    .optional()
    .describe("data set of the run, to check the stored values against (.pt or one of ours)"),
  num_train_samples: z.int().optional().describe("samples that the run trained on"),
  num_test_samples: z.int().optional().describe("samples that it was tested on"),
  batch_size: z.int().optional().describe("samples of one update"),
  huber_loss_thresh: z.number().optional().describe("residual at which the huber loss is linear"),
  ht_pool_size: z.int().optional().describe("nodes that were pooled together in each layer"),
  ht_pool_pattern: z
    .enum(["checkerboard", "half", "checkerboard_sq"])
    .optional()
    .describe("which nodes were pooled together"),
  init_mean: z.number().optional().describe("mean of the initial parameters"),
  init_std: z.number().optional().describe("standard deviation of the initial parameters"),
  weight_init_type: z
    .enum(["normal", "identity"])
    .optional()
    .describe("initial matrices of a matrix factorization"),
  stop_on_zero_loss_tol: z.number().optional().describe("train loss below which it would stop"),
  stop_on_zero_loss_patience: z
    .int()
    .optional()
    .describe("checks in a row that the loss may stay below it"),
  train_dataset_path: z.string().optional().describe("training pairs of an is-same run"),
  test_dataset_path: z.string().optional().describe("its test pairs"),
  distance: z.int().optional().describe("pixels between its two images"),
  dropout: z.number().optional().describe("dropout probability of a network"),
  grad_change_reg_coeff: z.number().optional().describe("coefficient of its regularizer"),
  random_seed: z.int().optional().describe("seed of the run"),
});

export const runsImport: CommandDefinition = {
  description:
    "Makes a run folder of a checkpoint of the PyTorch scripts: metric histories, parameters and the optimizer's state, so that the run can be shown, compared, drawn and trained on. Settings come from the checkpoint, from the scripts' config.json in its run folder, and from the flags below. With the data set, the metrics of the last epoch are computed anew and compared with those that are stored. Nothing in the file is executed.",
  operands: [
    {
      name: "checkpoint",
      description: "checkpoint (.ckpt, .pt or .pth), or run folder of the scripts that has one",
    },
  ],
  flagGroups: [
    { title: "Options", flags: listFlags(importFlags) },
    { title: "Settings of the run, where no file tells them", flags: listFlags(untoldFlags) },
  ],
  aliases: seedAlias,
  examples: [
    "implicit-rank runs import outputs/exps/exp_2022_01_31-12_00_00 --dataset_path DATA.pt",
    "implicit-rank runs import checkpoint_epoch_18899.ckpt --dataset_path DATA.pt --num_train_samples 2048",
  ],
  async run({ flags, operands, output }) {
    const isOption = ([name]: [string, unknown]): boolean => name in importFlags.shape;
    const options = parseFlags(importFlags, only(flags, isOption));
    const told = parseFlags(
      untoldFlags,
      only(flags, (flag) => !isOption(flag)),
    );
    const experiments = allExperiments();
    const run = await importTorchRun(operands[0]!, experiments, adjusted(told), {
      outputsDir: options.outputs_dir,
      ...(options.experiment_name === undefined ? {} : { experimentName: options.experiment_name }),
      force: options.force,
      log: (line) => output.note(line),
    });
    const next = trainCommand(run, experiments);
    const { compared, unknown: unknownFlags, numParameters: parameters, ...rest } = run;
    output.result(
      { ...rest, parameters, unknown_flags: unknownFlags, compared: compared ?? null, next },
      [...describe(run), ...checkLines(compared, output), `Next: ${next}`],
      run.folder,
    );
    return 0;
  },
};

function only(flags: TypedFlags, keep: (flag: [string, unknown]) => boolean): TypedFlags {
  return Object.fromEntries(Object.entries(flags).filter(keep));
}

function adjusted(flags: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    Object.entries(flags).map(([name, value]) => [name, adjustFlag(name, value)]),
  );
}

function describe({ folder, experiment, epoch, metrics, numParameters, unknown }: ImportedRun) {
  return [
    folder,
    `  ${experiment}, ${numParameters} parameters, ${metrics.length} metrics, ends with epoch ${epoch}`,
    ...(unknown.length === 0 ? [] : [`  not known: ${unknown.join(", ")}`]),
  ];
}

/** A name with a number in it is one of many values, but ranks are few. */
function isHeadline({ name }: ComparedValue): boolean {
  return !/\d/.test(name) || name.endsWith("rank");
}

function checkLines(compared: ImportedRun["compared"], output: Output): readonly string[] {
  if (compared === undefined)
    return ["The stored values are not checked; give --dataset_path to compute them anew."];
  const equal = compared.filter(({ verdict }) => verdict === "equal");
  const others = new Map<string, ComparedValue[]>();
  for (const value of compared) {
    if (value.verdict === "equal") continue;
    const reason = value.reason === undefined ? "differ" : `may differ: ${value.reason}`;
    others.set(reason, [...(others.get(reason) ?? []), value]);
  }
  return [
    `${equal.length} of ${compared.length} metrics of the last epoch, computed anew, are as stored:`,
    ...valueLines(equal, output),
    ...[...others].flatMap(([reason, values]) => [
      `${values.length} ${reason}:`,
      ...valueLines(values, output),
    ]),
  ];
}

function valueLines(values: readonly ComparedValue[], output: Output): readonly string[] {
  const shown = output.verbose ? values : values.filter(isHeadline);
  const rest = values.length - shown.length;
  return [
    ...shown.map(
      ({ name, stored, computed }) =>
        `  ${name}: stored ${digits(stored)}, computed ${digits(computed)}`,
    ),
    ...(rest > 0 ? [`  and ${rest} more (--verbose shows them)`] : []),
  ];
}

/** Single precision has seven digits. */
function digits(value: number): string {
  return String(Number(value.toPrecision(7)));
}

/** The command that trains on, with the settings that are known and no defaults. */
function trainCommand(run: ImportedRun, experiments: readonly Experiment[]): string {
  const experiment = experiments.find(({ name }) => name === run.experiment)!;
  const own = experimentFlags(experiment).filter(({ name }) => name in experiment.flags.shape);
  const settings = own.flatMap(({ name, default: usual, grouped }) => {
    const value = run.flags[name];
    const isUsual = value === undefined || JSON.stringify(value) === JSON.stringify(usual);
    const isEmpty = Array.isArray(value) && value.length === 0;
    return isUsual || isEmpty ? [] : [flagText(name, value, grouped)];
  });
  const data = "dataset_path" in run.flags ? [] : ["--dataset_path DATA"];
  return [
    `${programName()} train ${run.experiment} --trainer_checkpoint ${shellWord(run.folder)}`,
    ...data,
    ...settings,
  ].join(" ");
}
