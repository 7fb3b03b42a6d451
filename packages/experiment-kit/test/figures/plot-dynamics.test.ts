import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Resvg } from "@resvg/resvg-js";
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { plotDynamics } from "../../src/figures/index.ts";
import { drawDynamics } from "../../src/figures/draw-dynamics.ts";
import type { PanelCurves } from "../../src/figures/panel-curves.ts";
import { parsePlotConfig } from "../../src/figures/plot-config.ts";
import { fontOptions } from "../../src/plots/svg-to-png.ts";
import { temporaryFolder } from "../run-kit.ts";
import { cadence, writeRun } from "./write-run.ts";

let folder: string;
let run: string;
beforeEach(() => {
  folder = temporaryFolder();
  run = writeRun(join(folder, "run"), cadence(40), {
    s_0: (epoch) => 40 / (1 + Math.exp((300 - epoch) / 30)),
    s_1: (epoch) => 30 / (1 + Math.exp((700 - epoch) / 30)),
    s_2: () => 0,
    loss: (epoch) => Math.exp(-epoch / 100),
  });
});

const source = (change: object = {}) => ({
  checkpoint_path: run,
  metric_names: ["s_0", "s_1", "s_2"],
  ...change,
});
const panel = (change: object = {}, sourceChange: object = {}) => ({
  experiment_configs: [source(sourceChange)],
  title: "matrix",
  x_label: "iterations",
  y_label: "singular values",
  ...change,
});

/** Plots a configuration and gives the SVG. */
async function plot(config: object): Promise<string> {
  const path = join(folder, "config.json");
  writeFileSync(path, JSON.stringify(config));
  const { svg } = await plotDynamics({ config: path, saveTo: join(folder, "figure"), force: true });
  return readFileSync(svg, "utf8");
}

const textsOf = (svg: string): readonly string[] =>
  [...svg.matchAll(/<text[^>]*>(.*?)<\/text>/g)].map(([, text]) =>
    text!.replaceAll(/<[^>]*>/g, ""),
  );

/** Frames as left, top, width, height, in points. */
function framesOf(svg: string): readonly (readonly number[])[] {
  const frame =
    /translate\(([\d.]+),([\d.]+)\)"><clipPath id="frame-\d+"><rect width="([\d.]+)" height="([\d.]+)"/g;
  return [...svg.matchAll(frame)].map((match) => match.slice(1).map(Number));
}

describe("plot dynamics", () => {
  it("writes SVG and PNG of 300 dpi beside each other into a folder that it makes", async () => {
    const path = join(folder, "config.json");
    writeFileSync(path, JSON.stringify({ ax_configs: [panel()], save_plot_to: "set by saveTo" }));
    for (const ending of ["", ".png", ".svg"]) {
      const base = join(folder, `new${ending}`, "a", "figure");
      const figure = await plotDynamics({ config: path, saveTo: base + ending });
      expect([figure.svg, figure.png]).toEqual([`${base}.svg`, `${base}.png`]);
      expect(readdirSync(join(base, "..")).sort()).toEqual(["figure.png", "figure.svg"]);
      const png = readFileSync(figure.png);
      // Width and height in IHDR; pHYs follows it: 11811 dots to the meter in both directions.
      expect(png.readUInt32BE(16) / figure.widthInches / 300).toBeCloseTo(1, 2);
      expect(png.readUInt32BE(20) / figure.heightInches / 300).toBeCloseTo(1, 2);
      expect(png.subarray(33, 54).toString("hex")).toBe(
        `00000009${Buffer.from("pHYs").toString("hex")}00002e2300002e230178a53f76`,
      );
    }
  });

  it("has the counterpart's size: width/0.775 and height/0.77, cut to 0.1 inch around the content", async () => {
    const path = join(folder, "config.json");
    const config = { ax_configs: [panel(), panel()], subplot_width: 7.8, subplot_height: 2 };
    writeFileSync(path, JSON.stringify(config));
    const figure = await plotDynamics({ config: path, saveTo: join(folder, "figure") });
    const tight = (2 * 1.08 * 10) / 72 - 0.2;
    expect(figure.widthInches).toBeCloseTo(7.8 / 0.775 - tight, 3);
    expect(figure.heightInches).toBeCloseTo(2 / 0.77 - tight, 3);
  });

  it("draws the same bytes again", async () => {
    const config = { ax_configs: [panel()] };
    const [first, again] = [await plot(config), await plot(config)];
    expect(again).toBe(first);
  });

  it("never replaces a file unless it is told to, and then says so before it reads anything", async () => {
    const path = join(folder, "config.json");
    writeFileSync(path, JSON.stringify({ ax_configs: [panel({}, { checkpoint_path: "gone" })] }));
    const saveTo = join(folder, "figure.svg");
    writeFileSync(join(folder, "figure.png"), "mine");
    await expect(plotDynamics({ config: path, saveTo })).rejects.toThrow(
      `${join(folder, "figure.png")}: exists already; give --force to replace it, or another --save_plot_to`,
    );
    expect(readFileSync(join(folder, "figure.png"), "utf8")).toBe("mine");
    expect(existsSync(saveTo)).toBe(false);
  });

  it("refuses formats that it does not write", async () => {
    const path = join(folder, "config.json");
    writeFileSync(path, JSON.stringify({ ax_configs: [panel()], save_plot_to: "x.pdf" }));
    await expect(plotDynamics({ config: path })).rejects.toThrow(
      `${path}: save_plot_to: figures are written as .svg and .png, not .pdf`,
    );
    await expect(plotDynamics({ config: path, saveTo: "folder/" })).rejects.toThrow(
      '--save_plot_to: is a folder; add the name of the file (got "folder/")',
    );
  });

  it("fills the panels of a shipped configuration with the runs that fit", async () => {
    const ten = (name: (i: number) => string) =>
      Object.fromEntries(Array.from({ length: 10 }, (_, i) => [name(i), () => 10 - i]));
    const mf = writeRun(
      join(folder, "x"),
      cadence(4),
      ten((i) => `singular_value_${i}`),
    );
    const cp = writeRun(
      join(folder, "y"),
      cadence(5),
      ten((i) => `top_component_${i}_fro_norm`),
    );
    const local = (i: number): string => `l_1_f_0_1_top_${i}_local_comp_norm`;
    const ht = [1, 2].map((seed) => writeRun(join(folder, `z${seed}`), cadence(6), ten(local)));
    const figure = await plotDynamics({
      config: "mf_tf_htf_dyn",
      saveTo: join(folder, "figure"),
      runs: [run, ht[0]!, mf, cp, ht[1]!],
    });
    expect(figure.panels.map(({ sources }) => sources[0]!.runs)).toEqual([[mf], [cp], ht]);
    expect(figure.panels.map(({ epochs }) => epochs)).toEqual([
      [24, 99],
      [24, 124],
      [24, 149],
    ]);
    expect(figure.unusedRuns).toEqual([run]);
  });
});

