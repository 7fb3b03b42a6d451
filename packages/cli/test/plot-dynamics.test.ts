import { readdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { callMain, makeDataset, runJson, scratchFolder } from "./run-cli.ts";

const quick = ["--epochs", "60", "--validate_every", "5", "--epoch_log_interval", "5"];

test(
  "plot dynamics draws trained runs of the three models, seeds as a band",
  { timeout: 90_000 },
  async () => {
    const cwd = await scratchFolder();
    const matrix = await makeDataset(cwd, "matrix");
    const tensor = await makeDataset(cwd, "tensor");
    const train = async (
      kind: string,
      data: string,
      seed: string,
      flags: readonly string[] = [],
    ) => {
      const names = ["--dataset_path", data, "--experiment_name", kind, "--seed", seed];
      const samples = ["--num_train_samples", "20", "--outputs_dir", join(cwd, kind)];
      return runJson(["train", kind, ...names, ...samples, ...quick, ...flags], { cwd });
    };
    await Promise.all([
      train("mf", matrix, "1"),
      train("mf", matrix, "2"),
      train("cp", tensor, "1", ["--num_cp_components", "12"]),
      train("ht", tensor, "1", ["--ht_layer_widths", "12", "12"]),
    ]);
    const five = (name: (i: number) => string): readonly string[] =>
      Array.from({ length: 5 }, (_, i) => name(i));
    const panel = (title: string, metrics: readonly string[]) => ({
      title,
      experiment_configs: [{ checkpoint_path: "", metric_names: metrics }],
    });
    const config = join(cwd, "plot.json");
    await writeFile(
      config,
      JSON.stringify({
        subplot_width: 7,
        ax_configs: [
          panel(
            "MF",
            five((i) => `singular_value_${i}`),
          ),
          panel(
            "CP",
            five((i) => `top_component_${i}_fro_norm`),
          ),
          panel(
            "HT",
            five((i) => `l_1_f_0_1_top_${i}_local_comp_norm`),
          ),
        ],
      }),
    );
    const saveTo = join(cwd, "figures", "dynamics.png");
    const flags = ["--plot_config_path", config, "--save_plot_to", saveTo];
    const folders = ["mf", "cp", "ht"].map((kind) => join(cwd, kind));
    const drawn = await runJson(["plot", "dynamics", ...flags, ...folders], { cwd });
    expect(
      drawn.panels.map((one: { sources: { runs: [] }[] }) => one.sources[0]!.runs.length),
    ).toEqual([2, 1, 1]);
    const svg = await readFile(drawn.svg, "utf8");
    expect(svg.match(/fill-opacity="0.22"/g)).toHaveLength(5);
    expect((await readFile(drawn.png)).subarray(1, 4).toString()).toBe("PNG");

    const again = await callMain(["plot", "dynamics", ...flags, ...folders]);
    expect(again).toMatchObject({ code: 2, stdout: "" });
    expect(again.stderr).toBe(
      `error: ${drawn.svg}: exists already; give --force to replace it, or another --save_plot_to\n`,
    );
    const forced = await callMain(["plot", "dynamics", ...flags, "--force", "--quiet", ...folders]);
    expect(forced).toEqual({ code: 0, stdout: `${drawn.svg}\n`, stderr: "" });
  },
);

test("plot dynamics names the wrong field of a configuration", async () => {
  const cwd = await scratchFolder();
  const config = join(cwd, "plot.json");
  const source = { checkpoint_path: "x", metric_names: ["a"], colors: ["red", "bleu"] };
  await writeFile(config, JSON.stringify({ ax_configs: [{ experiment_configs: [source] }] }));
  const { code, stderr } = await callMain(["plot", "dynamics", "--plot_config_path", config]);
  expect(code).toBe(2);
  expect(stderr).toBe(
    `error: ${config}: ax_configs[0].experiment_configs[0].colors[1]: must be a color such as firebrick, #1f77b4 or tab:blue (got "bleu")\n`,
  );
});

test("plot dynamics says what it needs", async () => {
  expect(await callMain(["plot", "dynamics"])).toMatchObject({
    code: 2,
    stderr: "error: --plot_config_path: is required\n",
  });
  expect(await callMain(["dynamical_analysis_results_multi_plotter.py"])).toMatchObject({
    code: 2,
    stderr:
      "error: dynamical_analysis_results_multi_plotter.py: use: implicit-rank plot dynamics\n",
  });
});

test("--tensorboard writes event files beside the metrics", async () => {
  const cwd = await scratchFolder();
  const data = await makeDataset(cwd, "matrix");
  const flags = [
    "--dataset_path",
    data,
    "--num_train_samples",
    "20",
    "--use-tensorboard",
    ...quick,
  ];
  const { folder } = await runJson(["train", "mf", ...flags], { cwd });
  const metric = join(cwd, folder, "tensorboard", "singular_value_0");
  expect(await readdir(metric)).toEqual([
    expect.stringMatching(/^events\.out\.tfevents\.\d{10}\./),
  ]);
});
