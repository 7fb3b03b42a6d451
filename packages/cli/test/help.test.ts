import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { describe, expect, test } from "vitest";
import { commands } from "../src/commands/commands.ts";
import { bin, callMain, runCli } from "./run-cli.ts";

/** Flags and defaults of the counterpart, which its users paste; undefined: none is shown. */
type Defaults = Readonly<Record<string, string | undefined>>;

const matrixData: Defaults = {
  task_type: "completion",
  num_samples: "4096",
  num_rows: "64",
  num_cols: "64",
  rank: "5",
  use_symmetric_target: undefined,
  target_fro_norm: "64",
  random_seed: "-1",
  output_dir: "data/mf",
  custom_file_name: undefined,
};

const tensorData: Defaults = {
  task_type: "completion",
  num_samples: "4096",
  order: "3",
  mode_dim_size: "16",
  target_tensor_factorization_type: "cp",
  target_tensor_cp_rank: "5",
  target_tensor_ht_rank: "5 5",
  target_tensor_ht_pool_size: "2",
  target_tensor_ht_pool_pattern: "checkerboard",
  target_init_mean: "0",
  target_init_std: "1",
  target_fro_norm: "64",
  target_calibrate_fro_norm: undefined,
  random_seed: "-1",
  output_dir: "data/tc/sens",
  custom_file_name: undefined,
};

const everyTraining: Defaults = {
  experiment_name: "exp",
  random_seed: "-1",
  gpu_ids: undefined,
  trainer_checkpoint: undefined,
  epochs: "100",
  validate_every: "1",
  use_test_dataset: undefined,
  outputs_dir: "outputs/exps",
  disable_console_log: undefined,
  save_logs: undefined,
  train_batch_log_interval: "50",
  epoch_log_interval: "1",
  save_metric_plots: undefined,
  save_every_num_val: "1",
  use_tensorboard: undefined,
  use_wandb: undefined,
  wandb_project_name: "default",
  wandb_entity_name: undefined,
  wandb_resume_path: undefined,
  wandb_track_model: undefined,
  wandb_exclude_files: "plots/**",
  score_metric_name: undefined,
  is_train_metric: undefined,
  score_largest: undefined,
  return_best_score: undefined,
  save_checkpoints: undefined,
  num_checkpoints: "1",
  save_checkpoints_by_score: undefined,
  early_stop: undefined,
  early_stop_min_delta: "0",
  early_stop_patience: "0",
  early_stop_cooldown: "0",
};

const everyFactorization: Defaults = {
  dataset_path: undefined,
  num_train_samples: "2048",
  batch_size: "-1",
  loss: "l2",
  huber_loss_thresh: "1",
  lr: "0.01",
  optimizer: "grouprmsprop",
  momentum: "0",
  stop_on_zero_loss_tol: "5e-5",
  stop_on_zero_loss_patience: "100",
  load_dataset_to_gpu: undefined,
  compute_svd_on_cpu: undefined,
};

const localityPlot: Defaults = {
  experiments_dir: undefined,
  experiment_groups_dir_names: undefined,
  per_experiment_group_y_axis_value_name: undefined,
  per_experiment_group_label: undefined,
  per_experiment_group_marker: undefined,
  per_experiment_group_linestyle: undefined,
  per_experiment_group_color: undefined,
  error_bars_opacity: "1",
  x_axis_value_name: undefined,
  x_axis_ticks: undefined,
  use_x_axis_ticks_values: undefined,
  y_axis_ticks: undefined,
  use_y_axis_ticks_values: undefined,
  y_axis_format_str: undefined,
  horizontal_lines: undefined,
  horizontal_lines_colors: undefined,
  horizontal_lines_styles: undefined,
  vertical_lines: undefined,
  vertical_lines_colors: undefined,
  vertical_lines_styles: undefined,
  y_value_scale_factor: "1",
  plot_title: undefined,
  x_label: undefined,
  y_label: undefined,
  x_log_scale: undefined,
  y_log_scale: undefined,
  x_autoscale_tight: undefined,
  y_bottom_lim: undefined,
  y_top_lim: undefined,
  plot_linewidth: "1.5",
  save_plot_to: undefined,
};

const flagsOf: Readonly<Record<string, Defaults>> = {
  "plot locality": localityPlot,
  "data matrix": matrixData,
  "data tensor": tensorData,
  "train mf": {
    ...everyTraining,
    ...everyFactorization,
    init_std: "0.001",
    depth: "3",
    weight_init_type: "normal",
    num_top_to_track: "10",
  },
  "train cp": {
    ...everyTraining,
    ...everyFactorization,
    num_test_samples: "-1",
    init_mean: "0",
    init_std: "0.001",
    num_cp_components: "-1",
    num_top_to_track: "10",
  },
  "train ht": {
    ...everyTraining,
    ...everyFactorization,
    num_test_samples: "-1",
    init_mean: "0",
    init_std: "0.01",
    ht_pool_size: "2",
    ht_layer_widths: "512 512",
    num_top_to_track: "15",
    additional_matricizations_to_track: undefined,
  },
};

