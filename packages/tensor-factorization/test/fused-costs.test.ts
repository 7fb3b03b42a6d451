import { describe, expect, test } from "vitest";
import { factorTree } from "../src/engines/fused/factor-tree.ts";
import { type MatrixPlanRequest, rankMatrixPlans } from "../src/engines/fused/matrix-plan.ts";
import {
  type PlanRequest,
  rankPlans,
  rootSplits,
  type TreePlan,
} from "../src/engines/fused/tree-plan.ts";
import { cpSpec, hierarchicalSpec } from "../src/index.ts";
import { allTuples } from "./definition.ts";

/*
 * Costs counted by hand, in multiply-adds: a product of m × k by k × n is m·k·n forward and twice that
 * backward; an element of an elementwise product counts 3, a multiply-add on gathered rows 2.
 */

const cp = factorTree(cpSpec({ modeSizes: [3, 4, 5], components: 2 }));
const ht = factorTree(hierarchicalSpec({ modeSizes: [2, 2, 2], widths: [3, 4] }));

/** Every entry is observed once. */
function request(
  tree: PlanRequest["tree"],
  task: PlanRequest["task"],
  batchSize: number,
): PlanRequest {
  const tuples = allTuples(tree.modeSizes);
  const samples = tuples.length;
  const indices = Int32Array.from(tuples.flat());
  return { tree, task, indices, samples, batchSize, duplicates: false, maxGridEntries: 2 ** 20 };
}

function costOf(of: PlanRequest, wanted: Partial<TreePlan>): number | undefined {
  const found = rankPlans(of).filter((plan) =>
    Object.entries(wanted).every(
      ([key, value]) => String(plan[key as keyof TreePlan]) === String(value),
    ),
  );
  expect(found).toHaveLength(1);
  return found[0].cost;
}

describe("completion", () => {
  test("CP: the elementwise product of two factors' rows, and the form over both components", () => {
    const sides = { left: [0, 1], right: [2] };
    const product = (rows: number): number => 3 * 3 * 2 * rows * 2;
    const all = request(cp, "completion", 60);
    expect(costOf(all, { ...sides, form: "grid" })).toBe(product(12) + 3 * 12 * 5 * 2);
    expect(costOf(all, { ...sides, form: "gather" })).toBe(product(12) + 3 * 2 * 60 * 2);
    const few = request(cp, "completion", 5);
    expect(costOf(few, { ...sides, form: "gather" })).toBe(product(5) + 3 * 2 * 5 * 2);
    expect(costOf(few, { ...sides, form: "grid" })).toBe(product(12) + 3 * 12 * 5 * 2);
    expect(costOf(few, { left: [1], right: [0, 2], form: "grid" })).toBe(
      product(15) + 3 * 4 * 15 * 2,
    );
  });

  test("hierarchical: rows through each matrix, or the other side's rows through the left one", () => {
    const all = request(ht, "completion", 8);
    const sides = { left: [0], right: [1], form: "grid" } as const;
    const product = 3 * 3 * 2 * 4 * 3;
    expect(costOf(all, { ...sides, through: false })).toBe(
      product + 3 * 4 * 3 * 4 + 3 * 2 * 3 * 4 + 3 * 4 * 2 * 4,
    );
    expect(costOf(all, { ...sides, through: true })).toBe(
      product + 3 * 2 * 3 * 4 + 3 * 2 * 3 * 4 + 3 * 4 * 2 * 3,
    );
    const three = request(ht, "completion", 3);
    expect(costOf(three, { ...sides, form: "gather", through: false })).toBe(
      (3 / 4) * product + 3 * 3 * 3 * 4 + 3 * 2 * 3 * 4 + 3 * 2 * 3 * 4,
    );
    expect(costOf(three, { ...sides, form: "gather", through: true })).toBe(
      (3 / 4) * product + 3 * 2 * 3 * 4 + 3 * 2 * 3 * 4 + 3 * 2 * 3 * 3,
    );
  });

  test("a grid as large as may be held is planned, a larger one is not", () => {
    const forms = (maxGridEntries: number): string[] =>
      rankPlans({ ...request(cp, "completion", 60), maxGridEntries }).map(({ form }) => form);
    expect(forms(60)).toContain("grid");
    expect(new Set(forms(59))).toEqual(new Set(["gather"]));
  });
});

