import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { readSafetensors } from "@implicit-rank/array-files";
import { listRuns, parseFlags, resumeRun, runExperiment } from "@implicit-rank/experiment-kit";
import { createRandom } from "@implicit-rank/random";
import * as tf from "@tensorflow/tfjs-core";
import { describe, expect, it } from "vitest";
import { isSameFlags, pathfinderFlags } from "../../src/experiment/index.ts";
import { openSets } from "./image-sets.ts";
import { metricsOf, pathfinderInMemory, play, scratchFolder, tinyFlags } from "./play.ts";

const message = (promise: Promise<unknown>) =>
  promise.then(
    () => {
      throw new Error("succeeded");
    },
    ({ message, exitCode }: Error & { exitCode: number }) => ({ message, exitCode }),
  );

describe("flags", () => {
  it("have the names and defaults of the Python scripts", () => {
    const shared = {
      model: "resnet18",
      batch_size: 64,
      gradient_accumulation: -1,
      lr: 0.01,
      optimizer: "sgd",
      momentum: 0.9,
      weight_decay: 0,
      dropout: 0,
      stop_on_perfect_train_acc: false,
      stop_on_perfect_train_acc_patience: 20,
      grad_change_reg_coeff: 0,
      num_train_samples: -1,
    };
    const pairs = { train_dataset_path: "a", test_dataset_path: "b" };
    expect(parseFlags(isSameFlags, pairs)).toMatchObject({
      ...shared,
      preload_data_to_memory: false,
      distance: 0,
      input_width: 224,
      input_height: 224,
      num_test_samples: -1,
    });
    expect(parseFlags(pathfinderFlags, { dataset_path: "a" })).toMatchObject({
      ...shared,
      reg_patch_size: 2,
      reg_distance: 0,
      reg_only_adjecent_patches: false,
    });
  });
});

describe("a run", () => {
  it("records metrics, sizes and what it was computed with", async () => {
    const { folder, outcome, scoreName } = await play({ grad_change_reg_coeff: 0.5 });
    expect({ outcome, scoreName }).toEqual({ outcome: "completed", scoreName: "val accuracy" });
    const metrics = await metricsOf(folder);
    expect(metrics).toHaveLength(2);
    for (const values of metrics) {
      expect(Object.keys(values)).toEqual([
        "epoch",
        "train loss",
        "train accuracy",
        "regularization",
        "val loss",
        "val accuracy",
      ]);
      expect(values["regularization"]).toBeGreaterThan(0);
      expect(values["regularization"]).toBeLessThanOrEqual(1);
      // 12 and 7 samples: shares of these.
      expect(12 * values["train accuracy"]!).toBeCloseTo(
        Math.round(12 * values["train accuracy"]!),
      );
      expect(7 * values["val accuracy"]!).toBeCloseTo(Math.round(7 * values["val accuracy"]!));
    }
    const config = JSON.parse(await readFile(join(folder, "config.json"), "utf8"));
    expect(config).toMatchObject({ backend: "cpu", threads: 1, grad_change_reg_coeff: 0.5 });
    expect(config.run).toMatchObject({
      backend: "cpu",
      threads: 1,
      dataset_hash: "datadata",
      metadata: {
        "train dataset size": 12,
        "test dataset size": 7,
        "input shape": "8 × 8 × 1",
        model: "resnet18",
      },
    });
  });

  it("does not compute the regularizer where its coefficient is 0", async () => {
    const metrics = await metricsOf((await play({ epochs: 1 })).folder);
    expect(metrics[0]!["regularization"]).toBe(0);
    // A patch that no image has room for is then of no account.
    await play({ epochs: 1, reg_patch_size: 100 });
  });

  it("learns, and stops at perfect accuracy after the patience", async () => {
    const { outcome, summary } = await play({
      epochs: 40,
      batch_size: 12,
      optimizer: "adam",
      lr: 0.01,
      stop_on_perfect_train_acc: true,
      stop_on_perfect_train_acc_patience: 2,
    });
    expect(outcome).toBe("stopped");
    expect(summary.exception).toContain("train accuracy was at least 1 at 3 checks in a row");
  });

  it("gives the same numbers for the same seed, and others for another", async () => {
    const flags = { epochs: 1, dropout: 0.3, grad_change_reg_coeff: 0.1 };
    const [first, again, other] = await Promise.all([
      play(flags),
      play(flags),
      play({ ...flags, random_seed: 4 }),
    ]);
    expect(await metricsOf(again.folder)).toEqual(await metricsOf(first.folder));
    expect(await metricsOf(other.folder)).not.toEqual(await metricsOf(first.folder));
  });

  it("leaves no tensors and no open sets behind", async () => {
    await play({ epochs: 1 });
    const before = { tensors: tf.memory().numTensors, sets: openSets.count };
    await play({ grad_change_reg_coeff: 0.5, gradient_accumulation: 2, optimizer: "adam" });
    expect({ tensors: tf.memory().numTensors, sets: openSets.count }).toEqual(before);
  });

  it("says that a last batch of one sample is a poor one", async () => {
    const lines: string[] = [];
    await pathfinderInMemory()
      .prepare(
        {
          ...parseFlags(pathfinderFlags, { dataset_path: "a", model_width: 2, batch_size: 11 }),
        } as never,
        { random: createRandom(1), log: (line) => lines.push(line) },
      )
      .then((trainable) => trainable.dispose?.());
    expect(lines).toEqual([expect.stringContaining("A batch of one sample")]);
  });
});

