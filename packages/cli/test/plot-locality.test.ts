import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, test } from "vitest";
import { callMain, makeDataset, runJson, scratchFolder } from "./run-cli.ts";

/** A run folder as far as figures read it. */
async function writeRun(
  folder: string,
  settings: object,
  accuracy: number,
  outcome = "completed",
): Promise<void> {
  await mkdir(folder, { recursive: true });
  const tracked = { "val accuracy": { value: accuracy, epoch: 149 } };
  await writeFile(join(folder, "config.json"), JSON.stringify(settings));
  await writeFile(
    join(folder, "summary.json"),
    JSON.stringify({ outcome, last_tracked_values: tracked }),
  );
}

test(
  "plot locality draws a sweep: groups by pattern, a setting as x, seeds as error bars",
  { timeout: 120_000 },
  async () => {
    const cwd = await scratchFolder();
    const data = await makeDataset(cwd, "matrix");
    const grid = ["--init_std", "0.1,0.2", "--lr", "0.01,0.02", "--seed", "0..1"];
    const quick = ["--num_train_samples", "20", "--epochs", "30", "--validate_every", "10"];
    const into = ["--sweep_dir", "sweep", "--experiment_name", "toy"];
    await runJson(["sweep", "mf", "--dataset_path", data, ...grid, ...quick, ...into], { cwd });
    const drawn = await runJson(
      [
        ...["plot", "locality", "--experiments_dir", "sweep"],
        ...["--experiment-groups-dir-names", "*lr=0.01_*", "*lr=0.02_*"],
        ...["--per_experiment_group_y_axis_value_name", "train_mse_loss"],
        ...["--per_experiment_group_linestyle", "-", "--"],
        ...["--x_axis_value_name", "init_std", "--save_plot_to", "figures/sweep.svg"],
      ],
      { cwd },
    );
    expect(drawn.svg).toBe("figures/sweep.svg");
    expect(drawn.left_out).toEqual([]);
    expect(drawn.groups.map(({ name }: { name: string }) => name)).toEqual([
      "*lr=0.01_*",
      "*lr=0.02_*",
    ]);
    for (const { points } of drawn.groups) {
      expect(points.map(({ x, runs }: { x: number; runs: number }) => [x, runs])).toEqual([
        [0.1, 2],
        [0.2, 2],
      ]);
      for (const { mean, deviation, values } of points) {
        expect(mean).toBeCloseTo((values[0] + values[1]) / 2, 12);
        expect(deviation).toBeCloseTo(Math.abs(values[0] - values[1]) / 2, 12);
      }
    }
    expect(await readFile(join(cwd, "figures", "sweep.svg"), "utf8")).toContain(
      'stroke-dasharray="5.55 2.4"',
    );
    expect((await readFile(join(cwd, "figures", "sweep.png"))).subarray(1, 4).toString()).toBe(
      "PNG",
    );
  },
);

test("plot locality prints the means, and warns of runs that it leaves out", async () => {
  const cwd = await scratchFolder();
  for (const [distance, accuracy] of [
    [0, 0.9],
    [40, 0.6],
  ] as const)
    for (const seed of [0, 1])
      await writeRun(
        join(cwd, "reg_0", `${distance}_${seed}`),
        { distance },
        accuracy + 0.02 * seed,
      );
  await writeRun(join(cwd, "reg_1", "0"), { distance: 0 }, 0.95);
  await writeRun(join(cwd, "reg_1", "40"), { distance: 40 }, 0, "failed");
  const flags = [
    ...["plot", "locality", "--experiments_dir", cwd],
    ...["--experiment_groups_dir_names", "reg_0", "reg_1"],
    ...["--per_experiment_group_y_axis_value_name", "last_tracked_values.val accuracy.value"],
    ...["--x_axis_value_name", "distance", "--y_value_scale_factor", "100"],
    ...["--save_plot_to", join(cwd, "figure.png")],
  ];
  const svg = join(cwd, "figure.svg");
  const { code, stdout, stderr } = await callMain(flags);
  expect(code).toBe(0);
  expect(stderr).toBe(`warning: ${join(cwd, "reg_1", "40")} failed; it is left out\n`);
  expect(stdout.split("\n").slice(0, 4)).toEqual([
    "distance       reg_0  reg_1",
    "       0  91 ± 1 (2)     95",
    "      40  61 ± 1 (2)      -",
    `${svg} and ${join(cwd, "figure.png")} (4.9 × 2.6 inches, 300 dpi)`,
  ]);
  expect(await callMain(flags)).toEqual({
    code: 2,
    stdout: "",
    stderr: `error: ${svg}: exists already; give --force to replace it, or another --save_plot_to\n`,
  });
  const quiet = await callMain([...flags, "--force", "--quiet"]);
  expect(quiet).toEqual({ code: 0, stdout: `${svg}\n`, stderr: "" });
  const log = await callMain([...flags, "--force", "--x_log_scale"]);
  expect(log.stderr).toContain(
    "warning: reg_0 at 0 is not above 0, so a logarithmic axis cannot show it\n",
  );
});

test.each([
  [[], "--experiments_dir: is required"],
  [
    ["--experiments_dir", "x", "--experiment_groups_dir_name", "a"],
    "--experiment_groups_dir_name: there is no such flag; did you mean --experiment_groups_dir_names?",
  ],
  [["--experiments_dir"], "--experiments_dir: needs a value (path)"],
  [["--error_bars_opacity", "none"], "--experiments_dir: is required"],
])("plot locality %j is refused", async (flags, message) => {
  expect(await callMain(["plot", "locality", ...flags])).toMatchObject({
    code: 2,
    stdout: "",
    stderr: `error: ${message}\n`,
  });
});

test("the script of the counterpart is answered with the command", async () => {
  expect((await callMain(["locality_bias_plotter.py", "--experiments_dir", "x"])).stderr).toBe(
    "error: locality_bias_plotter.py: use: implicit-rank plot locality\n",
  );
});
