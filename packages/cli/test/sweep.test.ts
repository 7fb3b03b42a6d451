import { existsSync, readdirSync } from "node:fs";
import { readFile, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import {
  callMain,
  makeDataset,
  newFolder,
  removeFolder,
  runCli,
  runJson,
  scratchFolder,
  startCli,
} from "./run-cli.ts";

// A sweep starts several processes, which takes a while on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

let data: string;
let matrix: string;
let tensor: string;

beforeAll(async () => {
  data = await newFolder();
  matrix = await makeDataset(data, "matrix");
  tensor = await makeDataset(data, "tensor");
}, 60_000);

afterAll(() => removeFolder(data));

const quick = ["--num_train_samples", "24", "--epochs", "40", "--validate_every", "10"];

/** A data set's path as one value of a sweep: a blank is no separator, a comma would be. */
const perKind = (): string => `mf=${matrix},cp+ht=${tensor}`;

describe("sweep", () => {
  test("trains several kinds over seeds and draws their figure, with one command", async () => {
    const cwd = await scratchFolder();
    const grid = ["--dataset_path", perKind(), "--seed", "0..1", "--ht_layer_widths", "4 4"];
    const track = ["--num_top_to_track", "10", "--num_cp_components", "12"];
    const figure = ["--plot_config_path", "figure.json", "--output", "all.csv", "--per_run"];
    await writeFile(join(cwd, "figure.json"), JSON.stringify(smallFigure));
    const args = ["sweep", "mf,cp,ht", ...grid, ...quick, ...track, ...figure];
    const result = await runJson(args, { cwd });
    expect(result.counts).toEqual({ finished: 6 });
    const kinds = result.results.groups.map((group: { experiment: string; finished: number }) => [
      group.experiment,
      group.finished,
    ]);
    expect(kinds).toEqual([
      ["mf", 2],
      ["cp", 2],
      ["ht", 2],
    ]);
    expect(result.folder).toMatch(/^outputs\/sweeps\/mf-cp-ht_[0-9a-f]{8}$/);
    expect((await stat(join(cwd, result.figure.svg))).size).toBeGreaterThan(1000);
    const rows = (await readFile(join(cwd, "all.csv"), "utf8")).trim().split("\r\n");
    expect(rows).toHaveLength(7);
    expect(rows[0]).toMatch(/^experiment,seed,state,/);
    expect(await readFile(join(cwd, result.folder, "results.csv"), "utf8")).toContain("\r\nht,1,");

    const again = await runCli([...args, "--force"], { cwd });
    expect(again.code).toBe(0);
    expect(again.stdout).toContain("6 runs: 6 finished");
    expect(again.stderr).not.toContain("[1/6]");
    const refused = await runCli(args, { cwd });
    expect([refused.code, refused.stderr]).toEqual([
      2,
      "error: --output: all.csv exists; give --force to replace it\n",
    ]);
  });

  test("saves checkpoints on Ctrl-C and shows the command that goes on", async () => {
    const cwd = await scratchFolder();
    const long = ["--num_train_samples", "24", "--epochs", "3000000", "--validate_every", "1000"];
    const never = ["--stop_on_zero_loss_tol", "0", "--epoch_log_interval", "1000"];
    const args = ["sweep", "mf", "--dataset_path", matrix, ...long, ...never, "--seed", "0..1"];
    const { child, ended } = startCli([...args, "--sweep_dir", "here"], { cwd });
    const runs = (): readonly string[] =>
      existsSync(join(cwd, "here"))
        ? readdirSync(join(cwd, "here")).filter((name) =>
            existsSync(join(cwd, "here", name, "metrics.jsonl")),
          )
        : [];
    while (runs().length < 2 && child.exitCode === null) await delay(20);
    child.kill("SIGINT");
    const { code, stdout } = await ended;
    expect(code).toBe(130);
    expect(stdout).toContain("2 runs: 2 interrupted");
    expect(stdout).toMatch(/Go on with: implicit-rank sweep mf --dataset_path .* --sweep_dir here/);
    for (const name of runs()) {
      expect(readdirSync(join(cwd, "here", name, "checkpoints"))).toHaveLength(1);
    }
    const status = await runJson(["sweep", "status", "here"], { cwd });
    expect(status.counts).toEqual({ interrupted: 2 });
  });

  test.each([
    [["sweep", "mff"], "error: mff: is no kind of experiment; did you mean mf?\n"],
    [["sweep"], /^error: <kinds>: is required/],
    [["sweep", "mf"], "error: --dataset_path: is required\n"],
    [["sweep", "mf", "--workers", "0"], /^error: --workers: must be at least 1/],
    [["sweep", "mf", "--lr", "0.1,x", "--dataset_path", "a"], /^error: --lr: must be a number/],
    [["sweep", "mf", "--outputs_dir", "a"], /^error: --outputs_dir: there is no such flag/],
    [["sweep", "mf", "--output", "a.txt"], /^error: --output: a\.txt: must end in/],
    [["sweep", "status", "/nowhere"], /^error: \/nowhere: is not the folder of a sweep/],
    [["sweep", "task", "/nowhere", "0"], /^error: \/nowhere: is not the folder of a submission/],
    [["sweep", "mf", "--status", "--dataset_path", "a"], /^error: --status: is for/],
  ])("%j is refused in one line", async (args, message) => {
    const { code, stderr } = await callMain(args);
    expect(code).toBe(2);
    expect(stderr).toMatch(message);
    expect(stderr.trimEnd().split("\n")).toHaveLength(1);
  });
});

const smallFigure = {
  ax_configs: [
    ["singular_value_0", "singular_value_1"],
    ["top_component_0_fro_norm"],
    ["l_1_f_0_1_top_0_local_comp_norm"],
  ].map((metric_names) => ({ experiment_configs: [{ checkpoint_path: "", metric_names }] })),
};

describe("plan run", () => {
  const plan = () => ({
    name: "rates",
    experiment: "mf",
    repetitions: 2,
    multiprocess: true,
    num_parallel: 2,
    configurations: [
      {
        base_config: {
          dataset_path: matrix,
          num_train_samples: 24,
          epochs: 30,
          experiment_name: "mf_{lr}",
          outputs_dir: "./out.d/{depth}",
        },
        options: { lr: [0.01, 0.002] },
      },
    ],
  });

  test("gives mean, deviation and best of every configuration", async () => {
    const cwd = await scratchFolder();
    await writeFile(join(cwd, "plan.json"), JSON.stringify(plan()));
    const args = ["plan", "run", "--plan_config_path", "plan.json", "--output", "rates.csv"];
    const result = await runJson(args, { cwd });
    expect(result.counts).toEqual({ finished: 4 });
    const [header, ...rows] = (await readFile(join(cwd, "rates.csv"), "utf8")).trim().split("\r\n");
    expect(header).toMatch(/^experiment,lr,runs,finished,seeds,score_name,score_mean,score_std,/);
    expect(rows.map((row) => row.split(",").slice(0, 5))).toEqual([
      ["mf", "0.01", "2", "2", "0 1"],
      ["mf", "0.002", "2", "2", "0 1"],
    ]);
    expect(
      readdirSync(join(cwd, "out.d", "3"))
        .map((name) => name.slice(0, -11))
        .sort(),
    ).toEqual(["mf_0-002_seed=0", "mf_0-002_seed=1", "mf_0-01_seed=0", "mf_0-01_seed=1"]);
    expect(existsSync(join(cwd, "outputs", "plans", "plan", "results.json"))).toBe(true);
    const compared = await runJson(result.next.split(" ").slice(1), { cwd });
    expect(compared.groups.map((group: { finished: number }) => group.finished)).toEqual([2, 2]);
  });

  test("names the wrong field", async () => {
    const cwd = await scratchFolder();
    const wrong = { ...plan(), configurations: [{ base_config: {}, options: { lr: [1, "a"] } }] };
    const path = join(cwd, "plan.json");
    const run = () => callMain(["plan", "run", "--plan_config_path", path]);
    await writeFile(path, JSON.stringify(wrong));
    expect(await run()).toEqual({
      code: 2,
      stdout: "",
      stderr: `error: ${path}: configurations[0].base_config.dataset_path: is required\n`,
    });
    await writeFile(path, "{");
    expect((await run()).stderr).toMatch(/plan\.json: is not valid JSON/);
    const { code, stderr } = await callMain(["plan", "run", "--plan_config_path", "/nowhere.json"]);
    expect([code, stderr]).toEqual([
      2,
      "error: --plan_config_path: /nowhere.json: cannot be read: no such file or folder\n",
    ]);
  });
});

describe("runs compare", () => {
  test("shows differing settings with mean and deviation over seeds, best first", async () => {
    const cwd = await scratchFolder();
    const grid = ["--dataset_path", matrix, "--lr", "0.002,0.01", "--seed", "0..2"];
    await runJson(["sweep", "mf", ...grid, ...quick, "--sweep_dir", "a"], { cwd });
    const args = ["runs", "compare", "a", "--metric", "train_mse_loss", "--output", "c.json"];
    const { code, stdout } = await runCli(args, { cwd });
    expect(code).toBe(0);
    const lines = stdout.trimEnd().split("\n");
    expect(lines[0]).toMatch(
      /^ +lr +runs +normalized_reconstruction_error +best +best seed +train_mse_loss$/,
    );
    expect(lines[1]).toMatch(/^ *0\.01 +3 +[\d.e-]+ ± [\d.e-]+ +[\d.e-]+ +[012] +[\d.e-]+ ± /);
    expect(lines[2]).toMatch(/^0\.002 +3 /);
    const stored = JSON.parse(await readFile(join(cwd, "c.json"), "utf8"));
    expect(stored.groups[0].runs).toHaveLength(3);
    const wrong = await runCli(["runs", "compare", "a", "--metric", "train_mse_los"], { cwd });
    expect([wrong.code, wrong.stderr]).toEqual([
      2,
      'error: --metric: none of the runs has "train_mse_los"; did you mean train_mse_loss?\n',
    ]);
    const none = await runCli(["runs", "compare"], { cwd });
    expect(none.stderr).toMatch(/^error: <folder>: is required/);
  });
});
