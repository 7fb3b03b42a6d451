import { createRandom } from "@implicit-rank/random";
import {
  createFactorization,
  fullTensor,
  hierarchicalSpec,
  initializeNormal,
  matricization,
  matrixRank,
  modeTreeOf,
  singularValues,
} from "@implicit-rank/tensor-factorization";
import { colors, line, picture, text } from "./svg.ts";
import { drawTree, placeTree, type PlacedNode } from "./tree-layout.ts";

const spec = hierarchicalSpec({
  modeSizes: Array.from({ length: 8 }, () => 2),
  widths: [3, 3, 3],
});

/** How many edges of the tree join two sets of modes, and the rank that a random tensor then has. */
export function cuts(): string {
  return picture(
    { width: 540, height: 680 },
    {
      title: "Splits of eight pixels, and the edges of the tree between their sides",
      description:
        "The left half and the right half are joined by one edge, and the rank is 3. Even and odd pixels are joined by four edges, and the rank is 16, the highest possible.",
    },
    split(24, "left half | right half", [0, 1, 2, 3]),
    split(356, "even pixels | odd pixels", [0, 2, 4, 6]),
  );
}

function split(top: number, caption: string, modes: readonly number[]): string {
  const root = placeTree(modeTreeOf(spec), { left: 20, width: 500, top: top + 68, row: 66 });
  const sides = chooseSides(root, modes);
  const crossed = edgesOf(root).filter(([a, b]) => sides.get(a) !== sides.get(b));
  const paint = (node: PlacedNode): string => (sides.get(node) ? colors.blue : colors.orange);
  const count = crossed.length === 1 ? "1 edge" : `${crossed.length} edges`;
  return [
    text(20, top + 8, caption, { "font-weight": 600 }),
    text(20, top + 28, `${count} between them: rank ${rankOf(modes)} of at most 16`, {
      fill: colors.muted,
    }),
    drawTree(root, { paint, names: false }),
    ...crossed.map(scissors),
  ].join("\n");
}

/** The rank of the matricization of a factorization with random parameters, width 3 everywhere. */
function rankOf(modes: readonly number[]): number {
  const factorization = createFactorization(
    spec,
    new Float64Array(createFactorization(spec).values.length),
  );
  initializeNormal(factorization, createRandom(1), { std: 1 });
  const matrix = matricization(fullTensor(factorization), modes);
  const [rows, cols] = matrix.shape as [number, number];
  return matrixRank(singularValues(matrix), rows, cols);
}

function edgesOf(node: PlacedNode): readonly (readonly [PlacedNode, PlacedNode])[] {
  return node.children.flatMap((child) => [[node, child] as const, ...edgesOf(child)]);
}

/** Puts every node on one of the two sides so that as few edges as possible lie between them. */
function chooseSides(root: PlacedNode, modes: readonly number[]): Map<PlacedNode, boolean> {
  const cost = (node: PlacedNode, side: boolean): number => {
    if (node.layer === 0) return modes.includes(node.node) === side ? 0 : Infinity;
    return node.children.reduce(
      (sum, child) => sum + Math.min(cost(child, side), cost(child, !side) + 1),
      0,
    );
  };
  const sides = new Map<PlacedNode, boolean>();
  const settle = (node: PlacedNode, side: boolean): void => {
    sides.set(node, side);
    for (const child of node.children)
      settle(child, cost(child, side) <= cost(child, !side) + 1 ? side : !side);
  };
  settle(root, cost(root, true) <= cost(root, false));
  return sides;
}

/** Two strokes across the middle of an edge. */
function scissors([a, b]: readonly [PlacedNode, PlacedNode]): string {
  const [x, y] = [(a.x + b.x) / 2, (a.y + b.y) / 2];
  const length = Math.hypot(b.x - a.x, b.y - a.y);
  const [dx, dy] = [(-(b.y - a.y) / length) * 11, ((b.x - a.x) / length) * 11];
  return line([x - dx, y - dy], [x + dx, y + dy], { stroke: colors.ink, "stroke-width": 3.5 });
}
