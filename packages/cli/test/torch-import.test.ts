import { readdirSync } from "node:fs";
import { copyFile, cp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { readSafetensors, type TorchValue } from "@implicit-rank/array-files";
import {
  importTorchRun,
  readCheckpoint,
  readMetrics,
  readRunConfig,
  readTorchCheckpoint,
  resumeRun,
  runExperiment,
  type MetricHistory,
  type TorchCheckpoint,
} from "@implicit-rank/experiment-kit";
import { importTorchFactorization } from "@implicit-rank/tensor-factorization";
import { describe, expect, it } from "vitest";
import { torchArrays } from "../src/commands/torch-arrays.ts";
import { allExperiments } from "../src/experiments.ts";
import { callMain, newFolder, runCli } from "./run-cli.ts";

/** Runs of the PyTorch scripts; fixtures/pytorch/README.md says how they were made. */
const fixtures = join(import.meta.dirname, "fixtures", "pytorch");
const problems = [
  "mf-completion",
  "mf-sensing",
  "cp-completion",
  "cp-sensing",
  "ht-completion",
  "ht-completion-pool3",
  "ht-sensing-half",
];
const experiments = allExperiments();

function filesOf(problem: string) {
  const checkpoints = join(fixtures, problem, "run", "checkpoints");
  return {
    run: join(fixtures, problem, "run"),
    data: join(fixtures, problem, "data.pt"),
    checkpoint: join(checkpoints, readdirSync(checkpoints)[0]!),
    later: join(fixtures, problem, "epoch_199.ckpt"),
  };
}

/** The flags that go on for as long as the scripts did. */
const goOn = { epochs: 100, epoch_log_interval: 1, validate_every: 25 };

/** Import with the data set, and the folder that it is in. */
async function importProblem(problem: string) {
  const { run, data } = filesOf(problem);
  const outputsDir = join(await newFolder(), "exps");
  const imported = await importTorchRun(
    run,
    experiments,
    { dataset_path: data },
    { outputsDir, experimentName: problem },
  );
  const experiment = experiments.find(({ name }) => name === imported.experiment)!;
  const trainOn = (checkpoint: string) =>
    runExperiment(
      experiment,
      { ...imported.flags, ...goOn, trainer_checkpoint: checkpoint, outputs_dir: outputsDir },
      { output: "quiet" },
    );
  return { imported, outputsDir, trainOn };
}

/**
 * The scripts round every product and decomposition to single precision (2⁻²⁴), and so do the engines here in
 * another order: measured are differences of at most 4e-6 (of the larger), also after 100 epochs more, and of 3e-8
 * of the largest value of a model where values vanish beside it (its last singular values).
 */
function expectClose(name: string, stored: number, computed: number, largest: number): void {
  const bound = 2e-5 * Math.abs(stored) + 2e-7 * largest;
  expect(
    Math.abs(stored - computed),
    `${name}: stored ${stored}, computed ${computed}`,
  ).toBeLessThan(bound);
}

/** The scripts' matricizations are of permuted axes with this pool pattern. */
const isOfPermutedAxes = (problem: string, metric: string): boolean =>
  problem === "ht-sensing-half" && metric.startsWith("mat_");

function largestOf({ metrics }: TorchCheckpoint): number {
  return Math.max(...metrics.validation.map(({ last }) => Math.abs(last?.value ?? 0)));
}

describe.each(problems)("%s", async (problem) => {
  const { later, checkpoint } = filesOf(problem);
  const stored = await readTorchCheckpoint(checkpoint);
  const { imported, trainOn } = await importProblem(problem);

  it("ranks, losses and norms computed from the parameters are those that are stored", () => {
    const validation = stored.metrics.validation.map(({ name }) => name);
    expect(imported.compared!.map(({ name }) => name)).toEqual(validation);
    for (const { name, stored: value, computed, verdict } of imported.compared!) {
      if (isOfPermutedAxes(problem, name)) continue;
      expect(verdict, name).toBe("equal");
      if (name === "e2e_rank") expect(computed).toBe(value);
      expectClose(name, value, computed, largestOf(stored));
    }
  });

  it("its histories and parameters are in the run folder", async () => {
    const { series } = await readMetrics(imported.folder);
    const histories = [...stored.metrics.train, ...stored.metrics.validation];
    expect([...series.keys()].sort()).toEqual(histories.map(({ name }) => name).sort());
    for (const { name, epochs, values } of histories)
      expect(series.get(name)).toEqual({ name, epochs, values });
    const { model, state } = await readCheckpoint(
      join(imported.folder, "checkpoints", "epoch_99.safetensors"),
    );
    expect(state.epoch).toBe(99);
    const { layout, values } = importTorchFactorization(stored.model, {
      source: checkpoint,
      metrics: histories.map(({ name }) => name),
    });
    for (const { name, rows, cols, offset } of layout) {
      const data = values.subarray(offset, offset + rows * cols);
      expect(model.arrays[name]).toEqual({ shape: [rows, cols], data });
    }
  });

  it("100 epochs more are those of the scripts, from the run folder and from their file alike", async () => {
    const after = await readTorchCheckpoint(later);
    const { folder } = await trainOn(imported.folder);
    const ours = await readMetrics(folder);
    const compare = (history: MetricHistory): void => {
      for (const { name, epochs, values } of [
        ...after.metrics.train,
        ...after.metrics.validation,
      ]) {
        if (isOfPermutedAxes(problem, name)) continue;
        const series = history.series.get(name)!;
        expect(series.epochs, name).toEqual(epochs);
        values.forEach((value, i) => {
          expectClose(`${name} at ${epochs[i]}`, value, series.values[i]!, largestOf(after));
        });
      }
    };
    compare(ours);
    const direct = await readMetrics((await trainOn(checkpoint)).folder);
    expect(direct.series).toEqual(ours.series);
  });
});

describe("a killed run that began from a file of the scripts", () => {
  it("begins there again, unless the file is another one now", async () => {
    const { imported, outputsDir } = await importProblem("cp-sensing");
    const { checkpoint, later } = filesOf("cp-sensing");
    const start = join(outputsDir, "start.ckpt");
    await copyFile(checkpoint, start);
    const { flags } = imported;
    const experiment = experiments.find(({ name }) => name === "cp")!;
    const { folder } = await runExperiment(
      experiment,
      {
        ...flags,
        ...{ ...goOn, save_checkpoints: false },
        ...{ trainer_checkpoint: start, outputs_dir: outputsDir },
      },
      { output: "quiet" },
    );
    const { series } = await readMetrics(folder);
    await rm(join(folder, "summary.json"));
    await resumeRun(folder, experiments, { output: "quiet" });
    expect((await readMetrics(folder)).series).toEqual(series);

    await rm(join(folder, "summary.json"));
    await copyFile(later, start);
    await expect(resumeRun(folder, experiments, { output: "quiet" })).rejects.toThrow(
      "start.ckpt: is not the checkpoint any more that",
    );
  });
});

describe("the command", () => {
  const { run, data, checkpoint, later } = filesOf("ht-completion-pool3");

  it("says what was compared and how to go on", async () => {
    const outputs = await newFolder();
    const { code, stdout } = await callMain([
      "runs",
      "import",
      run,
      "--dataset_path",
      data,
      "--outputs_dir",
      outputs,
    ]);
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split("\n");
    expect(lines[0]).toMatch(/exp_\d{4}_\d\d_\d\d-\d\d_\d\d_\d\d$/);
    expect(lines).toContain("63 of 63 metrics of the last epoch, computed anew, are as stored:");
    expect(stdout).toMatch(
      /^ {2}normalized_reconstruction_error: stored 0\.978\d+, computed 0\.978\d+$/m,
    );
    expect(stdout).toMatch(/^ {2}mat_0_1_2_eff_rank: stored 1\.382\d+, computed 1\.382\d+$/m);
    const next = lines.at(-1)!;
    expect(next).toMatch(/^Next: .*implicit-rank train ht --trainer_checkpoint /);
    expect(next).toContain(
      "--num_train_samples 24 --loss l1 --num_test_samples 6 --ht_pool_size 3 --ht_layer_widths 4 3",
    );
    expect(next).toContain(
      "--additional_matricizations_to_track 0 2 --additional_matricizations_to_track 1 3",
    );
  });

  it("makes runs that are listed, shown, compared, reported and drawn", async () => {
    const { imported, outputsDir } = await importProblem("mf-completion");
    const json = async (...args: readonly string[]) => {
      const { code, stdout, stderr } = await callMain([...args, "--json"]);
      expect(stderr).toBe("");
      expect(code).toBe(0);
      return JSON.parse(stdout) as never;
    };
    expect(await json("runs", "list", outputsDir)).toMatchObject([
      { state: "imported", kind: "mf", epochs_done: 100, epochs_planned: 100 },
    ]);
    expect(await json("runs", "show", imported.folder)).toMatchObject({
      state: "imported",
      checkpoints: [99],
      config: {
        lr: 0.05,
        depth: 3,
        random_seed: 7,
        run: { seed: 7, imported: { unknown_flags: [] } },
      },
      summary: { duration_seconds: null, score_name: "normalized_reconstruction_error" },
    });
    expect(await json("runs", "compare", imported.folder)).toMatchObject({
      groups: [{ experiment: "mf", finished: 1, runs: [{ seed: 7, seconds: null }] }],
    });
    const page = join(outputsDir, "report.html");
    expect(await json("report", outputsDir, "--output", page)).toMatchObject({
      runs: [imported.folder],
    });
    const figure = join(outputsDir, "figure.json");
    const source = { checkpoint_path: imported.folder, metric_names: ["singular_value_0"] };
    await writeFile(figure, JSON.stringify({ ax_configs: [{ experiment_configs: [source] }] }));
    const drawn = await json(
      ...["plot", "dynamics", "--plot_config_path", figure],
      ...["--save_plot_to", join(outputsDir, "figure.svg")],
    );
    expect(drawn).toMatchObject({ panels: [{ epochs: [24, 99] }] });
  });

  it("without the scripts' config.json says what is not known, and that nothing was checked", async () => {
    const outputs = await newFolder();
    const { code, stdout } = await callMain(["runs", "import", later, "--outputs_dir", outputs]);
    expect(code).toBe(0);
    expect(stdout).toContain("ends with epoch 199\n");
    expect(stdout).toContain(
      "  not known: dataset_path, num_train_samples, init_std, stop_on_zero_loss_tol, stop_on_zero_loss_patience, num_test_samples, batch_size, init_mean\n",
    );
    expect(stdout).toContain("The stored values are not checked; give --dataset_path");
    expect(stdout).toContain("--dataset_path DATA --loss l1 --ht_pool_size 3");
    const folder = stdout.split("\n")[0]!;
    expect(await readRunConfig(folder)).toMatchObject({ run: { seed: null, last_epoch: 199 } });
    const shown = await callMain(["runs", "show", folder]);
    expect(shown.stdout).toContain("seed unknown");
    expect(shown.stdout).toContain("settings that are not known: dataset_path, num_train_samples");
    const resumed = await callMain(["runs", "resume", folder]);
    expect(resumed).toMatchObject({
      code: 2,
      stderr: `error: ${folder}: the run was imported, and its seed is not known; start a new run with --trainer_checkpoint ${folder}\n`,
    });
  });

  it("of data sets that are not here: imports and says why nothing was checked", async () => {
    const outputs = await newFolder();
    const { code, stdout, stderr } = await callMain([
      "runs",
      "import",
      run,
      "--outputs_dir",
      outputs,
    ]);
    expect(code).toBe(0);
    expect(stderr).toMatch(/^The values are not checked: data\.pt: cannot read: no such file/);
    expect(stdout).toContain("--dataset_path data.pt");
  });

  it("refuses a name in the scripts' config.json that leads out of the folder", async () => {
    const folder = await newFolder();
    await cp(run, folder, { recursive: true });
    await writeFile(join(folder, "config.json"), '{"experiment_name": "../../elsewhere"}');
    const { code, stderr } = await callMain(["runs", "import", folder, "--outputs_dir", folder]);
    expect(stderr).toMatch(/^error: --experiment_name: must be usable as a folder name/);
    expect(code).toBe(2);
  });

  it("refuses the wrong data or samples, writing nothing, unless it is forced", async () => {
    const outputs = await newFolder();
    const args = ["runs", "import", checkpoint, "--dataset_path", data, "--outputs_dir", outputs];
    const wrong = await callMain([...args, "--num_train_samples", "20"]);
    expect(wrong.code).toBe(1);
    expect(wrong.stderr).toMatch(
      /^error: .*_epoch_99\.ckpt: normalized_reconstruction_error is stored as 0\.978\d+, but [\d.]+ is computed from the parameters and this data set; give the data set and the numbers of samples of the run, or --force to import it as it is\n$/,
    );
    expect(readdirSync(outputs)).toEqual([]);
    const forced = await callMain([...args, "--num_train_samples", "20", "--force"]);
    expect(forced.code).toBe(0);
    expect(forced.stdout).toContain("1 differ:\n  normalized_reconstruction_error: stored");
  });

  it.each([
    [
      ["--ht_pool_size", "2"],
      2,
      /^error: --ht_pool_size 2: contradicts .*ckpt, whose nodes are pooled otherwise; give --ht_pool_size 3 --ht_pool_pattern checkerboard\n$/,
    ],
    [
      ["--ht_pool_pattern", "half"],
      2,
      /^error: --ht_pool_size 3 --ht_pool_pattern half: contradicts /,
    ],
    [
      ["--weight_init_type", "normal"],
      2,
      /^error: --weight_init_type: the checkpoint is of an experiment ht, which has no such flag; leave it out\n$/,
    ],
    [["--num_train_samples", "0"], 2, /^error: --num_train_samples: /],
    [
      ["--dataset_path", "nowhere.pt"],
      2,
      /^error: .*nowhere\.pt: cannot read: no such file; check the path\n$/,
    ],
    [
      ["--dataset_path", filesOf("mf-completion").data],
      2,
      /is a matrix data set where a tensor one is needed/,
    ],
    [["--outputs_dir", checkpoint], 2, /^error: --outputs_dir: .* is a file, not a folder/m],
  ])("refuses %j", async (flags, code, message) => {
    const ended = await callMain(["runs", "import", run, ...flags]);
    expect(ended).toMatchObject({ code, stdout: "" });
    expect(ended.stderr).toMatch(message);
  });

  it.each([
    [
      fixtures,
      2,
      "has no checkpoint of the PyTorch scripts (…_epoch_N.ckpt); give a checkpoint or a run folder",
    ],
    [join(fixtures, "nowhere.ckpt"), 2, "there is no such file or folder"],
    [
      data,
      1,
      "epoch: is not the number of a finished epoch; give a checkpoint that the training scripts wrote",
    ],
    [join(fixtures, "README.md"), 1, "format: is no zip archive"],
  ])("refuses %s", async (path, code, problem) => {
    const ended = await callMain(["runs", "import", path]);
    expect(ended).toMatchObject({ code, stdout: "" });
    expect(ended.stderr).toContain(problem);
  });
});

describe("train --trainer_checkpoint with a file of the scripts", () => {
  const { data, checkpoint } = filesOf("ht-completion");
  const flags = ["--dataset_path", data, "--num_train_samples", "40", "--epochs", "1"];

  it("says in what its settings differ", async () => {
    const outputs = await newFolder();
    const ended = await runCli([
      ...["train", "ht", ...flags, "--trainer_checkpoint", checkpoint, "--outputs_dir", outputs],
      ...["--ht_layer_widths", "6", "5", "--lr", "0.02"],
    ]);
    expect(ended.stdout).toMatch(/WARNING - --lr: is 0\.02, but 0\.01 in .*_epoch_99\.ckpt$/m);
    expect(ended.code).toBe(0);
  });

  it.each([
    [
      "ht",
      ["--ht_layer_widths", "6", "4"],
      "layers.1.factors.0: is Float32Array[6, 5], this model needs Float32Array[6, 4]; use the flags of the run that saved it",
    ],
    [
      "ht",
      ["--ht_layer_widths", "6", "5", "--optimizer", "sgd"],
      "optimizer.velocity: is missing; it was saved by a run with other flags",
    ],
    [
      "ht",
      ["--ht_layer_widths", "6", "5", "--ht_pool_pattern", "half"],
      "--ht_pool_size 2 --ht_pool_pattern half: contradicts",
    ],
    ["cp", [], "is of another model than cp trains; give one of this kind"],
  ])("refuses %s %j", async (kind, own, message) => {
    const outputs = await newFolder();
    const args = ["train", kind, ...flags, ...own, "--trainer_checkpoint", checkpoint, "--quiet"];
    const ended = await callMain([...args, "--outputs_dir", outputs]);
    expect(ended.stderr).toContain(message);
    expect(ended.code).toBeGreaterThan(0);
    expect(readdirSync(outputs)).toEqual([]);
  });
});

describe("data convert", () => {
  it.each(problems)("writes the parameters of %s under their names here", async (problem) => {
    const { checkpoint } = filesOf(problem);
    const target = join(await newFolder(), "parameters.safetensors");
    expect((await callMain(["data", "convert", checkpoint, target])).code).toBe(0);
    const { arrays, metadata } = await readSafetensors(target);
    expect(metadata).toEqual({ source: "PyTorch", epoch: "99" });
    const { model, metrics } = await readTorchCheckpoint(checkpoint);
    const { layout, values } = importTorchFactorization(model, {
      source: checkpoint,
      metrics: metrics.validation.map(({ name }) => name),
    });
    expect(Object.keys(arrays).sort()).toEqual(layout.map(({ name }) => name).sort());
    for (const { name, rows, cols, offset } of layout) {
      const data = values.slice(offset, offset + rows * cols);
      expect(arrays[name]).toEqual({ shape: [rows, cols], data });
    }
  });

  it.each<[ReadonlyMap<string, TorchValue>, string]>([
    [new Map([["settings", 1]]), 'x.pt: content: "settings" is no named tensor; give a state'],
    [new Map(), "x.pt: content: is no state dictionary; give a state dictionary or a checkpoint"],
    [
      new Map([["__metadata__", { shape: [1], data: Float32Array.of(1) }]]),
      "x.pt: __metadata__: cannot name an array; rename the parameter",
    ],
  ])("refuses %j", (content, message) => {
    expect(() => torchArrays(content, "x.pt")).toThrow(message);
  });

  it("keeps the names of other models, without the prefix of data-parallel training", () => {
    const weight = { shape: [1], data: Float32Array.of(1) };
    const state = new Map<string, TorchValue>([["module.fc.weight", weight]]);
    expect(torchArrays(new Map([["state_dict", state]]), "x.pt")).toEqual({
      arrays: { "fc.weight": weight },
      metadata: { source: "PyTorch" },
    });
  });
});
