import {
  appendFileSync,
  existsSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { contentHash } from "@implicit-rank/array-files";
import { describe, expect, it } from "vitest";
import type { Callback, Experiment, ResumeOptions } from "../src/index.ts";
import {
  learningRateScheduler,
  listRuns,
  readCheckpoint,
  readSummary,
  resumeRun,
  runPaths,
  showRun,
  stepSchedule,
} from "../src/index.ts";
import { delay, startChild, waitForFile } from "./child-process.ts";
import { metricLines, quiet, readJson, runToy, temporaryFolder } from "./run-kit.ts";
import { toyExperiment } from "./toy-experiment.ts";

const experiments = [toyExperiment as Experiment];
const resume = (folder: string, options: ResumeOptions = {}) =>
  resumeRun(folder, experiments, { ...quiet, ...options });

/** What must be the same bits after any interruption. */
async function result(folder: string) {
  const summary = (await readSummary(folder))!;
  const numbers: Record<string, unknown> = { ...summary };
  delete numbers["duration_seconds"];
  // The metrics have the times of their epochs.
  delete numbers["metrics_sha256"];
  delete numbers["times_resumed"];
  const { checkpoints } = runPaths(folder);
  const names = existsSync(checkpoints) ? readdirSync(checkpoints).sort() : [];
  const hashes = [];
  for (const name of names) {
    const { model, callbackArrays, state } = await readCheckpoint(join(checkpoints, name));
    const { callbacks, epoch, retained, values } = state;
    hashes.push({
      name,
      hash: contentHash(model),
      random: model.metadata,
      epoch,
      retained,
      values,
      callbacks,
      held: Object.keys(callbackArrays),
    });
  }
  return { numbers, metrics: metricLines(folder), hashes };
}

/** Noisy: early stopping ends this run well after its best epoch, and restores the best model. */
const stopping = {
  samples: 48,
  noise: 0.5,
  random_seed: 5,
  epochs: 400,
  lr: 0.1,
  momentum: 0.8,
  batch_size: 16,
  validate_every: 2,
  save_checkpoints: true,
  save_every_num_val: 4,
  num_checkpoints: 3,
  save_checkpoints_by_score: true,
  early_stop: true,
  early_stop_patience: 6,
  early_stop_min_delta: 1e-4,
  early_stop_restore_best: true,
  return_best_score: true,
};

describe("after kill -9", () => {
  it("goes on to the same bits from whatever epoch it failed in", { timeout: 60_000 }, async () => {
    const whole = await runToy(stopping);
    const expected = await result(whole.folder);
    const { last_epoch: last, best_score_epoch: best } = whole.summary;
    expect(last).toBeGreaterThan(best! + 10);
    for (let epoch = 3; epoch <= last; epoch += 5) {
      const outputs_dir = temporaryFolder();
      const fail: Callback = {
        onEpochEnd(fit) {
          if (fit.epoch === epoch) throw new Error("as if killed");
        },
      };
      const failed = runToy({ ...stopping, outputs_dir }, { callbacks: () => ({ fail }) });
      await expect(failed).rejects.toThrow("as if killed");
      const folder = join(outputs_dir, readdirSync(outputs_dir)[0]!);
      await resume(folder);
      expect(await result(folder), `failed in epoch ${epoch}`).toEqual(expected);
    }
  });

  it("goes on to the same bits, however often it is killed", { timeout: 60_000 }, async () => {
    const whole = await runToy(stopping);
    const flags = { ...stopping, outputs_dir: temporaryFolder(), slow_ms: 25 };
    expect(whole.summary.outcome).toBe("stopped");
    let child = startChild("run", flags);
    const folder = await child.folder;
    let kills = 0;
    for (const wait of [0, 230, 100, 250, 60]) {
      await delay(wait);
      child.kill("SIGKILL");
      if ((await child.ended).signal !== "SIGKILL") break;
      kills++;
      expect((await showRun(folder)).status).toBe("killed");
      child = startChild("resume", folder);
      await Promise.race([child.folder.catch(() => undefined), child.ended]);
    }
    expect(await child.ended).toMatchObject({ code: 0, stderr: "" });
    expect(kills).toBeGreaterThanOrEqual(3);
    expect(await result(folder)).toEqual(await result(whole.folder));
  });

  it(
    "loses nothing when it is killed while it writes a checkpoint",
    { timeout: 60_000 },
    async () => {
      const shared = { random_seed: 3, epochs: 12, ballast: 1_000_000, save_checkpoints: true };
      const whole = await runToy(shared);
      let child = startChild("run", { ...shared, outputs_dir: temporaryFolder() });
      const folder = await child.folder;
      const { checkpoints } = runPaths(folder);
      let kills = 0;
      for (let i = 0; i < 4; i++) {
        if (!(await waitForFile(checkpoints, /\.tmp$/, child))) break;
        child.kill("SIGKILL");
        if ((await child.ended).signal !== "SIGKILL") break;
        kills++;
        // What the kill left behind must not be taken for progress of the next process.
        for (const name of readdirSync(checkpoints))
          if (name.endsWith(".tmp") && i % 2 === 0) rmSync(join(checkpoints, name));
        child = startChild("resume", folder);
        await Promise.race([child.folder.catch(() => undefined), child.ended]);
        await waitForFile(checkpoints, /epoch_\d+/, child);
      }
      expect((await child.ended).code).toBe(0);
      expect(kills).toBeGreaterThanOrEqual(2);
      expect(await result(folder)).toEqual(await result(whole.folder));
      expect(readdirSync(checkpoints)).toEqual(["epoch_11.safetensors"]);
    },
  );

  it("begins again, with the same seed, if it has no checkpoint", async () => {
    const child = startChild("run", { outputs_dir: temporaryFolder(), epochs: 30, slow_ms: 20 });
    const folder = await child.folder;
    await delay(60);
    child.kill("SIGKILL");
    await child.ended;
    const resumed = await resume(folder);
    const whole = await runToy({ epochs: 30, random_seed: resumed.summary.seed });
    expect(metricLines(folder)).toEqual(metricLines(whole.folder));
    expect(readFileSync(runPaths(folder).log, "utf8")).toContain(
      "from the beginning: it has no checkpoint",
    );
  });
});

describe("Ctrl-C", () => {
  it.each(["SIGINT", "SIGTERM", "SIGHUP"] as const)(
    "saves on %s, says so, and the run goes on to the same bits",
    async (signal) => {
      const whole = await runToy({ epochs: 100, validate_every: 7 });
      const child = startChild("run", {
        outputs_dir: temporaryFolder(),
        random_seed: 1,
        epochs: 100,
        validate_every: 7,
        slow_ms: 10,
      });
      const folder = await child.folder;
      await delay(70);
      child.kill(signal);
      const { code, stdout } = await child.ended;
      expect(code).toBe(130);
      expect(stdout).toContain(`"resume_command":"implicit-rank runs resume ${folder}"`);
      const info = await showRun(folder);
      expect(info).toMatchObject({
        status: "interrupted",
        checkpoints: [info.summary!.last_epoch],
      });
      expect(info.summary!.last_epoch).toBeLessThan(99);
      await resume(folder);
      expect(metricLines(folder)).toEqual(metricLines(whole.folder));
      expect((await readSummary(folder))!.times_resumed).toBe(1);
    },
  );

  it("ends at once the second time", async () => {
    const child = startChild("run", { outputs_dir: temporaryFolder(), epochs: 5, slow_ms: 60_000 });
    await child.folder;
    await delay(100);
    child.kill("SIGINT");
    await delay(300);
    child.kill("SIGINT");
    expect(await child.ended).toMatchObject({ signal: "SIGINT" });
  });

  it("is what aborting the given signal does", async () => {
    const controller = new AbortController();
    const running = runToy({ epochs: 1000, slow_ms: 1 }, { signal: controller.signal });
    await delay(100);
    controller.abort();
    expect(await running).toMatchObject({ outcome: "interrupted", exitCode: 130 });
  });
});

describe("resume", () => {
  /** A run that ended in epoch 10 without a summary, as after a kill. */
  const interrupted = async (): Promise<string> => {
    const controller = new AbortController();
    const halt: Callback = {
      onEpochEnd: ({ epoch }) => (epoch === 10 ? controller.abort() : undefined),
    };
    const { folder, outcome } = await runToy(
      { epochs: 60, save_checkpoints: true, num_checkpoints: 2 },
      { signal: controller.signal, callbacks: () => ({ halt }) },
    );
    expect(outcome).toBe("interrupted");
    rmSync(runPaths(folder).summary);
    return folder;
  };
  const checkpointPaths = (folder: string): readonly string[] =>
    readdirSync(runPaths(folder).checkpoints)
      .filter((name) => name.endsWith(".safetensors"))
      .sort((a, b) => Number(/\d+/.exec(b)![0]) - Number(/\d+/.exec(a)![0]))
      .map((name) => join(runPaths(folder).checkpoints, name));

  it("falls back to the checkpoint before a truncated one, and says so", async () => {
    const folder = await interrupted();
    const [newest] = checkpointPaths(folder);
    truncateSync(newest!, 300);
    expect((await resume(folder)).outcome).toBe("completed");
    const log = readFileSync(runPaths(folder).log, "utf8");
    expect(log).toContain(`WARNING - Passing over a checkpoint: ${newest!}`);
    const whole = await runToy({ epochs: 60 });
    expect(metricLines(folder)).toEqual(metricLines(whole.folder));
  });

  it("cuts back what was recorded after the checkpoint, torn lines too", async () => {
    const folder = await interrupted();
    appendFileSync(runPaths(folder).metrics, '{"epoch":11,"time":1,"distance":9}\n{"epoch":12,"ti');
    await resume(folder);
    expect(metricLines(folder)).toEqual(metricLines((await runToy({ epochs: 60 })).folder));
  });

  it("notices a flipped bit in a checkpoint", async () => {
    const folder = await interrupted();
    const [newest] = checkpointPaths(folder);
    const bytes = readFileSync(newest!);
    bytes[bytes.length - 5]! ^= 1;
    writeFileSync(newest!, bytes);
    await resume(folder);
    expect(readFileSync(runPaths(folder).log, "utf8")).toContain(
      `${newest!}: its checksum does not fit`,
    );
  });

  it("refuses to begin again when all checkpoints are damaged", async () => {
    const folder = await interrupted();
    for (const path of checkpointPaths(folder)) truncateSync(path, 10);
    const before = readFileSync(runPaths(folder).metrics);
    await expect(resume(folder)).rejects.toThrow(
      /no checkpoint can be used: .*epoch_\d+\.safetensors.*; start the run anew/,
    );
    expect(readFileSync(runPaths(folder).metrics)).toEqual(before);
  });

  it("refuses metrics that are shorter than its checkpoints know", async () => {
    const folder = await interrupted();
    truncateSync(runPaths(folder).metrics, 10);
    await expect(resume(folder)).rejects.toThrow(/metrics\.jsonl is shorter \(10 bytes\)/);
  });

  it("notices metrics that were changed, and goes on from a checkpoint before the change", async () => {
    const folder = await interrupted();
    const { metrics, log } = runPaths(folder);
    const [newest] = checkpointPaths(folder);
    const text = readFileSync(metrics, "utf8");
    writeFileSync(metrics, text.replace(/(\{"epoch":10,.*"distance":\d)\.\d/, "$1.77"));
    await resume(folder);
    expect(readFileSync(log, "utf8")).toContain(
      `WARNING - Passing over a checkpoint: ${newest!}: metrics.jsonl was damaged or edited`,
    );
    expect(metricLines(folder)).toEqual(metricLines((await runToy({ epochs: 60 })).folder));
  });

  it("refuses metrics that were changed before all checkpoints, also as the start of a new run", async () => {
    const folder = await interrupted();
    const { metrics } = runPaths(folder);
    writeFileSync(metrics, readFileSync(metrics, "utf8").replace('"epoch":0', '"epoch":7'));
    await expect(resume(folder)).rejects.toThrow(
      /no checkpoint can be used: .*: metrics\.jsonl was damaged or edited .*; start the run anew/,
    );
    await expect(runToy({ trainer_checkpoint: folder })).rejects.toThrow(
      `${metrics}: was damaged or edited since`,
    );
  });

  it("refuses a config that was edited, until it is restored", async () => {
    const folder = await interrupted();
    const { config } = runPaths(folder);
    const edited = readFileSync(config, "utf8").replace('"lr": 0.01', '"lr": 0.02');
    writeFileSync(config, edited);
    await expect(resume(folder)).rejects.toThrow(
      `${config}: run.checksum: does not fit, the file was damaged or edited; restore it, or start a new run`,
    );
    expect((await listRuns(join(folder, "..")))[0]).toMatchObject({ status: "damaged" });
    writeFileSync(config, edited.replace(/"checksum": "\w+",/, ""));
    await expect(resume(folder)).rejects.toThrow("run.checksum: does not fit");
    writeFileSync(config, edited.replace('"lr": 0.02', '"lr": 0.01'));
    expect((await resume(folder)).outcome).toBe("completed");
  });

  it("does not train a second time when only the summary is missing", async () => {
    const whole = await runToy({ ...stopping });
    const expected = await result(whole.folder);
    rmSync(runPaths(whole.folder).summary);
    await resume(whole.folder);
    expect(await result(whole.folder)).toEqual(expected);
  });

  it("begins again at the checkpoint that the run was started from", async () => {
    const whole = await runToy({ epochs: 12 });
    const first = await runToy({ epochs: 7, save_checkpoints: true });
    const second = await runToy({ epochs: 5, trainer_checkpoint: first.folder });
    rmSync(runPaths(second.folder).summary);
    await resume(second.folder);
    expect(metricLines(second.folder)).toEqual(metricLines(whole.folder));
    rmSync(runPaths(second.folder).summary);
    rmSync(first.folder, { recursive: true });
    await expect(resume(second.folder)).rejects.toThrow(/^--trainer_checkpoint: .*no such file/);
  });

  it("refuses a finished run, and trains on with more epochs", async () => {
    const { folder } = await runToy({ epochs: 5, save_checkpoints: true });
    await expect(resume(folder)).rejects.toMatchObject({
      exitCode: 2,
      message: `${folder}: the run is complete; give --epochs with a larger total to train on`,
    });
    await expect(resume(folder, { epochs: 5 })).rejects.toThrow(
      "--epochs: must be more than the 5 epochs that the run has done (got 5)",
    );
    await resume(folder, { epochs: 9 });
    const whole = await runToy({ epochs: 9, save_checkpoints: true });
    expect(await result(folder)).toEqual(await result(whole.folder));
    expect(readJson(runPaths(folder).config)["epochs"]).toBe(9);
  });

  it("refuses to extend a run without checkpoints, and one that was stopped", async () => {
    const { folder } = await runToy({ epochs: 5 });
    await expect(resume(folder, { epochs: 9 })).rejects.toThrow(/has no checkpoint to go on from/);
    const stopped = await runToy(stopping);
    await expect(resume(stopped.folder, { epochs: 900 })).rejects.toThrow(
      /the run has ended: early stop: .*--trainer_checkpoint/,
    );
  });

  it("keeps the learning rate of a schedule", async () => {
    const callbacks = () => ({ learning_rate: learningRateScheduler(stepSchedule(3, 0.7)) });
    const whole = await runToy({ epochs: 20 }, { callbacks });
    const controller = new AbortController();
    const part = await runToy(
      { epochs: 20 },
      {
        callbacks: () => ({
          ...callbacks(),
          halt: { onEpochEnd: ({ epoch }) => (epoch === 10 ? controller.abort() : undefined) },
        }),
        signal: controller.signal,
      },
    );
    expect(part.outcome).toBe("interrupted");
    await resume(part.folder, { callbacks });
    expect(metricLines(part.folder)).toEqual(metricLines(whole.folder));
  });

  it("refuses other data, and warns of another backend", async () => {
    const folder = await interrupted();
    const otherData = {
      ...toyExperiment,
      prepare: async (config, context) => ({
        ...(await toyExperiment.prepare(config, context)),
        provenance: { backend: "fast", threads: 2, datasetHash: "other" },
      }),
    } as typeof toyExperiment;
    await expect(resumeRun(folder, [otherData as Experiment], quiet)).rejects.toThrow(
      /the data set has changed since the run began/,
    );
    const otherBackend = {
      ...toyExperiment,
      prepare: async (config, context) => ({
        ...(await toyExperiment.prepare(config, context)),
        provenance: { backend: "fast", threads: 2, datasetHash: "data" },
      }),
    } as typeof toyExperiment;
    await resumeRun(folder, [otherBackend as Experiment], quiet);
    expect(readFileSync(runPaths(folder).log, "utf8")).toContain(
      "backend plain → fast, threads 1 → 2",
    );
  });

  it("refuses a run that another process is writing", async () => {
    const child = startChild("run", { outputs_dir: temporaryFolder(), epochs: 5, slow_ms: 60_000 });
    const folder = await child.folder;
    expect((await showRun(folder)).status).toBe("running");
    await expect(resume(folder)).rejects.toMatchObject({
      exitCode: 1,
      message: expect.stringMatching(/this run is being written by process \d+/) as string,
    });
    child.kill("SIGKILL");
    await child.ended;
    expect((await showRun(folder)).status).toBe("killed");
  });

  it("answers folders that are no run, damaged and future ones in one line", async () => {
    const folder = temporaryFolder();
    await expect(resume(folder)).rejects.toMatchObject({
      exitCode: 2,
      message: expect.stringContaining("is not a run folder") as string,
    });
    await expect(resume(join(folder, "nothing"))).rejects.toThrow("is not a run folder");
    const run = await runToy({ epochs: 2 });
    const { config } = runPaths(run.folder);
    const text = readFileSync(config, "utf8");
    writeFileSync(config, text.slice(0, text.length / 2));
    await expect(resume(run.folder)).rejects.toThrow(
      `${config}: is not valid JSON; the file is truncated or damaged`,
    );
    writeFileSync(config, text.replace('"version": 1', '"version": 7'));
    await expect(resume(run.folder)).rejects.toThrow(
      `${config}: run.version: is 7, this version reads up to 1; install a newer implicit-rank`,
    );
    writeFileSync(config, text.replace('"seed": 1', '"seed": "x"'));
    await expect(resume(run.folder)).rejects.toThrow(/config\.json: run\.seed: .*damaged/);
    writeFileSync(config, "[]");
    await expect(resume(run.folder)).rejects.toThrow("is not a JSON object");
    writeFileSync(config, "{}");
    await expect(resume(run.folder)).rejects.toThrow("run.format");
    writeFileSync(config, text);
    await expect(
      resumeRun(run.folder, [{ ...toyExperiment, name: "other" } as Experiment], quiet),
    ).rejects.toThrow("is a run of the experiment toy; known here are other");
  });
});
