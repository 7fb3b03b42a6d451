import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  chainCost,
  type ChainOrder,
  cheapestChainOrder,
} from "../src/engines/fused/chain-order.ts";
import { distinctTuples, hashTableSize, invertIndex } from "../src/engines/fused/distinct-rows.ts";
import { factorTree } from "../src/engines/fused/factor-tree.ts";
import { rankMatrixPlans } from "../src/engines/fused/matrix-plan.ts";
import { type PlanRequest, rankPlans, type TreePlan } from "../src/engines/fused/tree-plan.ts";
import { cpSpec, hierarchicalSpec } from "../src/index.ts";

/** Cost of the cheapest order by trying all of them. */
function bruteForce(sizes: readonly number[], first: number, last: number): number {
  if (first === last) return 0;
  const costs = Array.from({ length: last - first }, (_, i) => {
    const split = first + i;
    const inner = sizes[first] * sizes[split + 1] * sizes[last + 1];
    return bruteForce(sizes, first, split) + bruteForce(sizes, split + 1, last) + inner;
  });
  return Math.min(...costs);
}

function factorsOf(order: ChainOrder): number[] {
  return "factor" in order ? [order.factor] : [...factorsOf(order.left), ...factorsOf(order.right)];
}

describe("order of a matrix chain", () => {
  test("is the cheapest of all, and keeps the factors in their order", () => {
    const anySizes = fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 2, maxLength: 7 });
    fc.assert(
      fc.property(anySizes, (sizes) => {
        const order = cheapestChainOrder(sizes);
        expect(chainCost(order)).toBe(bruteForce(sizes, 0, sizes.length - 2));
        expect(factorsOf(order)).toEqual(Array.from({ length: sizes.length - 1 }, (_, l) => l));
      }),
    );
  });
});

/** All index tuples of the first `samples` positions, spread over the tensor. */
function request(
  tree: PlanRequest["tree"],
  samples: number,
  changes: Partial<PlanRequest> = {},
): PlanRequest {
  const sizes = tree.modeSizes;
  const entries = sizes.reduce((product, size) => product * size, 1);
  const indices = new Int32Array(samples * sizes.length);
  for (let s = 0; s < samples; s++) {
    let rest = Math.floor((s * entries) / samples);
    for (let mode = sizes.length - 1; mode >= 0; mode--) {
      indices[s * sizes.length + mode] = rest % sizes[mode];
      rest = Math.floor(rest / sizes[mode]);
    }
  }
  return {
    tree,
    task: "completion",
    indices,
    samples,
    batchSize: samples,
    duplicates: false,
    maxGridEntries: 2 ** 24,
    ...changes,
  };
}

const reference = factorTree(
  hierarchicalSpec({ modeSizes: [16, 16, 16], widths: [512, 512], poolSize: 2 }),
);

function cheapest(changed: PlanRequest): TreePlan {
  return rankPlans(changed)[0];
}

describe("plan of a tree", () => {
  test("the default hierarchical problem: narrow side through the wide one's matrix, on the grid", () => {
    const plan = cheapest(request(reference, 2048));
    expect(plan).toMatchObject({ form: "grid", left: [0], right: [1], through: true });
    // Nine products: six of 16 × 512 × 512 and three of 256 × 16 × 512, besides elementwise work.
    const products = 6 * 16 * 512 * 512 + 3 * 256 * 16 * 512;
    expect(plan.cost).toBeGreaterThan(products);
    expect(plan.cost).toBeLessThan(1.1 * products);
  });

  test("costs at least four times less than layer by layer", () => {
    const plans = rankPlans(request(reference, 2048));
    const layerByLayer = plans.find(({ through }) => !through)!;
    expect(layerByLayer.cost).toBeGreaterThan(4 * plans[0].cost);
  });

  test("few samples are gathered, many are computed on the grid", () => {
    const tree = factorTree(cpSpec({ modeSizes: [64, 64, 64], components: 64 }));
    expect(cheapest(request(tree, 300)).form).toBe("gather");
    const small = factorTree(cpSpec({ modeSizes: [16, 16, 16], components: 256 }));
    expect(cheapest(request(small, 4096)).form).toBe("grid");
  });

  test("small batches of many observations are gathered", () => {
    expect(cheapest(request(reference, 2048, { batchSize: 4 })).form).toBe("gather");
  });

  test("entries observed twice are never put on the grid", () => {
    const plans = rankPlans(request(reference, 2048, { duplicates: true }));
    expect(plans.every(({ form }) => form === "gather")).toBe(true);
  });

  test("sensing measures the full tensor where that is small, else goes sample by sample", () => {
    const sensing = { task: "sensing" } as const;
    expect(cheapest(request(reference, 2048, sensing)).measured).toBe(true);
    const none = request(reference, 2048, { ...sensing, maxGridEntries: 4095 });
    expect(rankPlans(none).every(({ rowKind }) => rowKind === "samples")).toBe(true);
    const large = factorTree(cpSpec({ modeSizes: [90, 90, 90], components: 4 }));
    expect(cheapest(request(large, 50, sensing)).rowKind).toBe("samples");
  });
});

describe("plan of a matrix", () => {
  const plan = (sizes: number[], batchSize: number, duplicates = false): string =>
    rankMatrixPlans({ spec: { kind: "mf", sizes }, task: "completion", batchSize, duplicates })[0]
      .form;

  test("dense at half of the entries, gathered at one in a hundred", () => {
    expect(plan([64, 64, 64, 64], 2048)).toBe("grid");
    expect(plan([1000, 20, 1000], 10_000)).toBe("gather");
  });

  test("gathered where entries are observed twice", () => {
    expect(plan([64, 64, 64, 64], 2048, true)).toBe("gather");
    expect(plan([8, 8], 3, true)).toBe("gather");
  });
});

describe("distinct rows", () => {
  const anyColumns = fc
    .record({
      order: fc.integer({ min: 1, max: 4 }),
      samples: fc.integer({ min: 0, max: 60 }),
      bound: fc.integer({ min: 1, max: 6 }),
    })
    .chain(({ order, samples, bound }) =>
      fc.array(fc.array(fc.nat({ max: bound }), { minLength: samples, maxLength: samples }), {
        minLength: order,
        maxLength: order,
      }),
    )
    .map((columns) => columns.map((column) => Int32Array.from(column)));

  test("every sample maps to a row with its tuple, and no tuple has two rows", () => {
    fc.assert(
      fc.property(anyColumns, (columns) => {
        const samples = columns[0].length;
        const index = columns.map(() => new Int32Array(samples));
        const rowOf = new Int32Array(samples);
        const table = new Int32Array(hashTableSize(samples));
        const count = distinctTuples(columns, samples, index, rowOf, table);
        const tuples = Array.from({ length: count }, (_, r) =>
          index.map((column) => column[r]).join(),
        );
        expect(new Set(tuples).size).toBe(count);
        for (let s = 0; s < samples; s++)
          expect(tuples[rowOf[s]]).toBe(columns.map((column) => column[s]).join());
      }),
    );
  });

  test("the inverse lists hold every position once, ascending, under its value", () => {
    fc.assert(
      fc.property(fc.array(fc.nat({ max: 7 })), (values) => {
        const start = new Int32Array(9);
        const list = new Int32Array(values.length);
        invertIndex(Int32Array.from(values), values.length, 8, start, list);
        const expected = Array.from({ length: 8 }, (_, q) =>
          values.flatMap((value, i) => (value === q ? [i] : [])),
        );
        const actual = expected.map((_, q) => [...list.subarray(start[q], start[q + 1])]);
        expect(actual).toEqual(expected);
      }),
    );
  });
});
