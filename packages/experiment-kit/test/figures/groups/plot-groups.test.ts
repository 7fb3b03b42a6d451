import { withChecksum } from "@implicit-rank/array-files";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { Resvg } from "@resvg/resvg-js";
import fc from "fast-check";
import { beforeEach, describe, expect, it } from "vitest";
import { plotGroups } from "../../../src/figures/index.ts";
import { drawGroups } from "../../../src/figures/groups/draw-groups.ts";
import { groupCurves } from "../../../src/figures/groups/group-curves.ts";
import { groupPlotFlags } from "../../../src/figures/groups/group-plot-flags.ts";
import { groupPoints } from "../../../src/figures/groups/group-points.ts";
import { fontOptions } from "../../../src/plots/svg-to-png.ts";
import { temporaryFolder } from "../../run-kit.ts";
import { writeResult } from "./write-result.ts";

const DISTANCES = [0, 20, 80, 160];
let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
});

/** Two groups of three seeds at four distances: y is 0.9 − 0.1·(i + group), plus and minus 0.01. */
function writeGroups(): void {
  for (const [g, name] of ["plain", "reg"].entries())
    for (const [i, distance] of DISTANCES.entries())
      for (const seed of [-1, 0, 1])
        writeResult(
          join(folder, name, `d${distance}_s${seed}`),
          { distance, dataset_path: `data/len_${distance}_size.npz`, text: String(distance) },
          { "val accuracy": 0.9 - 0.1 * (i + g) + 0.01 * seed, "val loss": 10 ** (i - 2) },
        );
}

const base = () => ({
  experiments_dir: folder,
  experiment_groups_dir_names: ["plain", "reg"],
  per_experiment_group_y_axis_value_name: ["last_tracked_values.val accuracy.value"],
  x_axis_value_name: "distance",
  save_plot_to: join(folder, "figure"),
});

async function plot(flags: object = {}): Promise<string> {
  const { svg } = await plotGroups({ ...base(), ...flags }, { force: true });
  return readFileSync(svg, "utf8");
}

const textsOf = (svg: string): readonly string[] =>
  [...svg.matchAll(/<text[^>]*>(.*?)<\/text>/g)].map(([, text]) =>
    text!.replaceAll(/<[^>]*>/g, ""),
  );

/** The frame's width and height. */
function frameOf(svg: string): readonly [number, number] {
  const match = /<rect width="([\d.]+)" height="([\d.]+)" fill="none" stroke="black"/.exec(svg)!;
  return [Number(match[1]), Number(match[2])];
}

/** Places of the markers in the frame, by what a pointer on them shows. */
function markersOf(svg: string): readonly (readonly [text: string, x: number, y: number])[] {
  const marker = /translate\(([-\d.]+),([-\d.]+)\)"><title>([^<]*)</g;
  return [...svg.matchAll(marker)].map(([, x, y, text]) => [text!, Number(x), Number(y)]);
}

