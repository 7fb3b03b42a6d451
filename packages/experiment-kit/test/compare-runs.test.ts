import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { compareRuns, listRuns, runExperiment, statisticsOf, writeResults } from "../src/index.ts";
import type { Experiment, RunInfo } from "../src/index.ts";
import { toCsv } from "../src/index.ts";
import { toyExperiment } from "./toy-experiment.ts";

let folder: string;
let runs: readonly RunInfo[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "compare-"));
  for (const [lr, seed] of [
    [0.01, 0],
    [0.01, 1],
    [0.1, 0],
    [0.1, 1],
    [0.1, 2],
  ]) {
    const flags = { lr, random_seed: seed, epochs: 20, outputs_dir: folder };
    await runExperiment(toyExperiment as Experiment, flags, { output: "quiet" });
  }
  runs = await listRuns(folder);
});

afterAll(() => rm(folder, { recursive: true }));

describe("a comparison of runs", () => {
  it("groups by all differing settings but the seed, best first", () => {
    const { settings, groups } = compareRuns(runs);
    expect(settings).toEqual(["lr"]);
    expect(groups.map((group) => [group.settings["lr"], group.runs.length])).toEqual([
      [0.1, 3],
      [0.01, 2],
    ]);
    expect(groups[0]!.score!.mean).toBeLessThan(groups[1]!.score!.mean);
  });

  it("gives mean, deviation and best of the score and of other metrics", () => {
    const group = compareRuns(runs, { metrics: ["train_loss"] }).groups[1]!;
    const scores = group.runs.map(({ score }) => score!);
    expect(group.score!.mean).toBeCloseTo((scores[0]! + scores[1]!) / 2, 12);
    expect(group.score!.deviation).toBeCloseTo(Math.abs(scores[0]! - scores[1]!) / Math.SQRT2, 12);
    expect(group.best!.score).toBe(Math.min(...scores));
    expect(group.metrics["train_loss"]!.count).toBe(2);
  });

  it("can be told the direction", () => {
    const { groups } = compareRuns(runs, { largest: true });
    expect(groups[0]!.settings["lr"]).toBe(0.01);
    expect(groups[0]!.best!.score).toBe(Math.max(...groups[0]!.runs.map(({ score }) => score!)));
  });

  it("does not count runs that are not finished", () => {
    const { summary: _, ...first } = runs[0]!;
    const changed: RunInfo[] = [{ ...first, status: "killed" }, ...runs.slice(1)];
    const group = compareRuns(changed).groups.find(({ settings }) => settings["lr"] === 0.01)!;
    expect([group.runs.length, group.finished, group.score!.count]).toEqual([2, 1, 1]);
    expect(group.score!.deviation).toBeNull();
  });

  it("refuses a metric that no run has", () => {
    expect(() => compareRuns(runs, { metrics: ["train_los"] })).toThrow(
      /--metric: none of the runs has "train_los"; did you mean train_loss\?/,
    );
  });
});

describe("a file of results", () => {
  it("has a row for each group or for each run", async () => {
    const comparison = compareRuns(runs, { metrics: ["train_loss"] });
    await writeResults(join(folder, "groups.csv"), comparison, { by: "group" });
    await writeResults(join(folder, "runs.csv"), comparison, { by: "run" });
    const groups = (await readFile(join(folder, "groups.csv"), "utf8")).split("\r\n");
    expect(groups[0]).toBe(
      "experiment,lr,runs,finished,seeds,score_name,score_mean,score_std,score_best,train_loss_mean,train_loss_std,best_run",
    );
    expect(groups[1]).toMatch(/^toy,0\.1,3,3,0 1 2,distance,/);
    expect(groups).toHaveLength(4);
    expect((await readFile(join(folder, "runs.csv"), "utf8")).split("\r\n")).toHaveLength(7);
  });

  it("is JSON where the name says so, and replaces nothing", async () => {
    const path = join(folder, "results.json");
    await writeResults(path, compareRuns(runs), { by: "group" });
    const stored = JSON.parse(await readFile(path, "utf8")) as { groups: unknown[] };
    expect(stored.groups).toHaveLength(2);
    await expect(writeResults(path, compareRuns(runs), { by: "run" })).rejects.toThrow(/exist/);
    await expect(
      writeResults(join(folder, "x.txt"), compareRuns(runs), { by: "run" }),
    ).rejects.toThrow(/--output: .*must end in \.csv or \.json/);
  });

  it("quotes what needs it", () => {
    expect(
      toCsv([
        { a: 'say "x", y', b: null },
        { a: "z", c: 1 },
      ]),
    ).toBe('a,b,c\r\n"say ""x"", y",,\r\nz,,1\r\n');
  });
});

describe("statistics of several runs", () => {
  it("agree with the definition by pairs: s² = Σᵢ<ⱼ (xᵢ − xⱼ)² / (n (n − 1))", () => {
    const value = fc.double({ min: -1e3, max: 1e3, noNaN: true });
    fc.assert(
      fc.property(fc.array(value, { minLength: 2, maxLength: 8 }), (values) => {
        const { mean, deviation, count } = statisticsOf(values)!;
        let pairs = 0;
        for (let i = 0; i < values.length; i++)
          for (let j = 0; j < i; j++) pairs += (values[i]! - values[j]!) ** 2;
        // 1e-6: rounding of sums of squares up to 1e6.
        expect(deviation).toBeCloseTo(Math.sqrt(pairs / (count * (count - 1))), 6);
        expect(mean).toBeGreaterThanOrEqual(Math.min(...values) - 1e-9);
        expect(mean).toBeLessThanOrEqual(Math.max(...values) + 1e-9);
      }),
    );
  });

  it("leave out what is not finite", () => {
    expect(statisticsOf([null, Number.NaN, 2])).toMatchObject({ count: 1, mean: 2 });
    expect(statisticsOf([null, Infinity])).toBeUndefined();
  });
});