describe("the figure", () => {
  it("has frames of one size and no grid, curves in their order and colors", async () => {
    const svg = await plot({ ax_configs: [panel(), panel({ y_label: "" })], subplot_width: 7 });
    const frames = framesOf(svg);
    expect(frames).toHaveLength(2);
    expect(frames[0]!.slice(1)).toEqual(frames[1]!.slice(1));
    expect(svg.match(/stroke="black" stroke-width="0.8"><\/rect>/g)).toHaveLength(2);
    const colors = [...svg.matchAll(/<g stroke="(#\w+)"><title>(\w+)</g)].map((match) =>
      match.slice(1),
    );
    const expected = [
      ["#008066", "s_0"],
      ["#208f66", "s_1"],
      ["#409f66", "s_2"],
    ];
    expect(colors).toEqual([...expected, ...expected]);
  });

  it("draws every text: titles, labels, ticks and their labels", async () => {
    const svg = await plot({
      title: "All of it",
      panel_labels: true,
      ax_configs: [
        panel({ x_ticks: [200, 600], x_ticks_labels: ["early", "$t_1$"], y_ticks: [0, 22.5, 60] }),
        panel({ title: "$\\sigma_r$" }),
      ],
    });
    const texts = textsOf(svg);
    for (const text of ["All of it", "(a)", "(b)", "matrix", "σr", "iterations", "singular values"])
      expect(texts).toContain(text);
    expect(texts).toEqual(expect.arrayContaining(["early", "t1", "0.0", "22.5", "60.0"]));
  });

  it("fits x tightly, and y with 5% of room, or as configured", async () => {
    const yOf = (svg: string): readonly number[] => {
      const path = /<title>s_2<\/title><path d="M([\d.]+),([\d.]+)L([\d.]+),([\d.]+)"/.exec(svg)!;
      return path.slice(1).map(Number);
    };
    const tight = await plot({ ax_configs: [panel()] });
    const [, , width, height] = framesOf(tight)[0]!;
    const [x1, y1, x2] = yOf(tight);
    expect([x1, x2]).toEqual([0, width]);
    // The curve at zero is 0.05 of the range above the lower edge: 0.05/1.1 of the height.
    expect(1 - y1! / height!).toBeCloseTo(0.05 / 1.1, 3);
    const loose = yOf(await plot({ ax_configs: [panel({ x_tight: false })] }));
    expect(loose[0]! / width!).toBeCloseTo(0.05 / 1.1, 2);
    const limited = await plot({ ax_configs: [panel({ y_bottom_lim: -10, y_top_lim: 90 })] });
    expect(1 - yOf(limited)[1]! / framesOf(limited)[0]![3]!).toBeCloseTo(0.1, 3);
  });

  it("has logarithmic axes", async () => {
    const svg = await plot({
      ax_configs: [panel({ y_log_scale: true, x_log_scale: true }, { metric_names: ["loss"] })],
    });
    expect(textsOf(svg)).toEqual(expect.arrayContaining(["102", "10−2", "10−4"]));
    await expect(
      plot({ ax_configs: [panel(), panel({ y_log_scale: true }, { metric_names: ["s_2"] })] }),
    ).rejects.toThrow(
      "config.json: ax_configs[1].y_log_scale: no value of the panel is above 0; set it to false",
    );
  });
});