describe("plotting groups of runs", () => {
  beforeEach(writeGroups);

  it("gives mean and deviation of every group at every x, and both files", async () => {
    const figure = await plotGroups({ ...base(), y_value_scale_factor: "100" });
    expect(figure.xValues).toEqual(DISTANCES);
    expect(figure.groups.map(({ name, label }) => [name, label])).toEqual([
      ["plain", "plain"],
      ["reg", "reg"],
    ]);
    const points = figure.groups[1]!.points;
    expect(points.map(({ x }) => x)).toEqual(DISTANCES);
    points.forEach(({ mean, deviation, values }, i) => {
      expect(mean).toBeCloseTo(80 - 10 * i, 9);
      expect(deviation).toBeCloseTo(Math.sqrt(2 / 3), 9);
      expect(values).toHaveLength(3);
    });
    expect(figure).toMatchObject({ leftOut: [], hidden: [] });
    const png = readFileSync(figure.png);
    expect(png.readUInt32BE(16) / figure.widthInches / 300).toBeCloseTo(1, 2);
    expect(png.readUInt32BE(20) / figure.heightInches / 300).toBeCloseTo(1, 2);
  });

  it("has the counterpart's size: 5 × 2.7 inches, cut to 0.1 inch around the content", async () => {
    const figure = await plotGroups(base());
    const tight = (2 * 1.08 * 10) / 72 - 0.2;
    expect(figure.widthInches).toBeCloseTo(5 - tight, 3);
    expect(figure.heightInches).toBeCloseTo(2.7 - tight, 3);
  });

  it("draws markers at their true places and bars of one deviation", async () => {
    const svg = await plot({ y_bottom_lim: 0, y_top_lim: 1 });
    const [width, height] = frameOf(svg);
    const markers = markersOf(svg).slice(0, 4);
    markers.forEach(([text, x, y], i) => {
      expect(text).toBe(
        `${DISTANCES[i]}: ${Number((0.9 - 0.1 * i).toFixed(4))} ± 0.008165 (3 runs)`,
      );
      // 5% of room on both sides.
      expect(x / width).toBeCloseTo((0.05 + DISTANCES[i]! / 160) / 1.1, 3);
      expect(1 - y / height).toBeCloseTo(0.9 - 0.1 * i, 3);
    });
    const bar = /<path d="M([\d.]+),([\d.]+)V([\d.]+)M/.exec(svg)!;
    expect(Number(bar[1])).toBeCloseTo(markers[0]![1], 1);
    expect((Number(bar[3]) - Number(bar[2])) / height).toBeCloseTo(2 * 0.01 * Math.sqrt(2 / 3), 3);
  });

  it("takes numbers given as text for numbers", async () => {
    const figure = await plotGroups({ ...base(), x_axis_value_name: "text" });
    expect(figure.xValues).toEqual(DISTANCES);
  });

  it("sorts texts by their numbers, and shows what tells them apart", async () => {
    const figure = await plotGroups({ ...base(), x_axis_value_name: "dataset_path" });
    const paths = DISTANCES.map((distance) => `data/len_${distance}_size.npz`);
    expect(figure.xValues).toEqual(paths);
    const svg = readFileSync(figure.svg, "utf8");
    expect(textsOf(svg)).toEqual(expect.arrayContaining(["0", "20", "80", "160"]));
    expect(textsOf(svg)).not.toContain(paths[0]);
    const named = await plot({
      x_axis_value_name: "dataset_path",
      x_axis_ticks: ["a", "b", "c", "d"],
    });
    expect(textsOf(named)).toEqual(expect.arrayContaining(["a", "b", "c", "d"]));
    const [width] = frameOf(named);
    expect(
      markersOf(named)
        .map(([, x]) => Math.round((x / width) * 330) / 100)
        .slice(0, 4),
    ).toEqual([0.15, 1.15, 2.15, 3.15]);
  });

  it("finds a metric by its name alone, and keys of every other kind", async () => {
    for (const name of [
      "val accuracy",
      "last_tracked_values.val accuracy",
      "last_tracked_values.val accuracy.value",
    ]) {
      const flags = { ...base(), per_experiment_group_y_axis_value_name: name };
      // One text of a list is split at blanks, as on no command line.
      const figure = await plotGroups(
        { ...flags, per_experiment_group_y_axis_value_name: [name] },
        { force: true },
      );
      expect(figure.groups[0]!.points[0]!.mean).toBeCloseTo(0.9, 9);
    }
    const epochs = await plotGroups(
      { ...base(), per_experiment_group_y_axis_value_name: ["last_tracked_values.val loss.epoch"] },
      { force: true },
    );
    expect(epochs.groups[0]!.points[0]!.mean).toBe(149);
  });

  it("draws the same bytes again", async () => {
    expect(await plot()).toBe(await plot());
  });

  it("never replaces a file unless it is told to", async () => {
    writeFileSync(join(folder, "figure.png"), "mine");
    await expect(plotGroups({ ...base(), experiments_dir: "gone" })).rejects.toThrow(
      `${join(folder, "figure.png")}: exists already; give --force to replace it, or another --save_plot_to`,
    );
    expect(readFileSync(join(folder, "figure.png"), "utf8")).toBe("mine");
    expect(existsSync(join(folder, "figure.svg"))).toBe(false);
    await plotGroups(base(), { force: true });
    expect(readdirSync(folder).filter((name) => name.startsWith("figure"))).toEqual([
      "figure.png",
      "figure.svg",
    ]);
  });
});

