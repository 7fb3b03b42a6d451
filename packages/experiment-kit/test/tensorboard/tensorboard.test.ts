import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import type { Callback, Experiment } from "../../src/index.ts";
import { readMetrics, resumeRun, runPaths } from "../../src/index.ts";
import { quiet, runToy, temporaryFolder } from "../run-kit.ts";
import { toyExperiment } from "../toy-experiment.ts";
import { readEventFolder } from "./read-events.ts";

/** What metrics.jsonl says, as TensorBoard should have it. */
async function recorded(folder: string): Promise<Record<string, readonly [number, number][]>> {
  const { series } = await readMetrics(folder);
  return Object.fromEntries(
    [...series.values()].map(({ name, epochs, values }) => [
      name,
      [...epochs].map((epoch, i): [number, number] => [epoch, Math.fround(values[i]!)]),
    ]),
  );
}

function written(folder: string): Record<string, readonly [number, number][]> {
  const events = readEventFolder(runPaths(folder).tensorboard);
  return Object.fromEntries(
    [...events].map(([name, list]) => [name, list.map(({ step, value }) => [step, value])]),
  );
}

const wallTimes = (folder: string): readonly number[] =>
  readEventFolder(runPaths(folder).tensorboard)
    .get("train_loss")!
    .map(({ wallTime }) => wallTime);

/** Ends a run at an epoch as a kill would, or as Ctrl-C does. */
function failing(epoch: number): Callback {
  return {
    onEpochEnd(fit) {
      if (fit.epoch === epoch) throw new Error("as if killed");
    },
  };
}

describe.each(["tensorboard", "use_tensorboard"])("--%s", (flag) => {
  it("writes every value of metrics.jsonl, one folder a metric, under the tag's name", async () => {
    const before = Date.now() / 1000;
    const { folder } = await runToy({ [flag]: true, epochs: 12, validate_every: 5 });
    expect(written(folder)).toEqual(await recorded(folder));
    const events = readEventFolder(runPaths(folder).tensorboard);
    expect(events.get("weight_2")!.map(({ tag }) => tag)).toEqual([
      "weights",
      "weights",
      "weights",
    ]);
    expect(events.get("distance")!.map(({ tag, step }) => [tag, step])).toEqual([
      ["distance", 4],
      ["distance", 9],
      ["distance", 11],
    ]);
    const times = wallTimes(folder);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect(times[0]).toBeGreaterThanOrEqual(before - 0.01);
    expect(times.at(-1)).toBeLessThanOrEqual(Date.now() / 1000 + 0.01);
  });
});

describe("event files of a resumed run", () => {
  const flags = { tensorboard: true, epochs: 20, save_checkpoints: true, save_every_num_val: 7 };

  it("have every epoch once, with the times that they had", async () => {
    const outputs_dir = temporaryFolder();
    // Checkpoints after epochs 6 and 13; epochs 7 to 10 are cut off again.
    const failed = runToy({ ...flags, outputs_dir }, { callbacks: () => ({ fail: failing(10) }) });
    await expect(failed).rejects.toThrow("as if killed");
    const folder = join(outputs_dir, readdirSync(outputs_dir)[0]!);
    const earlier = wallTimes(folder);
    expect(earlier).toHaveLength(11);
    await resumeRun(folder, [toyExperiment as Experiment], quiet);
    expect(written(folder)).toEqual(await recorded(folder));
    const times = wallTimes(folder);
    expect(times).toHaveLength(20);
    for (let epoch = 0; epoch <= 6; epoch++) expect(times[epoch]).toBeCloseTo(earlier[epoch]!, 3);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  it("are written anew if they were damaged or deleted", async () => {
    const outputs_dir = temporaryFolder();
    const failed = runToy({ ...flags, outputs_dir }, { callbacks: () => ({ fail: failing(10) }) });
    await expect(failed).rejects.toThrow("as if killed");
    const folder = join(outputs_dir, readdirSync(outputs_dir)[0]!);
    const target = join(runPaths(folder).tensorboard, "train_loss");
    writeFileSync(join(target, readdirSync(target)[0]!), "torn");
    await resumeRun(folder, [toyExperiment as Experiment], quiet);
    expect(written(folder)).toEqual(await recorded(folder));
  });

  it("begin with the metrics of the run that was trained on", async () => {
    const first = await runToy({ ...flags, epochs: 8 });
    const second = await runToy({ ...flags, epochs: 4, trainer_checkpoint: first.folder });
    expect(written(second.folder)).toEqual(await recorded(second.folder));
    expect(wallTimes(second.folder)).toHaveLength(12);
    const times = wallTimes(second.folder);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });
});

describe("a run", () => {
  it("writes no event files unless it is asked to", async () => {
    const { folder } = await runToy();
    expect(existsSync(runPaths(folder).tensorboard)).toBe(false);
  });

  it("does not end because they cannot be written", async () => {
    const outputs_dir = temporaryFolder();
    const wreck: Callback = {
      onFitEnd() {
        const folder = join(outputs_dir, readdirSync(outputs_dir)[0]!);
        mkdirSync(runPaths(folder).tensorboard, { recursive: true });
        writeFileSync(join(runPaths(folder).tensorboard, "train_loss"), "in the way");
      },
    };
    const result = await runToy(
      { tensorboard: true, outputs_dir },
      { callbacks: () => ({ wreck }) },
    );
    expect(result.outcome).toBe("completed");
    expect(readFileSync(runPaths(result.folder).log, "utf8")).toContain(
      "WARNING - TensorBoard files could not be written: ",
    );
  });
});

describe("TensorBoard itself", () => {
  const python = [process.env["IMPLICIT_RANK_PYTHON"], "python3", "/usr/bin/python3"].find(
    (candidate) =>
      candidate !== undefined &&
      spawnSync(candidate, ["-c", "import tensorboard"], { timeout: 60_000 }).status === 0,
  );

  it("reads them", { timeout: 90_000 }, async ({ skip }) => {
    if (python === undefined) {
      console.warn(
        "SKIPPED: Python's tensorboard is not installed (IMPLICIT_RANK_PYTHON names another Python)",
      );
      skip("Python's tensorboard is not installed");
    }
    const { folder } = await runToy({ tensorboard: true, epochs: 12, validate_every: 5 });
    const program = `
import json, os, sys
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
found = {}
for name in sorted(os.listdir(sys.argv[1])):
    events = EventAccumulator(os.path.join(sys.argv[1], name), size_guidance={"scalars": 0, "tensors": 0}).Reload()
    for tag in events.Tags()["scalars"]:
        found[name] = [[e.step, e.value] for e in events.Scalars(tag)]
print(json.dumps(found))`;
    const run = spawnSync(python!, ["-c", program, runPaths(folder).tensorboard], {
      encoding: "utf8",
    });
    expect(run.status, run.stderr).toBe(0);
    expect(JSON.parse(run.stdout)).toEqual(await recorded(folder));
  });
});
