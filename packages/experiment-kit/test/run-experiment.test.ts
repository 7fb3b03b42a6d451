import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  writeFileSync,
} from "node:fs";
import { basename, dirname, join } from "node:path";
import { describe, expect, it, vi } from "vitest";
import type { Experiment, Trainable } from "../src/index.ts";
import { readMetrics, readRunConfig, runExperiment, runPaths } from "../src/index.ts";
import { captureOutput, metricLines, readJson, runToy, temporaryFolder } from "./run-kit.ts";
import { createToy, toyExperiment } from "./toy-experiment.ts";
import type { ToyConfig } from "./toy-experiment.ts";

/** The toy with a trainable whose parts are replaced. */
function toyWith(
  change: (trainable: Trainable, config: ToyConfig) => Partial<Trainable>,
): Experiment<never> {
  return {
    ...toyExperiment,
    prepare(config: ToyConfig, { random }) {
      const trainable = createToy(config, random);
      return Promise.resolve({ ...trainable, ...change(trainable, config) });
    },
  } as Experiment<never>;
}

describe("the run folder", () => {
  it("is named by experiment and UTC second, and gets a suffix if it exists", async () => {
    vi.useFakeTimers({ toFake: ["Date"], now: new Date("2024-03-05T06:07:08.9Z") });
    try {
      const outputs = temporaryFolder();
      const names = [];
      for (let i = 0; i < 3; i++)
        names.push(
          basename((await runToy({ outputs_dir: outputs, experiment_name: "my run" })).folder),
        );
      expect(names).toEqual([
        "my run_2024_03_05-06_07_08",
        "my run_2024_03_05-06_07_08_2",
        "my run_2024_03_05-06_07_08_3",
      ]);
    } finally {
      vi.useRealTimers();
    }
  });

  it("is not shared by runs that start at once", async () => {
    const outputs_dir = temporaryFolder();
    const runs = await Promise.all(Array.from({ length: 5 }, () => runToy({ outputs_dir })));
    expect(new Set(runs.map(({ folder }) => folder)).size).toBe(5);
  });

  it("holds config, metrics, log and summary, and no lock after the end", async () => {
    const { folder } = await runToy();
    expect(readdirSync(folder).sort()).toEqual([
      "config.json",
      "experiment.log",
      "metrics.jsonl",
      "summary.json",
    ]);
  });

  it("records every flag, the seed, versions and what the trainable runs on", async () => {
    const { folder } = await runToy({ random_seed: -1, lr: "0.02" });
    const config = readJson(runPaths(folder).config);
    expect(config).toMatchObject({
      lr: 0.02,
      epochs: 5,
      num_checkpoints: 1,
      run: {
        format: "implicit-rank run",
        version: 1,
        experiment: "toy",
        backend: "plain",
        threads: 1,
        dataset_hash: "data",
        score: { metric: "distance", source: "validation", largest: false },
        versions: { node: process.versions.node },
      },
    });
    const { seed } = (await readRunConfig(folder)).run;
    expect(seed).toBeGreaterThanOrEqual(0);
    expect(config["random_seed"]).toBe(seed);
    const again = await runToy({ random_seed: seed, lr: 0.02 });
    expect(metricLines(again.folder)).toEqual(metricLines(folder));
  });

  it("draws another seed for every run with -1", async () => {
    const [a, b] = await Promise.all([runToy({ random_seed: -1 }), runToy({ random_seed: -1 })]);
    expect(a.summary.seed).not.toBe(b.summary.seed);
  });

  it("records a line every epoch_log_interval and every validation", async () => {
    const epochs = async (flags: Record<string, unknown>) =>
      metricLines((await runToy({ epochs: 11, ...flags })).folder).map((line) => [
        line["epoch"],
        "distance" in line,
      ]);
    expect(await epochs({ validate_every: 4, epoch_log_interval: 3 })).toEqual([
      [2, false],
      [3, true],
      [5, false],
      [7, true],
      [8, false],
      [10, true],
    ]);
    expect(await epochs({ validate_every: 5, epoch_log_interval: -1 })).toEqual([
      [4, true],
      [9, true],
      [10, true],
    ]);
  });

  it("gives back what was recorded", async () => {
    const { folder, summary } = await runToy({ epochs: 40 });
    const history = await readMetrics(folder);
    expect([...history.epochs]).toEqual(Array.from({ length: 40 }, (_, i) => i));
    expect([...history.series.keys()]).toEqual([
      "train_loss",
      "train_max",
      "distance",
      "weight_0",
      "weight_1",
      "weight_2",
      "weight_3",
    ]);
    expect(history.series.get("distance")!.values.at(-1)).toBe(
      summary.last_tracked_values["distance"]!.value,
    );
  });
});