describe.each(commands)("$path", ({ path }) => {
  test("has a help with every flag of the counterpart, its default, and an example", async () => {
    const { code, stdout, stderr } = await callMain([...path, "--help"]);
    expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
    expect(stdout).toMatch(new RegExp(`^Usage: implicit-rank ${path.join(" ")} `));
    expect(stdout).toMatch(new RegExp(`\nExamples?:\n  implicit-rank ${path.join(" ")}`));
    const shown = parseHelp(stdout);
    for (const [name, value] of Object.entries(flagsOf[path.join(" ")] ?? {})) {
      expect.soft(shown.has(name), `--${name} is in the help`).toBe(true);
      expect.soft(shown.get(name), `default of --${name}`).toBe(value);
    }
    expect([...shown.keys()]).toEqual(expect.arrayContaining(["json", "quiet", "verbose"]));
  });
});

/** Flag → the default that its description ends with. */
function parseHelp(help: string): ReadonlyMap<string, string | undefined> {
  const items = help.split(/\n(?= {2}-)/).slice(1);
  return new Map(
    items.map((item) => {
      const name = /^ {2}(?:-\w, )?--(\w+)/.exec(item)?.[1] ?? "";
      const text = item.split(/\n\n/)[0]!.replace(/\s+/g, " ");
      return [name, /default: ([^)]*)\)/.exec(text)?.[1]];
    }),
  );
}

test("the overview lists every command, and each group its own", async () => {
  const all = await callMain([]);
  expect(all).toMatchObject({ code: 0, stderr: "" });
  const lines = all.stdout.split("\n").map((line) => line.trim().replace(/ {2,}/, "  "));
  for (const { path, summary } of commands)
    expect(lines).toContain(`${path.join(" ")}  ${summary}`);
  expect(await callMain(["--help"])).toEqual(all);
  const train = await callMain(["train", "--help"]);
  expect(train.stdout).toMatch(/mf .*\n.*cp .*\n.*ht /);
  expect(await callMain(["help", "train"])).toEqual(train);
  expect(await callMain(["train"])).toMatchObject({ code: 2, stdout: "", stderr: train.stdout });
});

test("the help of a command is also reached through help", async () => {
  const [one, other] = await Promise.all([
    callMain(["help", "runs", "show"]),
    callMain(["runs", "show", "-h"]),
  ]);
  expect(one).toEqual(other);
  expect(one.stdout).toContain("folder of the run");
});

test.each(["--version", "-V"])("%s prints the version", async (flag) => {
  expect((await callMain([flag])).stdout).toMatch(/^\d+\.\d+\.\d+\n$/);
});

test("the built program does the same", async () => {
  const asked = ["train", "cp", "--help"];
  expect(await runCli(asked)).toEqual({ ...(await callMain(asked)), signal: null });
  const wrong = ["trian"];
  expect(await runCli(wrong)).toEqual({ ...(await callMain(wrong)), signal: null });
});

test.each([
  ["matrix_factorization_data_generator", "data matrix"],
  ["python/tensor_sensing_data_generator.py", "data tensor"],
  ["matrix_factorization_experiments_runner.py", "train mf"],
  ["tensor_factorization_experiments_runner", "train cp"],
  ["hierarchical_tensor_factorization_experiments_runner", "train ht"],
])("%s is pointed to %s", async (script, command) => {
  const { code, stdout, stderr } = await callMain([script, "--epochs", "3"]);
  expect({ code, stdout }).toEqual({ code: 2, stdout: "" });
  expect(stderr).toBe(`error: ${script}: use: implicit-rank ${command}\n`);
});

test.each([
  [["trian", "mf"], "trian: there is no such command; did you mean train?"],
  [["data", "matrx"], "matrx: there is no such command; did you mean data matrix?"],
  [
    ["runs", "abcdefgh"],
    "abcdefgh: there is no such command; choose one of list, show, compare, resume, import",
  ],
  [["--epochs", "3"], "--epochs: give a command first, see implicit-rank --help"],
  [
    ["runs", "show"],
    "<folder>: is required (folder of the run); see implicit-rank runs show --help",
  ],
  [["runs", "list", "a", "b"], "b: is not expected here; see implicit-rank runs list --help"],
])("%j is refused with a hint", async (args, message) => {
  expect(await callMain(args)).toMatchObject({
    code: 2,
    stdout: "",
    stderr: `error: ${message}\n`,
  });
});

test("a reader that closes the pipe early is no error", async () => {
  const script = `"$0" "$1" train ht --help | head -n 1; echo "\${PIPESTATUS[0]}"`;
  const { stdout } = await promisify(execFile)("bash", ["-c", script, process.execPath, bin]);
  expect(stdout).toBe("Usage: implicit-rank train ht [options]\n0\n");
});

test.skipIf(process.platform !== "linux")("a full disk under the output is one line", async () => {
  const script = `"$0" "$1" train ht --help > /dev/full`;
  const ended = promisify(execFile)("bash", ["-c", script, process.execPath, bin]);
  await expect(ended).rejects.toMatchObject({
    code: 1,
    stderr: "error: the output cannot be written (ENOSPC); free some space\n",
  });
});