describe("the axes of groups", () => {
  beforeEach(writeGroups);

  it("have ticks where and as they are asked for", async () => {
    const own = textsOf(await plot());
    expect(own).toEqual(expect.arrayContaining(["0", "20", "80", "160"]));
    const given = textsOf(
      await plot({
        x_axis_ticks: ["50", "1e2"],
        use_x_axis_ticks_values: true,
        y_axis_ticks: ["0.5", "0.75"],
        use_y_axis_ticks_values: true,
      }),
    );
    expect(given).toEqual(expect.arrayContaining(["50", "1e2", "0.5", "0.75"]));
    expect(given).not.toContain("160");
    const formatted = textsOf(
      await plot({
        y_axis_ticks: ["0.5", "0.75"],
        use_y_axis_ticks_values: true,
        y_axis_format_str: "{:.0%}",
      }),
    );
    expect(formatted).toEqual(expect.arrayContaining(["50%", "75%"]));
    expect(formatted).not.toContain("0.75");
    expect(textsOf(await plot({ y_axis_format_str: "%.3f" }))).toContain("0.800");
    const relabeled = {
      y_axis_ticks: ["low", "middle", "high"],
      y_bottom_lim: 0.1,
      y_top_lim: 0.7,
      plot_title: "title",
      x_label: "x",
    };
    expect(textsOf(await plot(relabeled))).toEqual(
      expect.arrayContaining(["low", "middle", "high"]),
    );
  });

  it("are wide enough where all runs of a group have one value", async () => {
    for (const i of [0, 1, 2])
      writeResult(join(folder, "equal", `${i}`), { distance: 1 }, { "val accuracy": 0.1 });
    const texts = textsOf(await plot({ experiment_groups_dir_names: ["equal"] }));
    expect(texts).toEqual(expect.arrayContaining(["1", "0.06", "0.10", "0.14"]));
  });

  it("are as tight or as wide as they are asked to be", async () => {
    const svg = await plot({ x_autoscale_tight: true });
    const [width] = frameOf(svg);
    expect(markersOf(svg)[0]![1]).toBe(0);
    expect(markersOf(svg)[3]![1]).toBe(width);
  });

  it("are logarithmic, and leave out what such an axis cannot show", async () => {
    const flags = {
      ...base(),
      x_log_scale: true,
      y_log_scale: true,
      per_experiment_group_y_axis_value_name: ["val loss"],
    };
    const figure = await plotGroups(flags);
    expect(figure.hidden).toEqual([
      { group: "plain", x: 0 },
      { group: "reg", x: 0 },
    ]);
    const svg = readFileSync(figure.svg, "utf8");
    expect(svg).not.toContain("NaN");
    expect(markersOf(svg)).toHaveLength(6);
    expect(textsOf(svg)).toEqual(expect.arrayContaining(["100", "10−1"]));
  });

  it("draw an error bar to the frame where its lower end is below 0", async () => {
    for (const [i, y] of [0.001, 0.001, 10].entries())
      writeResult(join(folder, "wide", `${i}`), { distance: 1 }, { "val loss": y });
    const svg = await plot({
      experiment_groups_dir_names: ["wide"],
      per_experiment_group_y_axis_value_name: ["val loss"],
      y_log_scale: true,
    });
    const [, height] = frameOf(svg);
    expect(svg).toMatch(new RegExp(`<path d="M[\\d.]+,[\\d.]+V${height}M`));
  });

  it("have lines across and upright", async () => {
    const svg = await plot({
      horizontal_lines: [0.5, 0.2],
      horizontal_lines_colors: ["tab:red"],
      horizontal_lines_styles: ["--", "-"],
      vertical_lines: ["40"],
      vertical_lines_colors: ["C0"],
    });
    const [width, height] = frameOf(svg);
    expect(svg).toMatch(
      new RegExp(
        `<path d="M0,[\\d.]+H${width}" stroke="#d62728" stroke-width="1.5" stroke-dasharray="5.55 2.4">`,
      ),
    );
    expect(svg).toMatch(
      new RegExp(`<path d="M0,[\\d.]+H${width}" stroke="#000000" stroke-width="1.5">`),
    );
    expect(svg).toMatch(new RegExp(`<path d="M[\\d.]+,0V${height}" stroke="#1f77b4"`));
  });

  it("have title and labels, broken into lines where they are long", async () => {
    const words =
      "a label of very many words that has no room in a single line of the figure at all";
    const svg = await plot({ plot_title: `$\\alpha$ ${words}`, x_label: words, y_label: words });
    const texts = textsOf(svg).map((text) => text.replaceAll("\u00a0", " ").trim());
    expect(texts).not.toContain(words);
    expect(texts.join(" ").split(words)).toHaveLength(4);
  });
});

