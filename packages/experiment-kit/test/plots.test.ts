import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Callback } from "../src/index.ts";
import { readMetrics, readRunConfig, runPaths } from "../src/index.ts";
import { drawFigure } from "../src/plots/draw-figure.ts";
import { metricPanels, plotFileNames } from "../src/plots/metric-panels.ts";
import { seriesColors } from "../src/plots/palette.ts";
import { simplifyLine } from "../src/plots/simplify-line.ts";
import { svgToPng } from "../src/plots/svg-to-png.ts";
import { axisLimits, chooseYScale } from "../src/plots/y-scale.ts";
import { runToy, temporaryFolder } from "./run-kit.ts";

const series = (label: string, y: readonly number[]) => ({ label, x: y.map((_, i) => i), y });
const panel = (curves: readonly ReturnType<typeof series>[]) => ({
  title: "some loss",
  xLabel: "epoch",
  yLabel: "some loss",
  yScale: "linear" as const,
  series: curves,
});

describe("--save_metric_plots", () => {
  it("draws every tagged group as SVG and PNG, at the end too", async () => {
    const { folder } = await runToy({ save_metric_plots: true, epochs: 30 });
    expect(readdirSync(runPaths(folder).plots).sort()).toEqual(
      ["distance", "loss", "train_max", "weights"].flatMap((name) => [
        `${name}.png`,
        `${name}.svg`,
      ]),
    );
    const svg = readFileSync(join(runPaths(folder).plots, "weights.svg"), "utf8");
    for (const text of [">weights<", ">epoch<", ">weight_0<", ">weight_3<"])
      expect(svg).toContain(text);
    const png = readFileSync(join(runPaths(folder).plots, "weights.png"));
    expect(png.subarray(1, 4).toString()).toBe("PNG");
    expect(png.readUInt32BE(16)).toBeGreaterThan(1500);
  });

  it("draws nothing without it", async () => {
    const { folder } = await runToy({});
    expect(existsSync(runPaths(folder).plots)).toBe(false);
  });

  it("does not end a run whose plots cannot be drawn", async () => {
    const wreck: Callback = {
      onFitEnd() {
        const [name] = readdirSync(outputs_dir);
        writeFileSync(runPaths(join(outputs_dir, name!)).plots, "in the way");
      },
    };
    const outputs_dir = temporaryFolder();
    const { folder, outcome } = await runToy(
      { save_metric_plots: true, outputs_dir },
      { callbacks: () => ({ wreck }) },
    );
    expect(outcome).toBe("completed");
    expect(readFileSync(runPaths(folder).log, "utf8")).toContain(
      "WARNING - Plots could not be drawn: ",
    );
  });
});

describe("panels of a run", () => {
  it("group metrics by tag and leave out what was never finite", async () => {
    const { folder } = await runToy({ epochs: 3, diverge_at: 0, batch_size: 0 });
    const { run } = await readRunConfig(folder);
    const panels = metricPanels(run.metrics, await readMetrics(folder));
    expect(panels.map(({ title }) => title)).toEqual(["loss", "train max"]);
  });

  it("have file names in lower case without blanks, all different", () => {
    expect(plotFileNames(["l 0 f 0_1 top", "A b", "a/b", "a b", "../x", "é"])).toEqual([
      "l_0_f_0_1_top",
      "a_b",
      "a_b_2",
      "a_b_3",
      "_._x",
      "é",
    ]);
  });
});

