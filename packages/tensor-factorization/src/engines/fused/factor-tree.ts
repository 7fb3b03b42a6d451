import { modeTreeOf, parameterLayout } from "../../model/parameter-layout.ts";
import type { CpSpec, HierarchicalSpec, ParameterLayout } from "../../model/types.ts";

/**
 * A CP or hierarchical factorization as a tree of matrices: a CP factorization is the hierarchical one
 * with a single layer whose nodes all meet at the root.
 */
export interface FactorTree {
  readonly modeSizes: readonly number[];
  /** `layers[l][i]` is W_{l,i}, fan-in × width, as it lies in the flat parameter vector. */
  readonly layers: readonly (readonly ParameterLayout[])[];
  /** `groups[l][j]`: nodes of layer l whose product is input j of layer l + 1 (of the root, for the last). */
  readonly groups: readonly (readonly (readonly number[])[])[];
  /** All modes in the order in which the root's children hold them. */
  readonly modesOf: (layer: number, position: number) => readonly number[];
  /** The weights o of the root's sum; undefined: all ones. */
  readonly outputWeights: ParameterLayout | undefined;
}

export function factorTree(spec: CpSpec | HierarchicalSpec): FactorTree {
  const modeTree = modeTreeOf(spec);
  const layout = parameterLayout(spec);
  let next = 0;
  const layers = modeTree.layers.map(({ nodes }) => nodes.map(() => layout[next++]));
  return {
    modeSizes: spec.modeSizes,
    layers,
    groups: modeTree.layers.map(({ groups }) => groups),
    modesOf: (layer, position) => modeTree.layers[layer].nodes[position],
    outputWeights: spec.outputWeights ? layout[next] : undefined,
  };
}