describe("summary.json", () => {
  it("tells outcome, score, values and duration", async () => {
    const { folder, ...result } = await runToy({ epochs: 6, validate_every: 4 });
    expect(result).toMatchObject({
      outcome: "completed",
      exitCode: 0,
      scoreName: "distance",
      scoreEpoch: 5,
    });
    const { checksum, ...stored } = readJson(runPaths(folder).summary);
    expect(checksum).toMatch(/^[0-9a-f]{64}$/);
    expect(stored).toEqual(result.summary);
    expect(result.summary).toMatchObject({
      num_model_parameters: 4,
      last_epoch: 5,
      epochs_run: 6,
      score_name: "distance",
      score: result.score,
      stop_reason: "all epochs were run",
      seed: 1,
    });
    expect(Object.keys(result.summary.last_tracked_values).slice(0, 3)).toEqual([
      "train_loss",
      "train_max",
      "distance",
    ]);
    expect(result.summary).not.toHaveProperty("exception");
    expect(result.summary.duration_seconds).toBeGreaterThan(0);
  });

  it("has the best score's epoch, and each value with the epoch it was measured in", async () => {
    const improvesUntil3 = toyWith(() => ({
      validate: (values) => void values.fill(0),
      trainBatch: (() => {
        let calls = 0;
        return (_batch: number, values: Float64Array) => {
          values[0] = Math.abs(calls++ - 3);
          values[1] = 0;
          return 1;
        };
      })(),
      batchesPerEpoch: 1,
    }));
    const flags = {
      score_metric_name: "train_loss",
      is_train_metric: true,
      score_largest: "False",
      return_best_score: true,
      validate_every: 3,
      epochs: 7,
    };
    const { summary, score, scoreEpoch } = await runToy(flags, {}, improvesUntil3);
    expect({ score, scoreEpoch }).toEqual({ score: 0, scoreEpoch: 3 });
    expect(summary.best_score_epoch).toBe(3);
    expect(summary.best_score_epoch_tracked_values).toMatchObject({
      train_loss: { value: 0, epoch: 3 },
      distance: { value: 0, epoch: 2 },
    });
    expect(summary.last_tracked_values["train_loss"]).toEqual({ value: 3, epoch: 6 });
  });

  it("is valid JSON with null where a run diverged, keeps the last good checkpoint and exits with 1", async () => {
    const { folder, ...result } = await runToy({
      diverge_at: 7,
      batch_size: 0,
      epochs: 20,
      save_checkpoints: true,
      save_every_num_val: 2,
      validate_every: 2,
    });
    expect(result).toMatchObject({ outcome: "diverged", exitCode: 1, score: null });
    expect(result.summary).toMatchObject({
      last_epoch: 7,
      outcome: "diverged",
      exception: expect.stringContaining("distance became NaN at epoch 7") as string,
    });
    expect(result.summary.last_tracked_values["distance"]).toEqual({ value: null, epoch: 7 });
    expect(readJson(runPaths(folder).summary)["outcome"]).toBe("diverged");
    expect(readdirSync(runPaths(folder).checkpoints)).toEqual(["epoch_3.safetensors"]);
    expect(metricLines(folder).at(-1)).toMatchObject({ epoch: 7, distance: null });
  });

  it("never checkpoints parameters that are not finite, even before a metric shows it", async () => {
    const broken = toyWith((trainable) => ({
      save: async () => {
        const saved = await trainable.save();
        return {
          ...saved,
          arrays: {
            ...saved.arrays,
            weights: { shape: [4], data: new Float64Array([1, 2, Infinity, 4]) },
          },
        };
      },
    }));
    const { folder, summary } = await runToy({ save_checkpoints: true }, {}, broken);
    expect(summary).toMatchObject({
      outcome: "diverged",
      stop_reason: expect.stringContaining("weights is not finite") as string,
    });
    expect(existsSync(runPaths(folder).checkpoints)).toBe(false);
  });

  it("says failed when the experiment throws, and the error comes through", async () => {
    const outputs_dir = temporaryFolder();
    const broken = toyWith(() => ({
      trainBatch: () => {
        throw new Error("no more numbers");
      },
    }));
    await expect(runToy({ outputs_dir }, {}, broken)).rejects.toThrow("no more numbers");
    const folder = join(outputs_dir, readdirSync(outputs_dir)[0]!);
    expect(readJson(runPaths(folder).summary)).toMatchObject({
      outcome: "failed",
      exception: "no more numbers",
    });
    expect(readFileSync(runPaths(folder).log, "utf8")).toMatch(
      /ERROR - Exception while running experiment\. Error: no more numbers/,
    );
    expect(existsSync(runPaths(folder).lock)).toBe(false);
  });
});

