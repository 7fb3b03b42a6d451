import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { keysOf, valueAt } from "../../../src/figures/groups/dotted-key.ts";
import { compareX, groupPoints, xValuesOf } from "../../../src/figures/groups/group-points.ts";
import { shortTexts } from "../../../src/figures/groups/short-texts.ts";

describe("keys with dots", () => {
  const content = {
    last_tracked_values: { "val accuracy": { value: 0.5, epoch: 3 } },
    "lr 0.1": { "a.b": { c: 1 } },
    a: { b: { c: 2 }, "b.c": 3 },
    "a.b": { d: 4 },
    list: [7, 8],
    nothing: null,
  };

  it.each([
    ["last_tracked_values.val accuracy.value", 0.5],
    ["lr 0.1.a.b.c", 1],
    ["a.b.c", 3],
    ["a.b.d", 4],
    ["list.1", 8],
    ["nothing", null],
    ["a.b.e", undefined],
    ["last_tracked_values.val accuracy.value.more", undefined],
    ["toString", undefined],
    ["a.constructor", undefined],
    ["__proto__.toString", undefined],
    ["", undefined],
  ])("%s leads to %s", (key, value) => {
    expect(valueAt(content, key)).toEqual(value);
  });

  it("lead to every value by the key that is suggested for it", () => {
    const names = fc.constantFrom("a", "b", "a.b", "val accuracy", "0.1", "");
    const tree = fc.letrec((tie) => ({
      node: fc.oneof(
        { depthSize: "small" },
        fc.integer(),
        fc.dictionary(names, tie("node"), { maxKeys: 4 }),
      ),
    })).node;
    fc.assert(
      fc.property(fc.dictionary(names, tree, { maxKeys: 4 }), (object) => {
        for (const key of keysOf(object)) expect(valueAt(object, key)).toBeDefined();
      }),
    );
  });
});

describe("points of a group", () => {
  it("have mean and population deviation over the runs of one x", () => {
    const runs = [3, 1, 3, 2, 3].map((x, i) => ({ run: `${i}`, x, y: [1, 5, 4, 8, 7][i]! }));
    expect(groupPoints(runs)).toEqual([
      { x: 1, mean: 5, deviation: undefined, values: [5] },
      { x: 2, mean: 8, deviation: undefined, values: [8] },
      { x: 3, mean: 4, deviation: Math.sqrt(6), values: [1, 4, 7] },
    ]);
  });

  it("have the deviation √(E[y²] − E[y]²)", () => {
    const values = fc.array(fc.double({ min: -100, max: 100, noNaN: true }), { minLength: 2 });
    fc.assert(
      fc.property(values, (list) => {
        const [point] = groupPoints(list.map((y, i) => ({ run: `${i}`, x: "a", y })));
        const mean = list.reduce((sum, y) => sum + y, 0) / list.length;
        const squares = list.reduce((sum, y) => sum + y * y, 0) / list.length;
        expect(point!.mean).toBeCloseTo(mean, 9);
        // Both sums are rounded: of values up to 100, the difference of squares to about 1e-11.
        expect(point!.deviation! ** 2).toBeCloseTo(squares - mean ** 2, 9);
      }),
    );
  });

  it("are sorted by numbers, also by those in texts", () => {
    expect(["len_11_a", "len_9_a", "len_3_a"].sort(compareX)).toEqual([
      "len_3_a",
      "len_9_a",
      "len_11_a",
    ]);
    const points = [
      [10, 9],
      [0.5, 9],
    ].map((list) => groupPoints(list.map((x) => ({ run: "", x, y: 1 }))));
    expect(xValuesOf(points)).toEqual([0.5, 9, 10]);
  });
});

describe("short texts", () => {
  it.each([
    [
      ["d/path_length_3_n_5.safetensors", "d/path_length_11_n_5.safetensors"],
      ["3", "11"],
    ],
    [
      ["resnet18", "resnet34"],
      ["resnet18", "resnet34"],
    ],
    [
      ["length_3", "length_30"],
      ["3", "30"],
    ],
    [
      ["a/b", "a/b/c"],
      ["b", "b/c"],
    ],
    [["only/one.npz"], ["only/one.npz"]],
    [
      ["a setting of many words that goes on", "b"],
      ["a setting o…hat goes on", "b"],
    ],
  ])("of %j are %j", (texts, expected) => {
    expect(shortTexts(texts)).toEqual(expected);
  });

  it("stay apart", () => {
    const text = fc.array(fc.constantFrom("a", "b", "_", "1", "/", "."), { maxLength: 8 });
    fc.assert(
      fc.property(fc.uniqueArray(text.map((parts) => parts.join(""))), (texts) => {
        expect(new Set(shortTexts(texts)).size).toBe(texts.length);
      }),
    );
  });
});
