import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { beforeEach, describe, expect, it } from "vitest";
import { createMetricSources } from "../../src/figures/metric-source.ts";
import { readPanelCurves } from "../../src/figures/panel-curves.ts";
import { parsePlotConfig } from "../../src/figures/plot-config.ts";
import { runPaths } from "../../src/index.ts";
import { runToy, temporaryFolder } from "../run-kit.ts";
import { cadence, writeRun } from "./write-run.ts";

const loss = (epoch: number): number => 1 / (1 + epoch);

/** The curves of one panel with one source. */
async function curvesOf(source: object, panel: object = {}, runs: readonly string[] = []) {
  const { ax_configs } = parsePlotConfig(
    {
      ax_configs: [
        {
          experiment_configs: [{ checkpoint_path: "", metric_names: ["loss"], ...source }],
          ...panel,
        },
      ],
    },
    "plot.json",
  );
  const sources = createMetricSources();
  const given = (await Promise.all(runs.map((run) => sources.read(run)))).flat();
  return readPanelCurves(ax_configs[0]!, { file: "plot.json", index: 0 }, sources, given);
}

const epochsOf = async (...args: Parameters<typeof curvesOf>) => [
  ...(await curvesOf(...args)).curves[0]!.epochs,
];

describe("the epochs of a panel", () => {
  const source = { checkpoint_path: "" };
  beforeEach(() => {
    source.checkpoint_path = writeRun(temporaryFolder(), cadence(6), { loss });
  });

  it("run from start_iter to max_iter, both included", async () => {
    expect(await epochsOf(source)).toEqual([24, 49, 74, 99, 124, 149]);
    expect(await epochsOf(source, { start_iter: 49, max_iter: 124 })).toEqual([49, 74, 99, 124]);
    expect(await epochsOf(source, { start_iter: 50, max_iter: 123 })).toEqual([74, 99]);
  });

  it("end after the first epoch whose train loss is below min_loss", async () => {
    const cut = { loss_metric_name: "loss", min_loss: 1 / 90 };
    expect(await epochsOf(source, cut)).toEqual([24, 49, 74, 99]);
    expect(await epochsOf(source, { ...cut, max_iter: 60 })).toEqual([24, 49]);
    expect(await epochsOf(source, { ...cut, max_iter: 124 })).toEqual([24, 49, 74, 99]);
    expect(await epochsOf(source, { ...cut, min_loss: 1e-9 })).toHaveLength(6);
    expect(await epochsOf(source, { min_loss: 1 / 90 })).toHaveLength(6);
  });

  it("are refused if none is left", async () => {
    await expect(epochsOf(source, { start_iter: 150 })).rejects.toThrow(
      "plot.json: ax_configs[0].experiment_configs[0].metric_names[0]: loss ends at epoch 149, before start_iter (150); make start_iter smaller",
    );
    await expect(epochsOf(source, { start_iter: 50, max_iter: 60 })).rejects.toThrow(
      "loss has no values between start_iter and the end of the panel; widen the range",
    );
  });
});

describe("the source of a panel", () => {
  it("may be a run folder, a file in it, a checkpoint (up to its epoch), or a folder of runs", async () => {
    const { folder } = await runToy({
      epochs: 12,
      save_checkpoints: true,
      save_every_num_val: 5,
      num_checkpoints: 3,
    });
    const metric = { metric_names: ["train_loss"] };
    const whole = await epochsOf({ ...metric, checkpoint_path: folder });
    expect(whole).toHaveLength(12);
    expect(await epochsOf({ ...metric, checkpoint_path: runPaths(folder).metrics })).toEqual(whole);
    expect(await epochsOf({ ...metric, checkpoint_path: join(folder, "..") })).toEqual(whole);
    const checkpoint = join(runPaths(folder).checkpoints, "epoch_4.safetensors");
    expect(await epochsOf({ ...metric, checkpoint_path: checkpoint })).toEqual([0, 1, 2, 3, 4]);
  });

  it("may be several runs, listed or by a pattern, and gives their mean", async () => {
    const parent = temporaryFolder();
    const runs = [1, 2, 3].map((seed) =>
      writeRun(join(parent, `mf_${seed}`), cadence(4), { loss: (epoch) => seed * epoch }),
    );
    for (const checkpoint_path of [
      runs,
      [runs[0]!, join(parent, "mf_[23]")],
      join(parent, "mf_*"),
    ]) {
      const { curves, runs: shown } = await curvesOf({ checkpoint_path });
      expect(shown).toEqual([runs]);
      expect([...curves[0]!.mean]).toEqual([48, 98, 148, 198]);
      expect(curves[0]!.deviation![0]).toBeCloseTo(24 * Math.sqrt(2 / 3));
    }
  });

  it("may be left empty: then it is those of the given runs that have its metrics", async () => {
    const parent = temporaryFolder();
    const a = writeRun(join(parent, "a"), cadence(3), { loss });
    const b = writeRun(join(parent, "b"), cadence(3), { other: loss });
    const c = writeRun(join(parent, "c"), cadence(3), { loss });
    expect((await curvesOf({}, {}, [a, b, c])).runs).toEqual([[a, c]]);
    expect((await curvesOf({ metric_names: ["other"] }, {}, [parent])).runs).toEqual([[b]]);
  });

  it.each([
    ["is missing", "nowhere/run", "nowhere/run: there is no such run folder or file"],
    ["matches nothing", "nowhere/*", "nowhere/*: matches nothing"],
  ])("is refused if it %s", async (_, checkpoint_path, problem) => {
    await expect(curvesOf({ checkpoint_path })).rejects.toThrow(
      `plot.json: ax_configs[0].experiment_configs[0].checkpoint_path: ${problem}`,
    );
    await expect(curvesOf({ checkpoint_path: [checkpoint_path] })).rejects.toThrow(
      `plot.json: ax_configs[0].experiment_configs[0].checkpoint_path[0]: ${problem}`,
    );
  });

  it("is refused without runs, with runs that do not fit, and with a metric that a run lacks", async () => {
    await expect(curvesOf({})).rejects.toThrow(
      "ax_configs[0].experiment_configs[0].checkpoint_path: is empty; fill it in, or name the runs after the command",
    );
    const folder = writeRun(temporaryFolder(), cadence(3), { train_loss: loss });
    await expect(curvesOf({}, {}, [folder])).rejects.toThrow(
      "checkpoint_path: is empty, and the run given does not have loss; give one that has it",
    );
    await expect(
      curvesOf({ checkpoint_path: folder, metric_names: ["train_loss", "train_los"] }),
    ).rejects.toThrow(
      `plot.json: ax_configs[0].experiment_configs[0].metric_names[1]: ${folder} has no metric train_los; did you mean train_loss?`,
    );
    await expect(
      curvesOf(
        { checkpoint_path: folder, metric_names: ["train_loss"] },
        { loss_metric_name: "mse", min_loss: 1 },
      ),
    ).rejects.toThrow(`plot.json: ax_configs[0].loss_metric_name: ${folder} has no metric mse`);
    const empty = join(temporaryFolder(), "empty");
    mkdirSync(empty);
    await expect(curvesOf({ checkpoint_path: empty })).rejects.toThrow(
      `${empty}: is no run folder and has none below it`,
    );
  });

  it("is refused if its runs have no epoch in common", async () => {
    const parent = temporaryFolder();
    writeRun(join(parent, "a"), [0, 2], { loss });
    writeRun(join(parent, "b"), [1, 3], { loss });
    await expect(curvesOf({ checkpoint_path: parent })).rejects.toThrow(
      "the 2 runs have no epoch with loss in common; use runs of one cadence",
    );
  });
});
