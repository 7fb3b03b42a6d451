import { existsSync } from "node:fs";
import { copyFile, mkdir, readdir, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  contentHash,
  readSafetensors,
  withChecksum,
  writeSafetensors,
} from "@implicit-rank/array-files";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { callMain, newFolder, removeFolder, runCli, runJson, startCli } from "./run-cli.ts";
import {
  makePairSets,
  makePathfinderSet,
  pairFlags,
  type PairSets,
  tinyNetwork,
} from "./tiny-images.ts";

let cwd = "";
let pathfinderSet = "";
let pairs: PairSets;

beforeAll(async () => {
  cwd = await newFolder();
  [pathfinderSet, pairs] = [await makePathfinderSet(cwd), await makePairSets(cwd)];
}, 60_000);
afterAll(() => removeFolder(cwd));

async function readRun(folder: string) {
  const read = async (name: string) => JSON.parse(await readFile(join(cwd, folder, name), "utf8"));
  return { config: await read("config.json"), summary: await read("summary.json") };
}

test("train is-same: flags, metrics and places of data in the run's files", async () => {
  const { folder } = await runJson(
    [
      "train",
      "is-same",
      ...pairFlags(pairs),
      ...tinyNetwork,
      "--distance",
      "4",
      "--epochs",
      "2",
      "--grad-change-reg-coeff",
      "0.5",
      "--backend",
      "cpu",
      "--preload-data-to-memory",
    ],
    { cwd },
  );
  const { config, summary } = await readRun(folder);
  expect(config).toMatchObject({
    train_dataset_path: pairs.train,
    source_dir: pairs.images,
    distance: 4,
    model: "resnet18",
    backend: "cpu",
    threads: 1,
    run: {
      experiment: "is-same",
      backend: "cpu",
      metadata: { "train dataset size": 8, "test dataset size": 4, "input shape": "10 × 20 × 3" },
    },
  });
  expect(Object.keys(summary.last_tracked_values)).toEqual([
    "train loss",
    "train accuracy",
    "regularization",
    "val loss",
    "val accuracy",
  ]);
  expect(summary).toMatchObject({ score_name: "val accuracy", score_largest: true });
  expect(summary.last_tracked_values.regularization.value).toBeGreaterThan(0);
});

test("train is-same from memory gives the same numbers as from a worker", async () => {
  const losses = [];
  for (const preload of ["false", "true"]) {
    const { folder } = await runJson(
      [
        "train",
        "is-same",
        ...pairFlags(pairs),
        ...tinyNetwork,
        "--epochs",
        "1",
        "--backend",
        "cpu",
        "--preload_data_to_memory",
        preload,
      ],
      { cwd },
    );
    losses.push((await readRun(folder)).summary.last_tracked_values);
  }
  expect(losses[1]).toEqual(losses[0]);
});

describe.each(["cpu", "simd"])("train pathfinder on the backend %s", (backend) => {
  test(
    "killed with kill -9 and resumed from elsewhere gives the same bits",
    { timeout: 120_000 },
    async () => {
      const flags = [
        ...[
          "--dataset_path",
          pathfinderSet,
          ...tinyNetwork,
          "--backend",
          backend,
          "--epochs",
          "10",
        ],
        ...["--grad_change_reg_coeff", "0.2", "--dropout", "0.1", "--gradient_accumulation", "2"],
        ...["--save_checkpoints", "--reg_only_adjacent_patches"],
      ];
      const train = ["train", "pathfinder", ...flags];
      const parent = `killed-${backend}`;
      const whole = runJson([...train, "--outputs_dir", `whole-${backend}`], { cwd });
      const { child, ended } = startCli([...train, "--outputs_dir", parent, "--quiet"], { cwd });
      const folder = await onlyRun(join(cwd, parent));
      while ((await lines(folder)).length < 3) await sleep(5);
      child.kill("SIGKILL");
      expect((await ended).signal).toBe("SIGKILL");
      expect((await lines(folder)).length).toBeLessThan(7);

      const resumed = await runJson(["runs", "resume", folder], { cwd: "/" });
      expect(resumed.summary).toMatchObject({ outcome: "completed", times_resumed: 1 });
      const reference = join(cwd, (await whole).folder);
      expect(await lines(folder)).toEqual(await lines(reference));
      expect(await checkpoint(folder)).toEqual(await checkpoint(reference));
    },
  );
});

async function onlyRun(parent: string): Promise<string> {
  while (!existsSync(parent) || (await readdir(parent)).length === 0) await sleep(5);
  return join(parent, (await readdir(parent))[0]!);
}

/** The lines of metrics.jsonl, without the times. */
async function lines(folder: string): Promise<readonly string[]> {
  const path = join(folder, "metrics.jsonl");
  if (!existsSync(path)) return [];
  const text = await readFile(path, "utf8");
  return text
    .trim()
    .split("\n")
    .map((line) => line.replace(/"time":[^,}]+,?/, ""));
}

