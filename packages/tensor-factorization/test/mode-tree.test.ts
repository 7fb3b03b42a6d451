import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  createModeTree,
  hierarchicalSpec,
  internalNodes,
  modeTreeOf,
  numHiddenLayers,
  type PoolPattern,
  poolPatterns,
  poolPermutation,
  renderModeTree,
} from "../src/index.ts";
import { hierarchicalSpecs } from "./arbitraries.ts";

describe("pool patterns", () => {
  test.each<[PoolPattern, number, number, number[]]>([
    ["checkerboard", 5, 2, [0, 1, 2, 3, 4]],
    ["half", 4, 2, [0, 2, 1, 3]],
    ["half", 5, 2, [0, 3, 1, 4, 2]],
    ["half", 1, 2, [0]],
    ["checkerboard_sq", 4, 4, [0, 1, 2, 3]],
    ["checkerboard_sq", 16, 4, [0, 1, 4, 5, 2, 3, 6, 7, 8, 9, 12, 13, 10, 11, 14, 15]],
    // A 3×3 grid has one 2×2 patch; its last column, then its last row are left over.
    ["checkerboard_sq", 9, 4, [0, 1, 3, 4, 2, 5, 8, 6, 7]],
    // Nodes beyond the largest square go last.
    ["checkerboard_sq", 11, 4, [0, 1, 3, 4, 2, 5, 8, 6, 7, 9, 10]],
  ])("%s of %i nodes in groups of %i", (pattern, nodes, poolSize, expected) => {
    expect(poolPermutation(pattern, nodes, poolSize)).toEqual(expected);
  });

  test("are permutations for any number of nodes", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...poolPatterns),
        fc.integer({ min: 1, max: 60 }),
        fc.constantFrom(4, 9, 16),
        (pattern, nodes, poolSize) => {
          const sorted = poolPermutation(pattern, nodes, poolSize).toSorted((a, b) => a - b);
          expect(sorted).toEqual(Array.from({ length: nodes }, (_, i) => i));
        },
      ),
    );
  });
});

describe("the mode tree", () => {
  test("of order 5 in pairs leaves a remainder at two layers", () => {
    const tree = createModeTree(5, [2, 2, 2], "checkerboard");
    expect(tree.layers.map(({ nodes }) => nodes)).toEqual([
      [[0], [1], [2], [3], [4]],
      [[0, 1], [2, 3], [4]],
      [[0, 1, 2, 3], [4]],
    ]);
    expect(tree.layers.map(({ groups }) => groups)).toEqual([
      [[0, 1], [2, 3], [4]],
      [[0, 1], [2]],
      [[0, 1]],
    ]);
    expect(internalNodes(tree)).toEqual([[0], [1], [2], [3], [4], [0, 1], [2, 3], [0, 1, 2, 3]]);
  });

  test("of pattern half merges distant modes first and keeps tree order", () => {
    const tree = createModeTree(8, [2, 2, 2], "half");
    expect(tree.layers[1].nodes).toEqual([
      [0, 4],
      [1, 5],
      [2, 6],
      [3, 7],
    ]);
    expect(tree.root).toEqual([0, 4, 2, 6, 1, 5, 3, 7]);
  });

  test("partitions modes at every layer and nodes into groups, down to one root", () => {
    fc.assert(
      fc.property(hierarchicalSpecs, (spec) => {
        const order = spec.modeSizes.length;
        const sorted = (lists: readonly (readonly number[])[]): number[] =>
          lists.flat().toSorted((a, b) => a - b);
        const range = (length: number): number[] => Array.from({ length }, (_, i) => i);
        const tree = modeTreeOf(spec);
        tree.layers.forEach((layer, l) => {
          expect(sorted(layer.nodes)).toEqual(range(order));
          expect(sorted(layer.groups)).toEqual(range(layer.nodes.length));
          const above = tree.layers[l + 1]?.nodes ?? [tree.root];
          expect(layer.groups.map((group) => group.flatMap((node) => layer.nodes[node]))).toEqual(
            above,
          );
          for (const group of layer.groups.slice(0, -1)) expect(group.length).toBe(layer.poolSize);
        });
        expect(tree.root.length).toBe(order);
      }),
    );
  });

  test.each([
    [2, 2, 1],
    [3, 2, 2],
    [4, 2, 2],
    [5, 2, 3],
    [9, 3, 2],
    [10, 3, 3],
  ])("order %i in groups of %i has %i hidden layers", (order, poolSize, layers) => {
    expect(numHiddenLayers(order, poolSize)).toBe(layers);
  });

  test("is drawn with its root first", () => {
    const spec = hierarchicalSpec({ modeSizes: [2, 2, 2, 2], widths: [3, 3], poolPattern: "half" });
    expect(renderModeTree(modeTreeOf(spec))).toBe(
      [
        "root {0, 2, 1, 3}",
        "├─ {0, 2}  l 1 f 0",
        "│  ├─ {0}  l 0 f 0",
        "│  └─ {2}  l 0 f 2",
        "└─ {1, 3}  l 1 f 1",
        "   ├─ {1}  l 0 f 1",
        "   └─ {3}  l 0 f 3",
      ].join("\n"),
    );
  });
});