describe("a figure", () => {
  it("has a legend for several curves and none for one", () => {
    const two = drawFigure(panel([series("first", [1, 2]), series("second", [2, 1])]));
    expect(two.match(/>first</g)).toHaveLength(2); // as title of the curve and in the legend
    expect(drawFigure(panel([series("first", [1, 2])])).match(/>first</g)).toHaveLength(1);
  });

  it("puts the legend beside the axes", () => {
    const svg = drawFigure(panel([series("first", [1, 2]), series("second", [2, 1])]), {
      width: 100,
      height: 100,
    });
    const frame = /<g transform="translate\((\d+),34\)"/g;
    const [axes, legend] = [...svg.matchAll(frame)].map((match) => Number(match[1]));
    expect(legend).toBeGreaterThanOrEqual(axes! + 100);
  });

  it("escapes texts", () => {
    expect(drawFigure(panel([series("<script>&", [1, 2]), series("b", [1, 2])]))).toContain(
      "&lt;script&gt;&amp;",
    );
  });

  it("breaks a curve where values are missing, and shows a lone value as a dot", () => {
    const svg = drawFigure(panel([series("a", [1, 2, Number.NaN, 3, Number.NaN, 4, 5])]));
    expect(svg.match(/<path d="M/g)).toHaveLength(2);
    expect(svg.match(/<circle/g)).toHaveLength(1);
  });

  it.each([[[]], [[5]], [[0, 0, 0]], [[1e-300, 2e-300]], [[-1e300, 1e300]], [[Number.NaN]]])(
    "draws %j",
    (values) => {
      const svg = drawFigure(panel([series("a", values)]));
      expect(svg).not.toMatch(/NaN|undefined|Infinity/);
    },
  );

  it("stays small for half a million points", () => {
    const long = Array.from({ length: 500_000 }, (_, i) => Math.sin(i) + i / 1e5);
    expect(drawFigure(panel([series("a", long)])).length).toBeLessThan(60_000);
  });

  it("has letters in its PNG whatever fonts the machine has", () => {
    const svg = (text: string) =>
      `<svg xmlns="http://www.w3.org/2000/svg" width="80" height="30" font-family="DejaVu Sans"><text x="5" y="20">${text}</text></svg>`;
    const empty = svgToPng(svg(""), 1).length;
    expect(svgToPng(svg("Wg‖σ₁"), 1).length).toBeGreaterThan(empty + 100);
  });
});

describe("the y axis", () => {
  it("is logarithmic for losses and errors that are positive over more than two decades", () => {
    const scale = (name: string, values: readonly number[]) =>
      chooseYScale(name, [series("a", values)]);
    expect(scale("mse_loss", [1, 1e-3])).toBe("log");
    expect(scale("normalized_reconstruction_error", [1, 1e-3, Number.NaN])).toBe("log");
    expect(scale("mse_loss", [1, 0.02])).toBe("linear");
    expect(scale("mse_loss", [1, 0])).toBe("linear");
    expect(scale("singular values", [40, 1e-5])).toBe("linear");
  });

  it("holds all values", () => {
    const value = fc.double({ noNaN: true, min: -1e100, max: 1e100 });
    fc.assert(
      fc.property(value, value, (a, b) => {
        const [low, high] = axisLimits([Math.min(a, b), Math.max(a, b)], "linear");
        expect(low).toBeLessThanOrEqual(Math.min(a, b));
        expect(high).toBeGreaterThanOrEqual(Math.max(a, b));
      }),
    );
  });
});

describe("simplified lines", () => {
  const line = fc
    .array(fc.double({ min: -500, max: 500, noNaN: true }), { minLength: 1, maxLength: 400 })
    .chain((y) =>
      fc.record({ y: fc.constant(y), width: fc.double({ min: 1, max: 600, noNaN: true }) }),
    )
    .map(({ y, width }) => ({ x: y.map((_, i) => (i * width) / y.length), y }));

  it("keep the ends, the extremes and the order, and are never longer", () => {
    fc.assert(
      fc.property(line, ({ x, y }) => {
        const simple = simplifyLine({ x, y }, 0.5, 0.1);
        expect(simple.x.length).toBeLessThanOrEqual(x.length);
        expect([simple.x[0], simple.y[0], simple.x.at(-1), simple.y.at(-1)]).toEqual([
          x[0],
          y[0],
          x.at(-1),
          y.at(-1),
        ]);
        expect(Math.abs(Math.max(...simple.y) - Math.max(...y))).toBeLessThanOrEqual(0.1);
        expect(Math.abs(Math.min(...simple.y) - Math.min(...y))).toBeLessThanOrEqual(0.1);
        expect(simple.x).toEqual([...simple.x].sort((a, b) => a - b));
      }),
    );
  });

  it("need two points for a straight line", () => {
    const x = Array.from({ length: 1000 }, (_, i) => i / 2);
    expect(simplifyLine({ x, y: x.map((value) => 3 * value + 1) }).x).toEqual([0, 499.5]);
  });
});

describe("colors", () => {
  const named = (...labels: readonly string[]) => labels.map((label) => ({ label }));
  const ramp = (t: number): string => `t${t.toFixed(2)}`;
  it("are categorical for a few different curves, in order for numbered or many ones", () => {
    expect(seriesColors(named("train", "test"), ramp)[0]).toMatch(/^#/);
    expect(seriesColors(named("s_0", "s_1", "s_2"), ramp)).toEqual(["t0.00", "t0.44", "t0.88"]);
    const many = seriesColors(named(..."abcdefghij"), ramp);
    expect(new Set(many).size).toBe(10);
  });
});
