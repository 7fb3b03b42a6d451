import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { plotGroups } from "../src/figures/index.ts";
import { compareRuns, listRuns, runExperiment, toCsv, writeReport } from "../src/index.ts";
import { groupRows } from "../src/index.ts";
import type { Experiment, RunInfo } from "../src/index.ts";
import { accuracyExperiment } from "./accuracy-experiment.ts";
import { quiet } from "./run-kit.ts";

let folder: string;
let runs: readonly RunInfo[];

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "accuracy-"));
  for (const coefficient of [0, 1])
    for (const distance of [80, 160])
      for (const seed of [0, 1]) {
        const settings = { grad_change_reg_coeff: coefficient, distance, random_seed: seed };
        const outputs_dir = join(folder, `reg_${coefficient}`);
        await runExperiment(
          accuracyExperiment as Experiment,
          { ...settings, outputs_dir, epochs: 20 },
          quiet,
        );
      }
  runs = [...(await listRuns(join(folder, "reg_0"))), ...(await listRuns(join(folder, "reg_1")))];
});

afterAll(() => rmSync(folder, { recursive: true }));

describe("runs whose score is an accuracy and whose metrics have blanks in their names", () => {
  it("leave plots of the groups of metrics, and event files of each metric", async () => {
    const writing = { save_metric_plots: true, save_checkpoints: true, tensorboard: true };
    const often = { epochs: 20, save_every_num_val: 20 };
    const run = await runExperiment(
      accuracyExperiment as Experiment,
      { ...writing, ...often, outputs_dir: join(folder, "one") },
      quiet,
    );
    expect(readdirSync(join(run.folder, "plots")).sort()).toEqual(
      ["accuracy", "loss", "regularization"].flatMap((tag) => [`${tag}.png`, `${tag}.svg`]),
    );
    expect(readdirSync(join(run.folder, "tensorboard")).sort()).toEqual([
      "regularization",
      "train_accuracy",
      "train_loss",
      "val_accuracy",
      "val_loss",
    ]);
    rmSync(join(folder, "one"), { recursive: true });
  });

  it("are compared by it, the largest first", () => {
    const comparison = compareRuns(runs, { metrics: ["val loss", "regularization"] });
    expect(comparison.settings).toEqual(["distance", "grad_change_reg_coeff"]);
    const order = comparison.groups.map(({ settings }) => Object.values(settings));
    expect(order[0]).toEqual([80, 1]);
    expect(order[3]).toEqual([160, 0]);
    for (const { largest, scoreName, score, best, runs: members } of comparison.groups) {
      expect([largest, scoreName, members.length]).toEqual([true, "val accuracy", 2]);
      expect(best!.score).toBe(score!.max);
    }
    const [head] = toCsv(groupRows(comparison)).split("\r\n");
    expect(head).toContain("score_best,val loss_mean,val loss_std,regularization_mean");
    expect(() => compareRuns(runs, { metrics: ["val acuracy"] })).toThrow(
      '--metric: none of the runs has "val acuracy"; did you mean val accuracy?',
    );
  });

  it("are reported", async () => {
    const output = join(folder, "report.html");
    const report = await writeReport({ paths: [folder], output });
    expect(report.runs).toHaveLength(8);
    expect(report.problems).toEqual([]);
    expect(existsSync(output)).toBe(true);
  });

  it("are drawn against a setting", async () => {
    const figure = await plotGroups({
      experiments_dir: folder,
      experiment_groups_dir_names: ["reg_0", "reg_1"],
      per_experiment_group_y_axis_value_name: ["val accuracy"],
      x_axis_value_name: "distance",
      y_value_scale_factor: 100,
      save_plot_to: join(folder, "figure"),
    });
    expect(figure.leftOut).toEqual([]);
    for (const { name, points } of figure.groups) {
      expect(points.map(({ x, values }) => [x, values.length])).toEqual([
        [80, 2],
        [160, 2],
      ]);
      for (const { x, mean } of points) {
        const scores = runs
          .filter((run) => run.folder.includes(name) && run.config!.flags["distance"] === x)
          .map((run) => run.summary!.score!);
        expect(mean).toBeCloseTo(50 * (scores[0]! + scores[1]!), 9);
      }
    }
    expect(readFileSync(figure.svg, "utf8")).toContain("<title>reg_0</title>");
  });
});
