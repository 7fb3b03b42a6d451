import { poolPermutation, type PoolPattern } from "./pool-pattern.ts";

/** One hidden layer of a hierarchical factorization: its nodes and how they are pooled. */
export interface ModeTreeLayer {
  /** The modes that each node holds, in tree order; node i of layer 0 holds mode i alone. */
  readonly nodes: readonly (readonly number[])[];
  readonly poolSize: number;
  /** Place → node: the order in which the nodes stand before pooling. */
  readonly permutation: readonly number[];
  /** The nodes that are pooled together; group g becomes node g of the next layer (or the root). */
  readonly groups: readonly (readonly number[])[];
}

/** How modes merge, layer by layer, from single modes to the root that holds all of them. */
export interface ModeTree {
  readonly order: number;
  readonly layers: readonly ModeTreeLayer[];
  /** All modes, in tree order: the axis order of a tensor that is contracted along the tree. */
  readonly root: readonly number[];
}

/**
 * The mode tree of `order` modes with one pool size a layer: N_0 = order, N_{l+1} = ⌈N_l / P_l⌉. The
 * last group of a layer holds what remains; a lone node passes through.
 *
 * Expects pool sizes that end at one node at the last layer (see `validateSpec`).
 */
export function createModeTree(
  order: number,
  poolSizes: readonly number[],
  pattern: PoolPattern,
): ModeTree {
  let nodes: readonly (readonly number[])[] = Array.from({ length: order }, (_, mode) => [mode]);
  const layers: ModeTreeLayer[] = [];
  for (const poolSize of poolSizes) {
    const permutation = poolPermutation(pattern, nodes.length, poolSize);
    const groups = consecutiveGroups(permutation, poolSize);
    layers.push({ nodes, poolSize, permutation, groups });
    const pooled = nodes;
    nodes = groups.map((group) => group.flatMap((node) => pooled[node]));
  }
  return { order, layers, root: nodes[0] };
}

function consecutiveGroups(permutation: readonly number[], poolSize: number): number[][] {
  const groups: number[][] = [];
  for (let start = 0; start < permutation.length; start += poolSize) {
    groups.push(permutation.slice(start, start + poolSize));
  }
  return groups;
}

/**
 * The number of nodes at the input of each layer and, last, after the last one: N_0 = order,
 * N_{l+1} = ⌈N_l / P_l⌉.
 */
export function nodeCounts(order: number, poolSizes: readonly number[]): number[] {
  const counts = [order];
  for (const poolSize of poolSizes) counts.push(Math.ceil(counts.at(-1)! / poolSize));
  return counts;
}

/** How often `order` nodes can be divided by `poolSize` ≥ 2 (rounding up) until one is left. */
export function numHiddenLayers(order: number, poolSize: number): number {
  let layers = 0;
  for (let nodes = order; nodes > 1; nodes = Math.ceil(nodes / poolSize)) layers += 1;
  return layers;
}

/**
 * The mode sets of all tree nodes but the root, leaves first, each once. Their matricizations have
 * the ranks that a hierarchical factorization keeps low.
 */
export function internalNodes(tree: ModeTree): readonly (readonly number[])[] {
  const distinct = new Map<string, readonly number[]>();
  for (const layer of tree.layers) {
    for (const node of layer.nodes) {
      if (node.length < tree.order) distinct.set(node.join("_"), node);
    }
  }
  return [...distinct.values()];
}