describe("the look of groups", () => {
  beforeEach(writeGroups);

  it("is that of the flags; one entry is for all", async () => {
    const svg = await plot({
      per_experiment_group_label: ["$\\lambda = 0$", "reg"],
      per_experiment_group_marker: ["s"],
      per_experiment_group_linestyle: ["--", "None"],
      per_experiment_group_color: ["tab:blue", "#ff0000"],
      error_bars_opacity: 0.5,
      plot_linewidth: 2,
    });
    expect(svg).toContain('<g stroke="#1f77b4"><title>λ = 0</title>');
    expect(svg).toContain('<g stroke="#ff0000"><title>reg</title>');
    // Eight in the axes, two in the legend.
    expect(svg.match(/d="M-3,3L-3,-3L3,-3L3,3Z"/g)).toHaveLength(10);
    // A curve, and its line in the legend.
    expect(svg.match(/stroke-dasharray="7.4 3.2"/g)).toHaveLength(2);
    expect(svg.match(/stroke-width="1.5" stroke-opacity="0.5"/g)).toHaveLength(4);
  });

  it("has no legend where all labels are empty, and no bars where there is one run", async () => {
    const svg = await plot({ per_experiment_group_label: ["", ""] });
    expect(textsOf(svg)).not.toContain("plain");
    for (const name of ["plain", "reg"])
      for (const distance of DISTANCES)
        for (const seed of [0, 1])
          rmSync(join(folder, name, `d${distance}_s${seed}`), { recursive: true });
    expect(await plot()).not.toContain("stroke-opacity");
  });

  it("refuses what is no color, marker or style, naming the flag", async () => {
    const refused = [
      [
        { per_experiment_group_color: ["blu", "red"] },
        "--per_experiment_group_color: must be a color",
      ],
      [{ per_experiment_group_marker: ["q"] }, "--per_experiment_group_marker: must be one of"],
      [
        { vertical_lines: [1], vertical_lines_styles: ["="] },
        "--vertical_lines_styles: must be one of",
      ],
      [
        { horizontal_lines: [1], horizontal_lines_colors: ["b", "c"] },
        "--horizontal_lines_colors: has more entries than there are horizontal_lines (1)",
      ],
      [
        { per_experiment_group_label: ["a"] },
        "--per_experiment_group_label: must have one entry for each of the 2 groups, not 1",
      ],
      [
        { per_experiment_group_marker: ["o", "s", "d"] },
        "--per_experiment_group_marker: must have one entry for each of the 2 groups, or one for all, not 3",
      ],
      [
        { per_experiment_group_y_axis_value_name: ["a", "b", "c"] },
        "--per_experiment_group_y_axis_value_name: must have one entry for each of the 2 groups, or one for all, not 3",
      ],
      [{ error_bars_opacity: 2 }, "--error_bars_opacity: must be at most 1 (got 2)"],
      [{ y_axis_format_str: "{:q}" }, "--y_axis_format_str: has the field {:q}"],
      [{ plot_title: "$\\foo$" }, "--plot_title: the formula $\\foo$ has \\foo"],
      [
        { x_axis_ticks: ["a"] },
        "--x_axis_ticks: must have one text for each of the 4 x values (0, 20, 80, 160), not 1, or add --use_x_axis_ticks_values",
      ],
      [
        { use_x_axis_ticks_values: true },
        "--use_x_axis_ticks_values: needs x_axis_ticks with the values",
      ],
      [
        { y_axis_ticks: ["a"], use_y_axis_ticks_values: true },
        "--y_axis_ticks: must be numbers with use_y_axis_ticks_values",
      ],
      [{ y_axis_ticks: ["a"] }, "--y_axis_ticks: must have one text for each of the"],
      [
        { y_axis_ticks: ["a"], y_axis_format_str: "{}" },
        "--y_axis_format_str: cannot be used with texts in y_axis_ticks",
      ],
      [
        { x_axis_value_name: "dataset_path", x_log_scale: true },
        "--x_log_scale: the x values are texts; leave it out",
      ],
      [
        { x_axis_value_name: "dataset_path", x_axis_ticks: ["1"], use_x_axis_ticks_values: true },
        "--use_x_axis_ticks_values: the x values are texts",
      ],
      [
        { y_log_scale: true, y_value_scale_factor: -1 },
        "--y_log_scale: no y value is above 0; leave it out",
      ],
      [{ y_bottom_lim: 3 }, "--y_bottom_lim: leaves no point to be seen"],
      [{ y_bottom_lim: 3, y_top_lim: 2 }, "--y_top_lim: must be more than y_bottom_lim, 3 (got 2)"],
      [{ save_plot_to: "x.pdf" }, "--save_plot_to: figures are written as .svg and .png, not .pdf"],
      [
        { experiments_dir: "nowhere" },
        "--experiments_dir: nowhere: there is no such folder; check the path",
      ],
    ] as const;
    for (const [flags, message] of refused)
      await expect.soft(plotGroups({ ...base(), ...flags }), message).rejects.toThrow(message);
    expect(existsSync(join(folder, "figure.svg"))).toBe(false);
  });
});