async function checkpoint(folder: string) {
  const [name] = await readdir(join(folder, "checkpoints"));
  const { arrays } = await readSafetensors(join(folder, "checkpoints", name!));
  expect(Object.keys(arrays).length).toBeGreaterThan(100);
  return arrays;
}

test(
  "sweep is-same over distances: each run on one thread, the score compared",
  { timeout: 60_000 },
  async () => {
    const grid = ["--distance", "0,4", "--epochs", "1", "--sweep_dir", "sweep", "--workers", "2"];
    const { results, counts } = await runJson(
      ["sweep", "is-same", ...pairFlags(pairs), ...tinyNetwork, ...grid],
      { cwd },
    );
    expect(counts).toEqual({ finished: 2 });
    expect(results.groups.map(({ settings }: { settings: unknown }) => settings)).toEqual([
      { distance: 0 },
      { distance: 4 },
    ]);
    for (const { runs } of results.groups) {
      const run = JSON.parse(await readFile(join(runs[0].folder, "config.json"), "utf8"));
      expect(run).toMatchObject({ backend: "simd", threads: 1 });
    }
  },
);

describe("refused with one line", () => {
  const refused = async (args: readonly string[]) => {
    const result = await callMain(["train", ...args]);
    expect(result).toMatchObject({ code: 2, stdout: "" });
    expect(result.stderr).toMatch(/^error: [^\n]+\n$/);
    return result.stderr.slice("error: ".length, -1);
  };
  const isSame = (...flags: string[]) => refused(["is-same", ...pairFlags(pairs), ...flags]);
  const pathfinder = (...flags: string[]) =>
    refused(["pathfinder", "--dataset_path", pathfinderSet, ...flags]);

  test("data that is missing or of another kind", async () => {
    expect(await refused(["is-same"])).toBe("--train_dataset_path: is required");
    expect(await refused(["pathfinder", "--dataset_path", pairs.train])).toBe(
      `${pairs.train}: format: not a pathfinder data set; make one with "implicit-rank data pathfinder"`,
    );
    expect(await isSame("--train_dataset_path", pathfinderSet)).toContain(
      "not an is-same data set",
    );
    expect(await isSame("--source_dir", join(cwd, "data"))).toContain("no images");
    expect(await refused(["pathfinder", "--dataset_path", "no.safetensors"])).toContain(
      "no.safetensors",
    );
  });

  test("numbers that do not fit", async () => {
    expect(await isSame("--distance", "10")).toBe(
      "--distance: 10 is too large for two images of width 6 on a canvas of width 20; at most 8 fit",
    );
    expect(await isSame("--input_height", "4")).toContain("--input_height: 4 is too small");
    expect(await isSame("--num_train_samples", "9")).toMatch(/^--num_train_samples: 9 asked for/);
    expect(await pathfinder("--num_test_samples", "5")).toMatch(/^--num_test_samples: 5 asked for/);
    expect(await pathfinder("--reg_patch_size", "17", "--grad_change_reg_coeff", "1")).toMatch(
      /^--reg_patch_size: .* 16×16 /,
    );
    expect(await pathfinder("--lr", "0")).toBe("--lr: must be greater than 0 (got 0)");
    expect(await pathfinder("--model", "resnet20")).toMatch(/^--model: must be one of resnet18, /);
  });

  test("a backend that does not exist", async () => {
    expect(await pathfinder("--backend", "cuda")).toMatch(
      /^--backend: must be one of auto, simd, /,
    );
  });
});

test("a run is not resumed on other data", async () => {
  const other = join(cwd, "other");
  await mkdir(other);
  const set = join(other, "set.safetensors");
  await copyFile(pathfinderSet, set);
  const train = ["train", "pathfinder", "--dataset_path", set, ...tinyNetwork, "--backend", "cpu"];
  const { folder } = await runJson([...train, "--epochs", "1", "--save_checkpoints"], { cwd });
  const file = await readSafetensors(set);
  const images = file.arrays["train_images"]!;
  const arrays = {
    ...file.arrays,
    train_images: { ...images, data: images.data.toReversed() as Uint8Array },
  };
  const content_sha256 = contentHash({ arrays });
  await writeSafetensors(
    set,
    { arrays, metadata: withChecksum({ ...file.metadata, content_sha256 }) },
    { overwrite: true },
  );
  const changed = await runCli(["runs", "resume", folder, "--epochs", "2"], { cwd });
  expect(changed).toMatchObject({ code: 1, stdout: "" });
  expect(changed.stderr).toMatch(/^error: .*the data set has changed since the run began/);
  await rm(set);
  const gone = await runCli(["runs", "resume", folder, "--epochs", "2"], { cwd });
  expect(gone.code).toBeGreaterThan(0);
  expect(gone.stderr).toContain(set);
});
