import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { makeDataset, newFolder, removeFolder, runCli, runJson, scratchFolder } from "./run-cli.ts";

interface Metrics {
  readonly epoch: number;
  readonly time: number;
  readonly [name: string]: number | null;
}

async function readMetricLines(folder: string): Promise<Metrics[]> {
  const text = await readFile(join(folder, "metrics.jsonl"), "utf8");
  return text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line));
}

const quick = [
  "--num_train_samples",
  "24",
  "--epochs",
  "40",
  "--validate_every",
  "10",
  "--seed",
  "5",
];
const kinds = [
  ["mf", "matrix", ["--depth", "3"], "singular_value_0"],
  ["cp", "tensor", ["--num_cp_components", "6"], "top_component_0_fro_norm"],
  ["ht", "tensor", ["--ht_layer_widths", "6", "6"], "l_1_f_0_1_top_0_local_comp_norm"],
] as const;

describe.each(kinds)("train %s", (kind, data, flags, metric) => {
  test.each(["plain", "fused", "tfjs"])(
    "with the %s engine writes a run folder that runs list and runs show find",
    async (engine) => {
      const cwd = await scratchFolder();
      const dataset = await makeDataset(cwd, data);
      const args = [
        "train",
        kind,
        "--dataset_path",
        dataset,
        ...quick,
        ...flags,
        "--engine",
        engine,
      ];
      const result = await runJson(args, { cwd });
      expect(result).toMatchObject({ outcome: "completed", exit_code: 0 });
      const folder = join(cwd, result.folder);
      expect(await readdir(folder)).toEqual(
        expect.arrayContaining(["config.json", "metrics.jsonl", "summary.json", "experiment.log"]),
      );
      const lines = await readMetricLines(folder);
      expect(lines.map(({ epoch }) => epoch)).toEqual(Array.from({ length: 40 }, (_, i) => i));
      const validated = lines.filter((line) => metric in line);
      expect(validated.map(({ epoch }) => epoch)).toEqual([9, 19, 29, 39]);
      expect(lines.at(-1)!["train_mse_loss"]).toBeLessThan(lines[0]!["train_mse_loss"]!);

      const [listed] = await runJson(["runs", "list", "outputs"], { cwd });
      expect(listed).toMatchObject({
        kind,
        folder: result.folder,
        state: "completed",
        epochs_done: 40,
        epochs_planned: 40,
        score: result.score,
      });
      const shown = await runJson(["runs", "show", result.folder], { cwd });
      expect(shown.config).toMatchObject({ dataset_path: dataset, engine, random_seed: 5 });
      expect(shown.last_metrics[metric]).toEqual({ value: lines.at(-1)![metric], epoch: 39 });
    },
  );
});

const plotting = { timeout: 180_000 };

test(
  "flags of the counterpart's usage page are taken as they are, in either case",
  plotting,
  async () => {
    const cwd = await scratchFolder();
    const dataset = await makeDataset(cwd, "tensor");
    const pasted = `--dataset_path ${dataset.replaceAll(" ", "\u0000")} --epochs 50 --num_train_samples 24 --outputs_dir
    out --save_logs --save_metric_plots --save_checkpoints --validate_every 25 --save_every_num_val 50
    --epoch_log_interval 25 --train_batch_log_interval -1 --gpu_ids 0 --experiment_name pasted
    --ht_layer_widths 4 4 --additional_matricizations_to_track 0 2 --additional_matricizations_to_track 1
    --load_dataset_to_gpu --compute_svd_on_cpu --loss huber --huber_loss_thresh 0.5 --stop_on_zero_loss_tol 1e-9`;
    const words = pasted.split(/\s+/).map((word) => word.replaceAll("\u0000", " "));
    const kebab = words.map((word) => (word.startsWith("--") ? word.replaceAll("_", "-") : word));
    const results = [];
    for (const args of [words, kebab]) {
      // Drawing nearly 200 metrics takes most of the time, and once will do.
      const seeded = [...args, "--seed", "2", `--save_metric_plots=${args === words}`];
      results.push(await runJson(["train", "ht", ...seeded], { cwd }));
    }
    const [snake, other] = results;
    expect(snake.folder).toMatch(/^out\/pasted_\d{4}_/);
    expect(other.score).toBe(snake.score);
    const { config, checkpoints } = await runJson(["runs", "show", snake.folder], { cwd });
    expect(config).toMatchObject({
      ht_layer_widths: [4, 4],
      additional_matricizations_to_track: ["0 2", "1"],
      gpu_ids: [0],
      train_batch_log_interval: -1,
      huber_loss_thresh: 0.5,
      stop_on_zero_loss_tol: 1e-9,
    });
    expect(checkpoints).toEqual([49]);
    const lines = await readMetricLines(join(cwd, snake.folder));
    expect(lines.map(({ epoch }) => epoch)).toEqual([24, 49]);
    expect(lines[1]).toHaveProperty("mat_0_2_sing_val_0");
    const plots = await readdir(join(cwd, snake.folder, "plots"));
    expect(plots).toEqual(expect.arrayContaining(["mse_loss.svg", "mse_loss.png"]));
  },
);

describe("output", () => {
  let cwd = "";
  let args: string[] = [];
  beforeAll(async () => {
    cwd = await newFolder();
    const dataset = await makeDataset(cwd, "matrix");
    args = ["train", "mf", "--dataset_path", dataset, ...quick, "--epoch_log_interval", "10"];
    return () => removeFolder(cwd);
  });

  test("is log lines in a pipe, and names the next command", async () => {
    const { code, stdout } = await runCli(args, { cwd });
    expect(code).toBe(0);
    expect(stdout).toMatch(/INFO - Run folder: outputs\/exps\/exp_/);
    expect(stdout).toMatch(/INFO - Epoch 39 - train_mse_loss /);
    expect(stdout).toMatch(/\nNext: implicit-rank runs show outputs\/exps\/exp_\S+\n$/);
    expect(stdout).not.toContain("\r");
  });

  test("is the folder alone with --quiet", async () => {
    const { code, stdout, stderr } = await runCli([...args, "--quiet"], { cwd });
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(/^outputs\/exps\/exp_[\w-]+\n$/);
  });

  test("with --json is the result on stdout and the log on stderr", async () => {
    const { stdout, stderr } = await runCli([...args, "--json"], { cwd });
    expect(JSON.parse(stdout)).toMatchObject({ score_name: "normalized_reconstruction_error" });
    expect(stderr).toContain("INFO - Run folder");
  });
});

test("a diverging run ends with exit code 1 and says so", async () => {
  const cwd = await scratchFolder();
  const dataset = await makeDataset(cwd, "matrix");
  const args = ["train", "mf", "--dataset_path", dataset, "--num_train_samples", "24"];
  const wild = [
    "--optimizer",
    "sgd",
    "--lr",
    "1e9",
    "--init_std",
    "1",
    "--engine",
    "plain",
    "--json",
  ];
  const { code, stdout } = await runCli([...args, ...wild], { cwd });
  expect(code).toBe(1);
  expect(JSON.parse(stdout)).toMatchObject({ outcome: "diverged", exit_code: 1 });
});

test("runs list of a folder without runs says so", async () => {
  const cwd = await scratchFolder();
  expect(await runCli(["runs", "list", "."], { cwd })).toMatchObject({
    code: 0,
    stdout: "No runs below ..\n",
  });
  expect(await runJson(["runs", "list", "."], { cwd })).toEqual([]);
});
