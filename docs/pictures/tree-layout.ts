import type { ModeTree } from "@implicit-rank/tensor-factorization";
import { colors, element, line, text } from "./svg.ts";

/** A node of a mode tree and its place in a picture. The root is in the layer after the last. */
export interface PlacedNode {
  readonly layer: number;
  readonly node: number;
  readonly modes: readonly number[];
  readonly x: number;
  readonly y: number;
  readonly children: readonly PlacedNode[];
}

/** Root at the top, leaves side by side in tree order, a parent above the middle of its children. */
export function placeTree(
  tree: ModeTree,
  frame: {
    readonly left: number;
    readonly width: number;
    readonly top: number;
    readonly row: number;
  },
): PlacedNode {
  const { left, width, top, row } = frame;
  const column = width / tree.order;
  const depth = tree.layers.length;
  const place = (layer: number, node: number): PlacedNode => {
    const y = top + (depth - layer) * row;
    if (layer === 0) {
      const x = left + (tree.root.indexOf(node) + 0.5) * column;
      return { layer, node, modes: [node], x, y, children: [] };
    }
    const children = tree.layers[layer - 1]!.groups[node]!.map((child) => place(layer - 1, child));
    const x = (children[0]!.x + children.at(-1)!.x) / 2;
    return { layer, node, modes: children.flatMap(({ modes }) => modes), x, y, children };
  };
  return place(depth, 0);
}

/** All nodes, parents before children. */
export function allNodes(root: PlacedNode): readonly PlacedNode[] {
  return [root, ...root.children.flatMap(allNodes)];
}

/** Edges, and boxes with the modes of each node; `paint` gives the color of a box. */
export function drawTree(
  root: PlacedNode,
  options: {
    readonly paint?: (node: PlacedNode) => string | undefined;
    readonly names?: boolean;
  } = {},
): string {
  const nodes = allNodes(root);
  const edges = nodes.flatMap((node) =>
    node.children.map((child) => line([node.x, node.y], [child.x, child.y])),
  );
  const { paint = () => undefined, names = true } = options;
  const boxes = nodes.map((node) => drawNode(node, paint(node), names && node !== root));
  return [...edges, ...boxes].join("\n");
}

const boxHeight = 26;

function drawNode(node: PlacedNode, color: string | undefined, named: boolean): string {
  const { x, y, modes, layer } = node;
  const label = modes.join(" ");
  const width = Math.max(30, label.length * 8.5 + 14);
  const box = element("rect", {
    x: x - width / 2,
    y: y - boxHeight / 2,
    width,
    height: boxHeight,
    rx: 6,
    fill: colors.card,
    stroke: color ?? colors.muted,
    "stroke-width": color === undefined ? 1.5 : 2.5,
  });
  const style = { "font-size": 12, fill: colors.muted };
  const name =
    layer === 0
      ? text(x, y + boxHeight / 2 + 15, `l 0 f ${node.node}`, { ...style, "text-anchor": "middle" })
      : text(x + width / 2 + 5, y - 4, `l ${layer} f ${node.node}`, style);
  return box + text(x, y + 5, label, { "text-anchor": "middle" }) + (named ? name : "");
}