describe("texts of the figure", () => {
  it("may begin and end with blanks and hold signs that XML has no place for", async () => {
    const svg = await plot({
      ax_configs: [panel({ title: " a \u0001 & b ", x_label: "\u00a0<t> $x$ " })],
    });
    expect(svg).not.toContain("&nbsp;");
    expect(svg).toContain("a \ufffd &amp; b");
    expect(new Resvg(svg, { font: fontOptions() }).width).toBeGreaterThan(0);
  });
});

describe("legends, bands and room", () => {
  it("shares a legend between panels that have the same, below all of them", async () => {
    const labels = ["$\\sigma_1$", "$\\sigma_2$", "rest"];
    const count = (svg: string, text: string) => textsOf(svg).filter((one) => one === text).length;
    const plain = await plot({ ax_configs: [panel(), panel()] });
    const shared = await plot({ ax_configs: [panel({}, { labels }), panel({}, { labels })] });
    expect(count(shared, "rest")).toBe(1);
    expect(framesOf(shared)).toEqual(framesOf(plain));
    const apart = { ax_configs: [panel({}, { labels }), panel({}, { labels, colors: "viridis" })] };
    expect(count(await plot(apart), "rest")).toBe(2);
    expect(count(await plot({ ...apart, legend: "shared" }), "rest")).toBe(2);
    expect(count(await plot({ ...apart, legend: "none" }), "rest")).toBe(0);
  });

  it("draws several runs as a mean with a band", async () => {
    const other = writeRun(join(folder, "other"), cadence(40), { s_0: () => 20 });
    const svg = await plot({
      ax_configs: [panel({}, { checkpoint_path: [run, other], metric_names: ["s_0"] })],
    });
    expect(svg.match(/fill-opacity="0.22"/g)).toHaveLength(1);
    expect(framesOf(svg)).toHaveLength(1);
  });

  it("says which limits or sizes leave nothing to draw", async () => {
    await expect(plot({ ax_configs: [panel({ y_bottom_lim: 100 })] })).rejects.toThrow(
      "ax_configs[0].y_bottom_lim: leaves nothing of the curves to see; remove or change it",
    );
    await expect(plot({ ax_configs: [panel()], subplot_height: 0.5 })).rejects.toThrow(
      "config.json: subplot_height: leaves no room for the axes beside their texts",
    );
  });

  it("keeps all ink inside the picture, whatever the texts and values are", () => {
    const text = fc.constantFrom(
      "",
      "norms",
      "$\\sigma_{10}^2$ of the end-to-end matrix",
      "$\\mathcal{W}$",
    );
    const values = fc.array(fc.double({ min: -1e6, max: 1e9, noNaN: true }), {
      minLength: 2,
      maxLength: 30,
    });
    const chosen = fc.record({
      title: text,
      x_label: text,
      y_label: text,
      y_log_scale: fc.boolean(),
      x_log_scale: fc.boolean(),
      x_tight: fc.boolean(),
      ticks_font_size: fc.integer({ min: 5, max: 14 }),
    });
    fc.assert(
      fc.property(chosen, values, text, fc.boolean(), (fields, y, title, marks) => {
        fc.pre(!fields.y_log_scale || y.some((value) => value > 0));
        const config = parsePlotConfig(
          {
            ax_configs: [panel(fields, { labels: ["a", "b", "c"] })],
            title,
            panel_labels: marks,
            subplot_width: 6,
            subplot_height: 3,
          },
          "plot.json",
        );
        const curves: PanelCurves = {
          config: config.ax_configs[0]!,
          runs: [],
          curves: [
            {
              metric: "s_0",
              label: "a",
              color: "#008066",
              epochs: Int32Array.from(y, (_, i) => 25 * i + 24),
              mean: Float64Array.from(y),
              deviation: Float64Array.from(y, () => 1),
            },
          ],
        };
        const { svg, width, height } = drawDynamics(config, [curves], "plot.json");
        // Without the white ground, which fills the picture, and the curves, which are clipped.
        const ink = svg
          .replace(/<g clip-path.*?<\/g><\/g>/, "")
          .replace(/<rect width="[\d.]+" height="[\d.]+" fill="white"><\/rect>/, "");
        const box = new Resvg(ink, { font: fontOptions() }).getBBox()!;
        const points = 96 / 72;
        expect(box.x).toBeGreaterThan(0);
        expect(box.y).toBeGreaterThan(0);
        expect((box.x + box.width) / points).toBeLessThan(width);
        expect((box.y + box.height) / points).toBeLessThan(height);
      }),
      { numRuns: 15 },
    );
  });
});
