import { createModeTree } from "@implicit-rank/tensor-factorization";
import { colors, element, picture, text } from "./svg.ts";
import { drawTree, placeTree } from "./tree-layout.ts";

const cell = 22;

/** What belongs to the local component r of the group of nodes l 0 f 0 and l 0 f 1. */
export function localComponent(): string {
  const tree = placeTree(createModeTree(4, [2, 2], "checkerboard"), {
    left: 20,
    width: 500,
    top: 34,
    row: 72,
  });
  return picture(
    { width: 540, height: 470 },
    {
      title: "A local component",
      description:
        "At the node that joins modes 0 and 1, local component r is column r of the matrix of mode 0, column r of the matrix of mode 1 and row r of the matrix above. Its norm is the product of the three norms.",
    },
    drawTree(tree, {
      paint: ({ modes }) => (modes.every((mode) => mode < 2) ? colors.blue : undefined),
    }),
    ...matrix({ x: 40, y: 280, rows: 4, cols: 5, label: "W₀,₀", column: 2 }),
    ...matrix({ x: 200, y: 280, rows: 4, cols: 5, label: "W₀,₁", column: 2 }),
    ...matrix({ x: 360, y: 269, rows: 5, cols: 6, label: "W₁,₀", row: 2 }),
    text(165, 330, "×", { "font-size": 20 }),
    text(325, 330, "×", { "font-size": 20 }),
    text(95, 398, "column r", { fill: colors.orange, "text-anchor": "middle", "font-weight": 600 }),
    text(255, 398, "column r", {
      fill: colors.orange,
      "text-anchor": "middle",
      "font-weight": 600,
    }),
    text(426, 398, "row r", { fill: colors.orange, "text-anchor": "middle", "font-weight": 600 }),
    text(270, 440, "norm of local component r  =  ‖W₀,₀[:, r]‖ · ‖W₀,₁[:, r]‖ · ‖W₁,₀[r, :]‖", {
      "text-anchor": "middle",
      "font-size": 14,
    }),
  );
}

function matrix(options: {
  readonly x: number;
  readonly y: number;
  readonly rows: number;
  readonly cols: number;
  readonly label: string;
  readonly row?: number;
  readonly column?: number;
}): string[] {
  const { x, y, rows, cols, label, row, column } = options;
  const cells = Array.from({ length: rows * cols }, (_, i) => {
    const [r, c] = [Math.floor(i / cols), i % cols];
    return element("rect", {
      x: x + c * cell,
      y: y + r * cell,
      width: cell,
      height: cell,
      fill: r === row || c === column ? colors.orange : colors.card,
      stroke: colors.line,
    });
  });
  const middle = x + (cols * cell) / 2;
  return [...cells, text(middle, y - 12, label, { "text-anchor": "middle", "font-weight": 600 })];
}
