import { basename } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { expandGrid } from "../src/index.ts";
import type { Experiment, TypedValue } from "../src/index.ts";
import { cartesianProduct } from "../src/sweep/cartesian-product.ts";
import { z } from "zod";
import { toyExperiment } from "./toy-experiment.ts";

const toy = toyExperiment as Experiment;
const listed: Experiment = {
  ...toy,
  name: "listed",
  flags: z.object({
    lr: z.number().positive().default(0.1).describe("learning rate"),
    widths: z.array(z.number().int().min(1)).default([8]).describe("widths"),
    path: z.string().default("").describe("file"),
  }),
};

function expand(typed: Readonly<Record<string, TypedValue>>, experiments = [toy]) {
  return expandGrid(experiments, typed, { folder: "/sweep" });
}

describe("a grid", () => {
  it("is refused before it lists more runs than anybody wants", () => {
    expect(() => expand({ epochs: "1..1000", random_seed: "0..999" })).toThrow(
      "--epochs × --random_seed: 1000000 runs, at most 100000 at once; give fewer values",
    );
  });
});

describe("the combinations of alternatives", () => {
  it("has the last key fastest", () => {
    const points = cartesianProduct([
      ["a", [1, 2]],
      ["b", ["x", "y"]],
    ]);
    expect(points).toEqual([
      { a: 1, b: "x" },
      { a: 1, b: "y" },
      { a: 2, b: "x" },
      { a: 2, b: "y" },
    ]);
  });

  it("has as many points as the product of the counts, all different", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 4 }), { maxLength: 5 }), (counts) => {
        const names = counts.map((count, i) => {
          return [`k${i}`, Array.from({ length: count }, (_, value) => value)] as const;
        });
        const points = cartesianProduct(names).map((point) => JSON.stringify(point));
        expect(points).toHaveLength(counts.reduce((product, count) => product * count, 1));
        expect(new Set(points).size).toBe(points.length);
      }),
    );
  });
});

describe("a grid over flags", () => {
  it("takes comma lists and ranges, seeds fastest", () => {
    const tasks = expand({ random_seed: "0..2", lr: "0.01,0.001" });
    expect(tasks.map(({ flags }) => [flags["lr"] ?? 0.01, flags["random_seed"]])).toEqual([
      [0.01, 0],
      [0.01, 1],
      [0.01, 2],
      [0.001, 0],
      [0.001, 1],
      [0.001, 2],
    ]);
  });

  it("goes in steps where a range says so", () => {
    const tasks = expand({ random_seed: "0..10..5,100" });
    expect(tasks.map(({ flags }) => flags["random_seed"])).toEqual([0, 5, 10, 100]);
  });

  it("separates lists by semicolons", () => {
    const texts = [["128 128;512 512"], ["128", "128;512", "512"], "128,128;512,512"];
    for (const widths of texts) {
      const tasks = expand({ widths }, [listed]);
      expect(tasks.map(({ flags }) => flags["widths"])).toEqual([
        [128, 128],
        [512, 512],
      ]);
    }
  });

  it("gives kinds their own values, and a flag to the kinds that have it", () => {
    const tasks = expand({ lr: "0.5,toy=0.1,0.2,listed=0.3", dimension: "2,3" }, [toy, listed]);
    const points = tasks.map(({ experiment, flags }) => [
      experiment,
      flags["lr"] ?? "default",
      flags["dimension"],
    ]);
    expect(points).toEqual([
      ["toy", 0.5, 2],
      ["toy", 0.5, 3],
      ["toy", 0.1, 2],
      ["toy", 0.1, 3],
      ["toy", 0.2, 2],
      ["toy", 0.2, 3],
      ["listed", 0.5, undefined],
      ["listed", 0.3, undefined],
    ]);
  });

  it("keeps an escaped comma, and an equals sign that names no kind", () => {
    const tasks = expand({ path: String.raw`a\,b,c=d` }, [listed]);
    expect(tasks.map(({ flags }) => flags["path"])).toEqual(["a,b", "c=d"]);
  });

  it("has seed 0 without a seed, and refuses one that would be drawn", () => {
    expect(expand({}).map(({ flags }) => flags["random_seed"])).toEqual([0]);
    expect(() => expand({ random_seed: "-1" })).toThrow(/--random_seed: must be at least 0/);
  });

  it.each([
    [{ lr: "0.01,-1" }, /--lr: must be greater than 0 \(got -1\)/],
    [{ lr: "0.01,,0.1" }, /--lr: has an empty alternative/],
    [{ random_seed: "4..0" }, /--random_seed: 4\.\.0: must go upward/],
    [{ random_seed: "0..9..0" }, /must go upward/],
    [{ learning: "1" }, /--learning: there is no such flag/],
    [{ lr: "abc" }, /--lr: must be a number \(got "abc"\)/],
  ])("refuses %j", (typed, message) => {
    expect(() => expand(typed)).toThrow(message);
  });

  it("runs what is the same only once", () => {
    expect(expand({ lr: "0.01,0.010,1e-2" })).toHaveLength(1);
  });
});

describe("the name of a run folder", () => {
  it("holds what varies and the seed", () => {
    const [task] = expand({ lr: "0.5,0.25", random_seed: "3" });
    expect(basename(task!.folder)).toMatch(/^toy_lr=0\.5_seed=3_[0-9a-f]{10}$/);
  });

  it("has an identity that does not depend on what else is in the grid", () => {
    const small = expand({ lr: "0.5", random_seed: "3" });
    const large = expand({ lr: "0.5,0.25", random_seed: "0..5", epochs: "100" });
    expect(large.map(({ identity }) => identity)).toContain(small[0]!.identity);
  });

  it("has an identity that does not depend on the folder or on defaults that are spelled out", () => {
    const plain = expandGrid([toy], { random_seed: "1" }, { folder: "/a" });
    const spelled = expandGrid(
      [toy],
      { random_seed: "1", lr: "0.01", epochs: "100", disable_console_log: true },
      { folder: "/b" },
    );
    expect(spelled[0]!.identity).toBe(plain[0]!.identity);
    expect(expand({ random_seed: "2" })[0]!.identity).not.toBe(plain[0]!.identity);
  });

  it("is a valid name for any value", () => {
    const [task] = expand({ path: `/data/${"x y".repeat(90)}/é%.bin,b` }, [listed]);
    expect(basename(task!.folder)).toMatch(/^[\w=.+-]+$/);
    expect(basename(task!.folder).length).toBeLessThan(140);
  });
});