describe("resume", () => {
  const flags = {
    ...tinyFlags,
    epochs: 4,
    save_checkpoints: true,
    grad_change_reg_coeff: 0.2,
    dropout: 0.2,
    gradient_accumulation: 2,
    batch_size: 5,
  };

  it.each(["sgd", "adam"])(
    "after an interruption gives the same bits, with %s",
    async (optimizer) => {
      const experiment = pathfinderInMemory();
      const options = { output: "quiet", handleSignals: false } as const;
      const raw = { ...flags, optimizer, outputs_dir: await scratchFolder() };
      const whole = await runExperiment(experiment, raw, options);
      const stop = new AbortController();
      const interrupted = await runExperiment(experiment, raw, {
        ...options,
        signal: stop.signal,
        callbacks: () => ({
          stopper: {
            onEpochEnd: (fit) => {
              if (fit.epoch === 1) stop.abort();
            },
          },
        }),
      });
      expect(interrupted).toMatchObject({ outcome: "interrupted", exitCode: 130 });
      const resumed = await resumeRun(interrupted.folder, [experiment as never], options);
      expect(resumed.outcome).toBe("completed");
      expect(await metricsOf(resumed.folder)).toEqual(await metricsOf(whole.folder));
      const checkpoint = async (folder: string) => {
        const path = join(folder, "checkpoints");
        const names = await readdir(path);
        const file = await readSafetensors(join(path, names.toSorted().at(-1)!));
        return file.arrays;
      };
      expect(await checkpoint(resumed.folder)).toEqual(await checkpoint(whole.folder));
    },
  );
});

describe("gradient accumulation", () => {
  /** Loss of the second epoch: it depends on the update of the first. */
  const lossAfter = async (flags: Readonly<Record<string, unknown>>) => {
    const metrics = await metricsOf((await play({ ...flags, epochs: 2 })).folder);
    return metrics[1]!["train loss"]!;
  };

  it("makes one update of a group of batches: a whole epoch in one group, so the batches see the same parameters", async () => {
    const flags = { batch_size: 4, lr: 0.1 };
    const [grouped, beyond, single] = await Promise.all([
      lossAfter({ ...flags, gradient_accumulation: 3 }),
      // A group that the epoch ends.
      lossAfter({ ...flags, gradient_accumulation: 100 }),
      lossAfter(flags),
    ]);
    expect(beyond).toBe(grouped);
    expect(single).not.toBe(grouped);
  });
});

describe("refused", () => {
  it.each([
    [{ reg_patch_size: 9 }, /^--reg_patch_size: .*8×8/],
    [{ reg_distance: 5 }, /^--reg_patch_size: .*--reg_distance/],
  ])("patches that do not fit: %o", async (flags, expected) => {
    const before = openSets.count;
    const { message: text, exitCode } = await message(play({ grad_change_reg_coeff: 1, ...flags }));
    expect(text).toMatch(expected);
    expect(exitCode).toBe(2);
    expect(openSets.count).toBe(before);
  });

  it("an empty set, and images of two sizes", async () => {
    expect(await message(play({}, { test: { count: 0 } }))).toEqual({
      message: "the test set has no samples; make the data set again",
      exitCode: 2,
    });
    expect((await message(play({}, { test: { channels: 3 } }))).message).toBe(
      "the images of the test set are 8 × 8 × 3, those of the training set 8 × 8 × 1; use sets of the same images",
    );
  });

  it("a label that is not 0 or 1, named with epoch, batch and sample", async () => {
    const spoiled = play(
      {},
      {
        train: {
          spoil: (batch, epoch) =>
            epoch === 1 ? { ...batch, labels: batch.labels.map(() => 3) } : batch,
        },
      },
    );
    const { message: text, exitCode } = await message(spoiled);
    expect(text).toMatch(
      /^epoch 1, batch 1 of 2: sample \d+ has the label 3, but labels are 0 or 1/,
    );
    expect(exitCode).toBe(2);
  });

  it("NaN in a batch, with the last good checkpoint kept", async () => {
    const outputs = await scratchFolder();
    const experiment = pathfinderInMemory({
      train: {
        spoil: (batch, epoch) => {
          if (epoch === 2 && batch.indices.includes(7)) {
            const at = batch.indices.indexOf(7);
            batch.inputs[at * 64 + 5] = Number.NaN;
          }
          return batch;
        },
      },
    });
    const run = runExperiment(
      experiment,
      { ...tinyFlags, epochs: 4, save_checkpoints: true, outputs_dir: outputs },
      { output: "quiet", handleSignals: false },
    );
    const { message: text, exitCode } = await message(run);
    expect(text).toMatch(/^epoch 2, batch [12] of 2: sample 7 has a pixel that is NaN; .*resume/);
    expect(exitCode).toBe(1);
    const [listed] = await listRuns(outputs);
    expect(listed).toMatchObject({ status: "failed" });
    const names = await readdir(join(listed!.folder, "checkpoints"));
    expect(names.join()).toMatch(/1\b/);
  });

  it("a loss that diverges, named with epoch and batch", async () => {
    const { outcome, exitCode, summary } = await play({ lr: 1e30, epochs: 5 });
    expect({ outcome, exitCode }).toEqual({ outcome: "diverged", exitCode: 1 });
    expect(summary.exception).toMatch(/became (NaN|infinite) at epoch \d, batch \d of 2/);
  });
});
