import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { colorMapNames, curveColor, parseColor } from "../../src/figures/line-colors.ts";
import { curveDash } from "../../src/figures/line-styles.ts";
import { meanCurve } from "../../src/figures/mean-curve.ts";
import { readTorchHistory } from "../../src/figures/torch-history.ts";

const run = (epochs: readonly number[], values: readonly number[]) => ({
  epochs: Int32Array.from(epochs),
  values: Float64Array.from(values),
});

describe("the mean over runs", () => {
  it("is the run itself for one", () => {
    const one = run([4, 9], [1, 2]);
    expect(meanCurve([one])).toEqual({ epochs: one.epochs, mean: one.values });
  });

  it("is taken at the epochs that all have", () => {
    const curve = meanCurve([run([0, 5, 10], [1, 2, 3]), run([5, 10, 15], [4, 7, 9])]);
    expect([...curve.epochs]).toEqual([5, 10]);
    expect([...curve.mean]).toEqual([3, 5]);
    expect([...curve.deviation!]).toEqual([1, 2]);
  });

  it("has the population deviation: √(mean of squares − square of mean)", () => {
    const values = fc.array(fc.double({ min: -100, max: 100, noNaN: true }), {
      minLength: 2,
      maxLength: 9,
    });
    fc.assert(
      fc.property(values, (list) => {
        const { mean, deviation } = meanCurve(list.map((value) => run([3], [value])));
        const average = list.reduce((sum, value) => sum + value, 0) / list.length;
        const squares = list.reduce((sum, value) => sum + value * value, 0) / list.length;
        expect(mean[0]).toBeCloseTo(average, 10);
        // The difference of squares loses half the digits where all values are alike.
        expect(deviation![0]! ** 2).toBeCloseTo(squares - average ** 2, 8);
      }),
    );
  });

  it("is missing where a run has NaN", () => {
    const curve = meanCurve([run([1, 2], [Number.NaN, 1]), run([1, 2], [1, 3])]);
    expect([...curve.mean]).toEqual([Number.NaN, 2]);
  });
});

describe("colors", () => {
  it("follow the positions of the counterpart on its green-to-yellow map", () => {
    const summer = (t: number): string =>
      `#${[t, 0.5 + 0.5 * t, 0.4]
        .map((part) =>
          Math.round(255 * part)
            .toString(16)
            .padStart(2, "0"),
        )
        .join("")}`;
    const places = [0, 1 / 8, 2 / 8, 3 / 8, 4 / 8, 0.55, 0.6, 0.65, 0.7, 0.75];
    expect(places.map((_, j) => curveColor("summer", j))).toEqual(places.map(summer));
    expect(curveColor("summer", 40)).toBe(summer(1));
    expect(curveColor("viridis", 0)).toBe("#440154");
  });

  it("are cycled from a list, and from the default of null", () => {
    expect([0, 1, 2].map((j) => curveColor(["k", "tab:blue"], j))).toEqual([
      "#000000",
      "#1f77b4",
      "#000000",
    ]);
    expect([0, 1, 2, 3, 4, 5].map((j) => curveColor(null, j))).toEqual([
      "#d2691e",
      "#008000",
      "#1f77b4",
      "#b22222",
      "#d62728",
      "#d2691e",
    ]);
  });

  it("are told apart by color-blind readers in the categorical palette", () => {
    expect(colorMapNames).toContain("colorblind");
    expect(new Set([0, 1, 2, 3, 4, 5, 6].map((j) => curveColor("colorblind", j))).size).toBe(7);
  });

  it.each([
    ["firebrick", "#b22222"],
    ["#abc", "#aabbcc"],
    ["C3", "#d62728"],
    ["tab:grey", "#7f7f7f"],
    ["0.5", "#808080"],
    ["g", "#008000"],
    ["blu", undefined],
    ["", undefined],
    ["tab:mauve", undefined],
    ["constructor", undefined],
  ])("reads %s as %s", (text, expected) => {
    expect(parseColor(text)).toBe(expected);
  });
});

describe("line styles", () => {
  it("are cycled, in line widths, solid by default", () => {
    expect(curveDash(null, 3, 2)).toBeUndefined();
    expect(curveDash(["-", "--"], 2, 2)).toBeUndefined();
    expect(curveDash(["-", "--"], 3, 2)).toBe("7.4 3.2");
    expect(curveDash(["dotted"], 0, 1)).toBe("1 1.65");
  });
});

describe("checkpoints of the PyTorch scripts", () => {
  const tracked = (epochs: readonly number[], values: readonly (number | null)[]) =>
    new Map<string, readonly (number | null)[] | null>([
      ["epochs_with_values", epochs],
      ["epoch_values", values],
      ["current_value", null],
    ]);

  it("give the histories of both evaluators", () => {
    const content = new Map([
      ["train_evaluator", new Map([["train_mse_loss", tracked([0, 1], [3, 2])]])],
      ["val_evaluator", new Map([["singular_value_0", tracked([24], [1.5])]])],
    ]);
    const series = readTorchHistory(content, "x.ckpt");
    expect([...series.keys()]).toEqual(["train_mse_loss", "singular_value_0"]);
    expect([...series.get("train_mse_loss")!.values]).toEqual([3, 2]);
    expect([...series.get("singular_value_0")!.epochs]).toEqual([24]);
  });

  it("leave out what is no series of numbers", () => {
    const content = new Map([
      ["val_evaluator", new Map([["confusion", tracked([0, 1], [null, 2])]])],
    ]);
    expect(readTorchHistory(content, "x.ckpt").size).toBe(0);
  });

  it("are refused if they hold no evaluator", () => {
    expect(() => readTorchHistory(new Map([["model", new Map()]]), "x.ckpt")).toThrow(
      "x.ckpt: has no train_evaluator or val_evaluator; give a checkpoint that the training scripts wrote",
    );
  });
});