describe("drawing groups of any values", () => {
  const word = fc.constantFrom("", "reg 0.1", "a long label of a group", "$\\lambda_1^2$");
  const value = fc.double({ min: -1e6, max: 1e6, noNaN: true });
  const chosen = fc.record({
    plot_title: word,
    x_label: word,
    y_label: word,
    x_autoscale_tight: fc.boolean(),
    x_log_scale: fc.boolean(),
    y_log_scale: fc.boolean(),
    per_experiment_group_label: fc.tuple(word, word, word, word),
  });
  const x = fc.oneof(
    fc.uniqueArray(fc.integer({ min: 1, max: 200 }), { minLength: 1, maxLength: 12 }),
    fc.uniqueArray(fc.string({ minLength: 1, maxLength: 30 }), { minLength: 1, maxLength: 8 }),
  );

  function draw(
    flags: object,
    xs: readonly (number | string)[],
    y: (i: number, g: number) => number,
  ) {
    const parsed = groupPlotFlags.parse({
      experiments_dir: "runs",
      experiment_groups_dir_names: ["a", "b", "c", "d"],
      per_experiment_group_y_axis_value_name: ["y"],
      x_axis_value_name: "x",
      ...flags,
    });
    const groups = [0, 1, 2, 3].map((g) =>
      groupPoints(
        xs.flatMap((at, i) => [0, 1].map((run) => ({ run: "", x: at, y: y(2 * i + run, g) }))),
      ),
    );
    return drawGroups(parsed, groupCurves(parsed, groups));
  }

  it("keeps all ink inside the picture", () => {
    fc.assert(
      fc.property(
        chosen,
        x,
        fc.array(value, { minLength: 8, maxLength: 8 }),
        (fields, xs, values) => {
          const flags = { ...fields, x_log_scale: fields.x_log_scale && typeof xs[0] === "number" };
          const y = (i: number, g: number): number =>
            flags.y_log_scale ? Math.abs(values[(i + 3 * g) % 8]!) + 1 : values[(i + 3 * g) % 8]!;
          const { svg, width, height } = draw(flags, xs, y);
          expect(svg).not.toMatch(/NaN|Infinity|undefined/);
          const ink = svg
            .replaceAll(/<g clip-path.*?<\/g>/g, "")
            .replace(/<rect width="[\d.]+" height="[\d.]+" fill="white"><\/rect>/, "");
          const box = new Resvg(ink, { font: fontOptions() }).getBBox()!;
          const points = 96 / 72;
          expect(box.x).toBeGreaterThan(0);
          expect(box.y).toBeGreaterThan(0);
          expect((box.x + box.width) / points).toBeLessThan(width);
          expect((box.y + box.height) / points).toBeLessThan(height);
        },
      ),
      { numRuns: 15 },
    );
  });

  it("never puts the legend over a marker, a line or a bar", () => {
    const boxPattern = /<rect x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)" rx="2"/;
    let inside = 0;
    fc.assert(
      fc.property(
        fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { minLength: 8, maxLength: 8 }),
        fc.constantFrom(0, 0.6),
        (values, gap) => {
          // Without a gap the curves are all over the axes; with one, there is room below them.
          const y = (i: number, g: number): number => gap + (1 - gap) * values[(i + 3 * g) % 8]!;
          const { svg } = draw({ y_bottom_lim: 0 }, [1, 2, 3, 4], y);
          const box = boxPattern.exec(svg)?.slice(1).map(Number);
          if (box === undefined) return;
          inside++;
          const [left, top, width, height] = box as [number, number, number, number];
          const isClear = (px: number, py: number): boolean =>
            px < left || px > left + width || py < top || py > top + height;
          for (const [, px, py] of markersOf(svg)) expect(isClear(px, py)).toBe(true);
          for (const [, d] of svg.matchAll(
            /<path d="(M[^"]*)" stroke-width="1.5" stroke-linejoin/g,
          )) {
            const corners = d!
              .slice(1)
              .split("L")
              .map((pair) => pair.split(",").map(Number));
            corners.slice(1).forEach(([x2, y2], k) => {
              const [x1, y1] = corners[k]!;
              for (let t = 0; t <= 1; t += 0.02)
                expect(isClear(x1! + t * (x2! - x1!), y1! + t * (y2! - y1!))).toBe(true);
            });
          }
          for (const [, px, from, to] of svg.matchAll(/M([\d.]+),([\d.]+)V([\d.]+)/g))
            for (let t = 0; t <= 1; t += 0.05)
              expect(isClear(Number(px), Number(from) + t * (Number(to) - Number(from)))).toBe(
                true,
              );
        },
      ),
      { numRuns: 15 },
    );
    expect(inside).toBeGreaterThan(0);
  });
});

