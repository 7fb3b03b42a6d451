import { createModeTree } from "@implicit-rank/tensor-factorization";
import { colors, element, line, picture, text } from "./svg.ts";
import { allNodes, placeTree, type PlacedNode } from "./tree-layout.ts";

const palette = [colors.blue, colors.orange, colors.green, colors.pink];
const tree = createModeTree(16, [4, 4], "checkerboard_sq");

/** An image of 4 × 4 pixels, the tree that merges it in square patches, and what a node splits. */
export function imagePatches(): string {
  const root = placeTree(tree, { left: 20, width: 500, top: 290, row: 90 });
  return picture(
    { width: 540, height: 560 },
    {
      title: "An image and its tree",
      description:
        "The sixteen pixels of an image are merged in four square patches, and the patches at the root. A node of the tree splits the image into its patch and everything else.",
    },
    text(20, 32, "16 pixels, 4 patches", { "font-weight": 600 }),
    ...image(40, 52, (mode) => patchColor(mode), true),
    text(300, 32, "what node l 1 f 1 splits", { "font-weight": 600 }),
    ...image(320, 52, (mode) => (patchOf(mode) === 1 ? colors.orange : colors.faint), true),
    text(20, 270, "the tree", { "font-weight": 600 }),
    ...edges(root),
    ...allNodes(root).map(drawNode),
    text(270, 514, "Everything that the patch and the rest of the image tell each other", {
      "text-anchor": "middle",
      "font-size": 14,
    }),
    text(270, 535, "passes through one edge: as many numbers as the rank at its node.", {
      "text-anchor": "middle",
      "font-size": 14,
    }),
  );
}

function patchOf(mode: number): number {
  return tree.layers[1]!.nodes.findIndex((modes) => modes.includes(mode));
}

function patchColor(mode: number): string {
  return palette[patchOf(mode)]!;
}

function image(
  left: number,
  top: number,
  paint: (mode: number) => string,
  numbered: boolean,
): string[] {
  const side = 42;
  return Array.from({ length: 16 }, (_, mode) => {
    const [x, y] = [left + (mode % 4) * side, top + Math.floor(mode / 4) * side];
    const square = element("rect", {
      x,
      y,
      width: side - 2,
      height: side - 2,
      fill: paint(mode),
      "fill-opacity": 0.3,
      stroke: paint(mode),
      "stroke-width": 1.5,
    });
    const label = numbered
      ? text(x + side / 2 - 1, y + side / 2 + 4, String(mode), { "text-anchor": "middle" })
      : "";
    return square + label;
  });
}

function edges(node: PlacedNode): string[] {
  return node.children.flatMap((child) => [
    node.layer === 2 && child.node === 1
      ? line([node.x, node.y], [child.x, child.y], { stroke: colors.ink, "stroke-width": 4 })
      : line([node.x, node.y], [child.x, child.y]),
    ...edges(child),
  ]);
}

function drawNode({ layer, node, modes, x, y }: PlacedNode): string {
  const color = layer === 2 ? colors.muted : patchColor(modes[0]!);
  const [width, height] = layer === 0 ? [27, 26] : [layer === 1 ? 84 : 70, 28];
  const box = element("rect", {
    x: x - width / 2,
    y: y - height / 2,
    width,
    height,
    rx: 5,
    fill: colors.card,
    stroke: color,
    "stroke-width": 2.5,
  });
  const label = layer === 0 ? String(node) : layer === 1 ? `l 1 f ${node}` : "root";
  return (
    box + text(x, y + 5, label, { "text-anchor": "middle", "font-size": layer === 0 ? 13 : 14 })
  );
}