describe("sensing", () => {
  const of = request(ht, "sensing", 10);

  test("measuring the full tensor: its grid, and products of every sample with both sides", () => {
    const plan = { left: [0], right: [1], measured: true };
    const measuring = 2 * 10 * 4 * 2 + 3 * 10 * (4 + 2 * 2);
    const product = 3 * 3 * 2 * 4 * 3;
    expect(costOf(of, { ...plan, through: false })).toBe(
      measuring + product + 3 * 4 * 3 * 4 + 3 * 2 * 3 * 4 + 3 * 4 * 2 * 4,
    );
    expect(costOf(of, { ...plan, through: true })).toBe(
      measuring + product + 3 * 2 * 3 * 4 + 3 * 2 * 3 * 4 + 3 * 4 * 2 * 3,
    );
    expect(rankPlans({ ...of, maxGridEntries: 8 }).some(({ measured }) => measured)).toBe(true);
    expect(rankPlans({ ...of, maxGridEntries: 7 }).some(({ measured }) => measured)).toBe(false);
  });

  test("sample by sample: every sample through every matrix; inputs need no gradient", () => {
    const leaves = 3 * (2 * 10 * 2 * 3 + 2 * 3 * 10 * 3);
    const above = 2 * (3 * 10 * 3 * 4 + 2 * 3 * 10 * 4);
    expect(costOf(of, { left: [1], right: [0], rowKind: "samples" })).toBe(
      leaves + above + 3 * 2 * 10 * 4,
    );
  });
});

test("plans are ranked by their cost", () => {
  for (const tree of [cp, ht])
    for (const task of ["completion", "sensing"] as const) {
      const costs = rankPlans(request(tree, task, 7)).map(({ cost }) => cost);
      expect(costs).toEqual(costs.toSorted((a, b) => a - b));
    }
});

test("the root's children meet in every way, or in contiguous parts if they are more than four", () => {
  const splitsOf = (order: number): [number[], number[]][] =>
    rootSplits(
      factorTree(cpSpec({ modeSizes: Array.from({ length: order }, () => 2), components: 1 })),
    );
  expect(splitsOf(2)).toEqual([
    [[0], [1]],
    [[1], [0]],
  ]);
  expect(splitsOf(3)).toHaveLength(6);
  expect(splitsOf(4)).toHaveLength(14);
  expect(splitsOf(5)).toHaveLength(8);
  expect(splitsOf(5)).toContainEqual([
    [0, 1],
    [2, 3, 4],
  ]);
  expect(splitsOf(5)).toContainEqual([
    [3, 4],
    [0, 1, 2],
  ]);
  for (const order of [2, 3, 4, 5, 6])
    for (const [left, right] of splitsOf(order)) {
      expect([...left, ...right].toSorted((a, b) => a - b)).toEqual([...Array(order).keys()]);
      expect(Math.min(left.length, right.length)).toBeGreaterThan(0);
    }
});

describe("matrices", () => {
  const costs = (
    sizes: readonly number[],
    changes: Partial<MatrixPlanRequest> = {},
  ): Record<string, number> =>
    Object.fromEntries(
      rankMatrixPlans({
        spec: { kind: "mf", sizes },
        task: "completion",
        batchSize: 10,
        duplicates: false,
        ...changes,
      }).map(({ form, cost }) => [form, cost]),
    );

  test("of two: the product, or its entries after transposing the second", () => {
    expect(costs([4, 3, 5])).toEqual({ grid: 3 * 60, gather: 2 * 3 * 3 * 5 + 3 * 2 * 10 * 3 });
    expect(costs([4, 3, 5], { duplicates: true })).toEqual({ gather: 90 + 180 });
  });

  test("of one: nothing to multiply", () => {
    expect(costs([4, 5])).toEqual({ grid: 0, gather: 3 * 2 * 10 });
  });

  test("of three: the outermost product is of the samples' entries alone", () => {
    // W1 (W2 W3): 3 · 2·2·8 below, and the inner side has 2 columns.
    expect(costs([8, 2, 2, 8], { batchSize: 1 })).toMatchObject({
      gather: 3 * 2 * 2 * 8 + 2 * 3 * 2 * 8 + 3 * 2 * 1 * 2,
    });
  });

  test("that are sensed: the product, and every measurement of it twice", () => {
    expect(costs([4, 3, 5], { task: "sensing" })).toEqual({ grid: 180 + 2 * 10 * 20 });
  });

  test("are ranked by their cost", () => {
    const [first] = rankMatrixPlans({
      spec: { kind: "mf", sizes: [50, 3, 50] },
      task: "completion",
      batchSize: 5,
      duplicates: false,
    });
    expect(first.form).toBe("gather");
  });
});