describe("the score", () => {
  it("has the experiment's direction by default, also by name; larger is better for other metrics", async () => {
    const direction = async (flags: Record<string, unknown>) =>
      (await runToy(flags)).summary.score_largest;
    expect(await direction({})).toBe(false);
    expect(await direction({ score_metric_name: "distance" })).toBe(false);
    expect(await direction({ score_metric_name: "train_loss" })).toBe(true);
    expect(await direction({ score_metric_name: "train_loss", score_largest: "False" })).toBe(
      false,
    );
  });

  it.each([
    [
      { score_metric_name: "distanc" },
      '--score_metric_name: this experiment has no metric "distanc"; did you mean distance?',
    ],
    [
      { score_metric_name: "accuracy" },
      '--score_metric_name: this experiment has no metric "accuracy"; the metrics are train_loss',
    ],
    [
      { score_metric_name: "distance", is_train_metric: true },
      "--is_train_metric: distance is a validation metric; leave the flag out",
    ],
  ])("is checked before training: %j", async (flags, message) => {
    const outputs_dir = temporaryFolder();
    await expect(runToy({ outputs_dir, ...flags })).rejects.toThrow(message);
    expect(readdirSync(outputs_dir)).toEqual([]);
  });
});

describe("starting from a checkpoint", () => {
  it("goes on in a new folder with the epochs, metrics and bits of one long run", async () => {
    const whole = await runToy({ epochs: 12 });
    const first = await runToy({ epochs: 7, save_checkpoints: true });
    const second = await runToy({ epochs: 5, trainer_checkpoint: first.folder });
    expect(second.folder).not.toBe(first.folder);
    expect(metricLines(second.folder)).toEqual(metricLines(whole.folder));
    expect(second.summary).toMatchObject({ last_epoch: 11, epochs_run: 5, score: whole.score });
    expect((await readRunConfig(second.folder)).run.started_from).toMatchObject({ epoch: 6 });
  });

  it("takes the file too", async () => {
    const first = await runToy({ epochs: 3, save_checkpoints: true });
    const file = join(runPaths(first.folder).checkpoints, "epoch_2.safetensors");
    expect((await runToy({ epochs: 2, trainer_checkpoint: file })).summary.last_epoch).toBe(4);
  });

  it("refuses what does not fit, in one line, before a folder is made", async () => {
    const first = await runToy({ epochs: 3, save_checkpoints: true });
    const without = await runToy({});
    const text = join(temporaryFolder(), "notes.txt");
    writeFileSync(text, "hello");
    const outputs_dir = temporaryFolder();
    const attempt = (flags: Record<string, unknown>) => runToy({ outputs_dir, ...flags });
    await expect(attempt({ trainer_checkpoint: "/nowhere/x" })).rejects.toThrow(
      "--trainer_checkpoint: /nowhere/x: cannot be read: no such file or folder",
    );
    await expect(attempt({ trainer_checkpoint: without.folder })).rejects.toThrow(
      /^--trainer_checkpoint: .* has no checkpoints/,
    );
    await expect(attempt({ trainer_checkpoint: text })).rejects.toThrow(
      /^--trainer_checkpoint: .*notes\.txt/,
    );
    await expect(attempt({ trainer_checkpoint: first.folder, dimension: 5 })).rejects.toThrow(
      /weights: is Float64Array\[4\], this model needs Float64Array\[5\]/,
    );
    const other = { ...toyExperiment, name: "other" } as Experiment<never>;
    await expect(
      runToy({ outputs_dir, trainer_checkpoint: first.folder }, {}, other),
    ).rejects.toThrow(/is of a toy experiment, not other/);
    expect(readdirSync(outputs_dir)).toEqual([]);
  });
});