describe("runs of groups", () => {
  const two = () => ({ ...base(), experiment_groups_dir_names: ["g"] });

  it("are left out by name if they are not finished, failed or lack a value", async () => {
    const g = join(folder, "g");
    writeResult(join(g, "good"), { distance: 1 }, { "val accuracy": 0.5 });
    writeResult(
      join(g, "stopped"),
      { distance: 1 },
      { "val accuracy": 0.7 },
      { outcome: "stopped" },
    );
    for (const outcome of ["diverged", "failed", "interrupted"])
      writeResult(join(g, outcome), { distance: 1 }, { "val accuracy": 9 }, { outcome });
    writeResult(join(g, "no_y"), { distance: 1 }, { "val loss": 9 });
    writeResult(join(g, "no_x"), { size: 1 }, { "val accuracy": 9 });
    writeResult(join(g, "null"), { distance: 1 }, { "val accuracy": null });
    writeResult(join(g, "object"), { distance: {} }, { "val accuracy": 9 });
    writeFileSync(
      join(writeResult(join(g, "unfinished"), { distance: 1 }, {}), "summary.json"),
      "{",
    );
    rmSync(join(writeResult(join(g, "killed"), { distance: 1 }, {}), "summary.json"));
    mkdirSync(join(g, "no run"));
    const { groups, leftOut } = await plotGroups(two());
    expect(groups[0]!.points).toEqual(
      [{ x: 1, mean: 0.6, deviation: 0.1, values: [0.5, 0.7] }].map((point) => ({
        ...point,
        mean: expect.closeTo(0.6, 12) as number,
        deviation: expect.closeTo(0.1, 12) as number,
      })),
    );
    const key = '"last_tracked_values.val accuracy.value"';
    expect(
      Object.fromEntries(leftOut.map(({ run, reason }) => [run.slice(g.length + 1), reason])),
    ).toEqual({
      diverged: "diverged",
      failed: "failed",
      interrupted: "was interrupted",
      no_y: `has no ${key} in summary.json`,
      no_x: 'has no "distance" in summary.json and config.json',
      null: "last_tracked_values.val accuracy.value is not finite",
      object: '"distance" is neither number nor text',
      unfinished: `${join(g, "unfinished", "summary.json")}: is not valid JSON; the file is truncated or damaged`,
      killed: "has no summary.json: it is not finished",
    });
  });

  it("may be those of the PyTorch scripts, with NaN in their files", async () => {
    const run = writeResult(join(folder, "g", "exp_2022_01_01-00_00_00"), {}, {});
    const tracked = `{"train loss": {"value": NaN, "epoch": 3}, "val accuracy": {"value": 0.5, "epoch": 3}, "Infinity": {"value": -Infinity, "epoch": 1}}`;
    writeFileSync(
      join(run, "summary.json"),
      `{"num_model_parameters": 3, "last_epoch": 3, "last_tracked_values": ${tracked}, "exception": "zero loss, NaN \\" NaN"}`,
    );
    writeFileSync(join(run, "config.json"), '{"distance": 40, "lr": NaN}');
    const { groups } = await plotGroups(two());
    expect(groups[0]!.points).toEqual([{ x: 40, mean: 0.5, deviation: undefined, values: [0.5] }]);
  });

  it("may be those of a sweep, also where its plan put them, and one folder's by pattern", async () => {
    const sweep = join(folder, "sweep");
    for (const coefficient of [0, 0.5])
      for (const seed of [0, 1])
        writeResult(
          join(sweep, `toy_coeff=${coefficient}_distance=3_seed=${seed}_0a1b2c3d4e`),
          { distance: 3 },
          { "val accuracy": coefficient + seed },
        );
    const elsewhere = writeResult(
      join(folder, "exps", "far"),
      { distance: 4 },
      { "val accuracy": 1 },
    );
    const task = (path: string) => ({ folder: path, experiment: "toy", identity: "0", flags: {} });
    writeFileSync(
      join(sweep, "sweep.json"),
      JSON.stringify(
        withChecksum({
          format: "implicit-rank sweep",
          version: 1,
          tasks: [task(elsewhere), task("toy_not_begun")],
        }),
      ),
    );
    const whole = await plotGroups({ ...two(), experiment_groups_dir_names: ["sweep"] });
    expect(whole.groups[0]!.points.map(({ x, values }) => [x, values.length])).toEqual([
      [3, 4],
      [4, 1],
    ]);
    expect(whole.leftOut.map(({ reason }) => reason)).toEqual(["has not begun"]);
    const parts = await plotGroups(
      {
        ...two(),
        experiments_dir: sweep,
        experiment_groups_dir_names: ["*coeff=0_*", "*coeff=0.5_*"],
      },
      { force: true },
    );
    expect(parts.groups.map(({ points }) => points[0]!.mean)).toEqual([0.5, 1]);
  });

  it("are asked for where there are none, naming group, flag and the nearest key", async () => {
    writeResult(join(folder, "g", "a"), { distance: 1 }, { "val accuracy": 0.5 });
    writeResult(
      join(folder, "bad", "a"),
      { distance: 1 },
      { "val accuracy": 1 },
      { outcome: "failed" },
    );
    mkdirSync(join(folder, "empty"));
    const refused = [
      [
        { experiment_groups_dir_names: ["gone"] },
        2,
        `--experiment_groups_dir_names: ${join(folder, "gone")}: there is no such run folder or file; give one that exists`,
      ],
      [
        { experiment_groups_dir_names: ["x*"] },
        2,
        `--experiment_groups_dir_names: ${join(folder, "x*")}: matches nothing; give a pattern of run folders`,
      ],
      [
        { experiment_groups_dir_names: ["empty"] },
        2,
        `--experiment_groups_dir_names: ${join(folder, "empty")}: has no runs below it; give a folder that has`,
      ],
      [
        { experiment_groups_dir_names: ["bad"] },
        1,
        `bad: the only run of the group cannot be shown: ${join(folder, "bad", "a")} failed`,
      ],
      [
        { per_experiment_group_y_axis_value_name: ["val acuracy"] },
        2,
        `--per_experiment_group_y_axis_value_name: g: ${join(folder, "g", "a")} has no "val acuracy" in summary.json; did you mean "val accuracy"?`,
      ],
      [
        { x_axis_value_name: "distances" },
        2,
        `--x_axis_value_name: g: ${join(folder, "g", "a")} has no "distances" in summary.json and config.json; did you mean "distance"?`,
      ],
    ] as const;
    for (const [flags, exitCode, message] of refused)
      await expect
        .soft(plotGroups({ ...two(), ...flags }))
        .rejects.toMatchObject({ message, exitCode });
  });
});
