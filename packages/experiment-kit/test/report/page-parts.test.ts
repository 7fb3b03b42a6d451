import { describe, expect, test } from "vitest";
import { epochAxis, valueAxis } from "../../src/report/page/chart-scales.ts";
import { curvePath } from "../../src/report/page/curve-path.ts";
import { formatSeconds, formatValue } from "../../src/report/page/numbers.ts";
import { ON_DARK, ON_LIGHT } from "../../src/report/page/palette.ts";
import { shortNames } from "../../src/report/page/short-names.ts";
import { matchesFilter } from "../../src/report/page/view-state.ts";

const frame = { left: 0, right: 400, top: 0, bottom: 200 };

describe("names and numbers", () => {
  test.each([
    [
      ["singular_value_0", "singular_value_1"],
      ["value_0", "value_1"],
    ],
    [
      ["factor_0_fro_norm", "factor_1_fro_norm"],
      ["factor_0", "factor_1"],
    ],
    [
      ["train_mse_loss", "test_mse_loss"],
      ["train", "test"],
    ],
    [["alone"], ["alone"]],
    [
      ["a", "a_b"],
      ["a", "a_b"],
    ],
    [
      ["top_0_norm", "top_10_norm"],
      ["top_0", "top_10"],
    ],
  ])("%j are shortened to %j", (names, expected) => {
    expect(shortNames(names)).toEqual(expected);
  });

  test.each([
    [0.0001234567, "1.235e−4"],
    [-2.5, "−2.5"],
    [12345.678, "12350"],
    [0, "0"],
    [null, "–"],
    [Number.NaN, "NaN"],
  ])("%s is shown as %s", (value, text) => expect(formatValue(value)).toBe(text));

  test.each([
    [0.1234, "0.12 s"],
    [59.4, "59 s"],
    [3661, "1 h 1 min"],
    [200_000, "2 d 7 h"],
  ])("%s seconds are shown as %s", (seconds, text) => expect(formatSeconds(seconds)).toBe(text));

  test("a filter wants all of its words in one name", () => {
    expect(matchesFilter(" sing  VAL", ["mat 0 top sing vals"])).toBe(true);
    expect(matchesFilter("sing norm", ["sing vals", "fro norm"])).toBe(false);
    expect(matchesFilter("  ", [])).toBe(true);
  });
});

/** The contrast of two colors `#rrggbb` after WCAG 2. */
function contrast(a: string, b: string): number {
  const luminance = (color: string): number => {
    const [r, g, blue] = [1, 3, 5].map((at) => {
      const part = Number.parseInt(color.slice(at, at + 2), 16) / 255;
      return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r! + 0.7152 * g! + 0.0722 * blue!;
  };
  const [low, high] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (high! + 0.05) / (low! + 0.05);
}

test("curves stand out from their page: a contrast of at least 3", () => {
  for (const color of ON_LIGHT) expect(contrast(color, "#ffffff")).toBeGreaterThan(3);
  for (const color of ON_DARK) expect(contrast(color, "#191d24")).toBeGreaterThan(3);
  expect(new Set([...ON_LIGHT, ...ON_DARK]).size).toBe(14);
});

describe("axes", () => {
  const series = [{ epochs: [0, 10, 20], values: [1, 1e-6, Number.NaN] }];

  test("a log axis is labelled with even powers of ten and maps decades to equal lengths", () => {
    const axis = valueAxis(series, "log", null, [0, 20], frame);
    expect(axis.ticks.map(({ text }) => text)).toEqual(["10⁻⁶", "10⁻⁴", "10⁻²", "10⁰"]);
    const lengths = [1e-2, 1e-4, 1e-6].map((v) => axis.pixel(v) - axis.pixel(100 * v));
    expect(lengths[1]).toBeCloseTo(lengths[0]!, 6);
    expect(axis.value(axis.pixel(0.001))).toBeCloseTo(0.001, 9);
  });

  test("a log axis of epochs leaves out epoch 0", () => {
    expect(epochAxis(series, "log", null, frame).domain).toEqual([10, 20]);
  });

  test("curves without values, or with one, still have axes", () => {
    for (const kind of ["linear", "log"] as const) {
      for (const values of [[], [Number.NaN], [0], [-3], [2]]) {
        const some = [{ epochs: values.map(() => 5), values }];
        const x = epochAxis(some, kind, null, frame);
        const y = valueAxis(some, kind, null, x.domain, frame);
        expect(x.domain[0]).toBeLessThan(x.domain[1]);
        expect(y.domain[0]).toBeLessThan(y.domain[1]);
        expect(Number.isFinite(x.pixel(5))).toBe(true);
      }
    }
  });

  test("the values fit what is seen between the epochs", () => {
    const peak = [{ epochs: [0, 10, 20, 30, 40], values: [1, 100, 1, 2, 3] }];
    expect(valueAxis(peak, "linear", null, [25, 40], frame).domain[1]).toBeLessThan(5);
  });
});

describe("curves", () => {
  const axes = (values: readonly number[]) => {
    const series = { epochs: values.map((_, i) => i), values: [...values] };
    const x = epochAxis([series], "linear", null, frame);
    return { series, x, y: valueAxis([series], "linear", null, x.domain, frame) };
  };

  test("have a gap at NaN, and a dot between two gaps", () => {
    const { series, x, y } = axes([1, 2, Number.NaN, 3, Number.NaN, 1, 2]);
    const path = curvePath(series, x, y);
    expect(path.match(/M/g)).toHaveLength(3);
    expect(path.match(/h\.01/g)).toHaveLength(1);
    expect(path).not.toContain("NaN");
  });

  test("of 100,000 points are short, and reach their highest and lowest pixel", () => {
    const values = Array.from(
      { length: 100_000 },
      (_, i) => Math.sin(i / 7) + (i === 77_777 ? 9 : 0),
    );
    const { series, x, y } = axes(values);
    const heights = [...curvePath(series, x, y).matchAll(/,([\d.-]+)/g)].map(([, h]) => Number(h));
    expect(heights.length).toBeLessThan(4000);
    expect(Math.min(...heights)).toBeCloseTo(y.pixel(Math.max(...values)), 0);
    expect(Math.max(...heights)).toBeCloseTo(y.pixel(Math.min(...values)), 0);
  });
});
