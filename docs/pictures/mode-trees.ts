import {
  createModeTree,
  numHiddenLayers,
  type PoolPattern,
} from "@implicit-rank/tensor-factorization";
import { colors, picture, text } from "./svg.ts";
import { drawTree, placeTree } from "./tree-layout.ts";

interface TreeRow {
  readonly caption: string;
  readonly order: number;
  readonly pattern: PoolPattern;
}

const row = 74;

/** Order 4, whose neighbors merge first or whose halves do. */
export function modeTreesOfOrderFour(): string {
  return stacked(
    "Mode trees of order 4",
    "With checkerboard, modes 0 and 1 merge, and 2 and 3; with half, 0 and 2, and 1 and 3.",
    [
      { caption: "checkerboard: neighbors merge first", order: 4, pattern: "checkerboard" },
      { caption: "half: distant modes merge first", order: 4, pattern: "half" },
    ],
  );
}

/** Order 5: a mode that is alone in its group passes through. */
export function modeTreeOfOrderFive(): string {
  return stacked(
    "Mode tree of order 5",
    "Modes 0 and 1 merge, and 2 and 3; mode 4 passes through two layers alone and joins at the root.",
    [{ caption: "order 5: mode 4 is alone, and joins last", order: 5, pattern: "checkerboard" }],
  );
}

/** Order 8, with both patterns. */
export function modeTreesOfOrderEight(): string {
  return stacked(
    "Mode trees of order 8",
    "With checkerboard the leaves stand in the order 0 to 7; with half in the order 0 4 2 6 1 5 3 7.",
    [
      { caption: "checkerboard", order: 8, pattern: "checkerboard" },
      { caption: "half", order: 8, pattern: "half" },
    ],
  );
}

function stacked(title: string, description: string, rows: readonly TreeRow[]): string {
  let top = 24;
  const body = rows.flatMap(({ caption, order, pattern }) => {
    const poolSizes = Array.from({ length: numHiddenLayers(order, 2) }, () => 2);
    const tree = createModeTree(order, poolSizes, pattern);
    const root = placeTree(tree, { left: 20, width: 500, top: top + 40, row });
    const heading = text(20, top + 8, caption, { "font-weight": 600 });
    top += 40 + poolSizes.length * row + 68;
    return [
      heading,
      drawTree(root, { paint: order % 2 === 0 ? halfColor(order) : () => undefined }),
    ];
  });
  return picture({ width: 540, height: top - 24 }, { title, description }, ...body);
}

/** Blue where all modes are of the first half, orange where all are of the second. */
function halfColor(order: number): (node: { modes: readonly number[] }) => string | undefined {
  return ({ modes }) => {
    const first = modes.filter((mode) => mode < order / 2).length;
    if (first === modes.length) return colors.blue;
    return first === 0 ? colors.orange : undefined;
  };
}