describe("bad places", () => {
  it("refuses a file as outputs_dir", async () => {
    const file = join(temporaryFolder(), "file");
    writeFileSync(file, "");
    await expect(runToy({ outputs_dir: file })).rejects.toThrow(
      `--outputs_dir: ${file} is a file, not a folder`,
    );
    await expect(runToy({ outputs_dir: join(file, "deeper") })).rejects.toThrow(
      /^--outputs_dir: .*a part of the path is a file/,
    );
  });

  it("refuses an unwritable folder before it prepares anything", async ({ skip }) => {
    if (process.getuid?.() === 0) skip("root may write everywhere; cli tests it as another user");
    const outputs_dir = temporaryFolder();
    chmodSync(outputs_dir, 0o500);
    await expect(runToy({ outputs_dir })).rejects.toThrow(/^--outputs_dir: .*permission denied/);
  });

  it.runIf(existsSync("/proc/self"))("refuses a file system that takes no folders", async () => {
    await expect(runToy({ outputs_dir: "/proc/nothing/here" })).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringMatching(/^--outputs_dir: \/proc/) as string,
    });
  });

  it("makes missing parents", async () => {
    const outputs_dir = join(temporaryFolder(), "a", "b");
    expect(dirname((await runToy({ outputs_dir })).folder)).toBe(outputs_dir);
  });

  it("makes nothing if the experiment cannot be prepared", async () => {
    const outputs_dir = join(temporaryFolder(), "a");
    mkdirSync(outputs_dir);
    const broken = {
      ...toyExperiment,
      prepare: () => Promise.reject(new Error("no data set")),
    } as Experiment<never>;
    await expect(runToy({ outputs_dir }, {}, broken)).rejects.toThrow("no data set");
    expect(readdirSync(outputs_dir)).toEqual([]);
  });
});

