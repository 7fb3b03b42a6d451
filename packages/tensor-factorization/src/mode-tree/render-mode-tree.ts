import type { ModeTree } from "./mode-tree.ts";

/**
 * The tree as text, root first: each line is a node with its modes, and below it the nodes that were
 * pooled into it. `l 0 f 2` is node 2 of layer 0, as in the metric names.
 */
export function renderModeTree(tree: ModeTree): string {
  const lines = [`root {${tree.root.join(", ")}}`];
  const depth = tree.layers.length;

  const describeChildren = (layerIndex: number, group: readonly number[], indent: string): void => {
    const layer = tree.layers[layerIndex];
    group.forEach((node, position) => {
      const last = position === group.length - 1;
      const modes = layer.nodes[node].join(", ");
      lines.push(`${indent}${last ? "└─" : "├─"} {${modes}}  l ${layerIndex} f ${node}`);
      if (layerIndex === 0) return;
      const below = tree.layers[layerIndex - 1].groups[node];
      describeChildren(layerIndex - 1, below, indent + (last ? "   " : "│  "));
    });
  };

  describeChildren(depth - 1, tree.layers[depth - 1].groups[0], "");
  return lines.join("\n");
}