describe("output", () => {
  it("is log lines in a pipe", async () => {
    const stdout = captureOutput();
    await runToy({ epochs: 3 }, { output: "text", stdout });
    const lines = stdout.lines();
    for (const line of lines)
      expect(line).toMatch(/^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d,\d{3} - (INFO|WARNING|ERROR) - \S/);
    expect(stdout.text()).toContain("Starting fit for 3 epochs. Epochs range (inclusive): 0--2");
    expect(stdout.text()).toMatch(
      /Epoch 2 - train_loss \S+, train_max \S+, distance \S+, .* - 3\/3 epochs, .* epochs\/s, ETA 0:00:00/,
    );
    expect(stdout.text()).toMatch(/Finished fit for 3 epochs\. Time took: 0:00:0\d\.\d{6}/);
  });

  it("stays short in a long run", async () => {
    const stdout = captureOutput();
    const { folder } = await runToy({ epochs: 20_000, batch_size: 0 }, { output: "text", stdout });
    expect(stdout.lines().length).toBeLessThan(30);
    expect(readFileSync(runPaths(folder).log, "utf8").length).toBeLessThan(20_000);
    expect(metricLines(folder)).toHaveLength(20_000);
  });

  it("is one line that is rewritten on a terminal, cut to its width", async () => {
    const stdout = captureOutput({ isTTY: true, columns: 40 });
    await runToy({ epochs: 30, slow_ms: 10 }, { output: "text", stdout });
    const updates = stdout.text().split("\r\u001b[K");
    expect(updates.length).toBeGreaterThan(3);
    for (const update of updates.slice(1, -1))
      expect(update.split("\n").at(-1)!.length).toBeLessThanOrEqual(40);
    expect(updates.some((update) => /^\d+\/30 epochs {2}train_loss/.test(update))).toBe(true);
    expect(stdout.text()).not.toContain("- Epoch ");
    expect(stdout.text().endsWith("\r\u001b[K")).toBe(true);
  });

  it("records the flags that were settled when the run was prepared", async () => {
    const settling: Experiment = {
      ...(toyExperiment as Experiment),
      async prepare(config, context) {
        const toy = await (toyExperiment as Experiment).prepare(config, context);
        return { ...toy, settledFlags: { batch_size: 4 } };
      },
    };
    const flags = { outputs_dir: temporaryFolder(), epochs: 1, batch_size: 0, random_seed: 1 };
    const options = { output: "quiet", handleSignals: false } as const;
    const { folder } = await runExperiment(settling, flags, options);
    expect((await readRunConfig(folder)).flags).toMatchObject({ batch_size: 4, random_seed: 1 });
  });

  it("moves within an epoch that has many slow batches, and within its validation", async () => {
    const stdout = captureOutput({ isTTY: true, columns: 120 });
    const slow: Experiment = {
      ...(toyExperiment as Experiment),
      async prepare(config, context) {
        const toy = await (toyExperiment as Experiment).prepare(config, context);
        const wait = () => new Promise((resolve) => setTimeout(resolve, 150));
        return {
          ...toy,
          async trainBatch(batch, values) {
            await wait();
            return toy.trainBatch(batch, values);
          },
          async validate(values, onProgress) {
            for (let done = 1; done <= 4; done++) {
              await wait();
              onProgress(done, 4);
            }
            return toy.validate(values, onProgress);
          },
        };
      },
    };
    await runExperiment(
      slow,
      { outputs_dir: temporaryFolder(), epochs: 2, samples: 48 },
      { output: "text", stdout, handleSignals: false },
    );
    const updates = stdout.text().split("\r\u001b[K");
    const withinFirst =
      /^0\/2 epochs, batch [1-6]\/6 {2}train_loss \S+ {2}.* epochs\/s {2}ETA 0:00:0\d/;
    expect(updates.some((update) => withinFirst.test(update))).toBe(true);
    expect(updates.some((update) => /^0\/2 epochs, validation [1-3]\/4 /.test(update))).toBe(true);
    expect(updates.some((update) => /^1\/2 epochs, batch/.test(update))).toBe(true);
    expect(updates.at(-1)).toMatch(/^$|epochs/);
  });

  it("is JSON lines in json mode", async () => {
    const stdout = captureOutput();
    const { folder, score } = await runToy(
      { epochs: 3, use_wandb: true },
      { output: "json", stdout },
    );
    const events = stdout.lines().map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(events.map(({ event }) => event)).toEqual(
      expect.arrayContaining(["notice", "start", "progress", "end"]),
    );
    expect(events.at(-1)).toMatchObject({ event: "end", folder, outcome: "completed", score });
  });

  it("is nothing with --disable_console_log", async () => {
    const stdout = captureOutput();
    const flags = { outputs_dir: temporaryFolder(), epochs: 2, disable_console_log: true };
    await runExperiment(toyExperiment as Experiment, flags, { stdout, handleSignals: false });
    expect(stdout.text()).toBe("");
  });

  it("does not end the run when it fails", async () => {
    const stdout = {
      write: () => {
        throw new Error("EPIPE");
      },
    };
    expect((await runToy({}, { output: "text", stdout })).outcome).toBe("completed");
  });

  it("logs batches", async () => {
    const { folder } = await runToy({ train_batch_log_interval: 2, epochs: 1 });
    expect(readFileSync(runPaths(folder).log, "utf8")).toMatch(
      /Epoch 0 - train batch 2\/4 - train_loss \S+, train_max \S+/,
    );
  });
});
