import { modeTreeOf } from "./parameter-layout.ts";
import type { FactorizationSpec } from "./types.ts";

/**
 * k such that multiplying all parameters by c multiplies the tensor by c^k. MF: depth. CP: order,
 * plus 1 with output weights. HT: every node's path adds 1 a layer, pooled nodes add up, plus 1 with
 * output weights.
 */
export function homogeneityDegree(spec: FactorizationSpec): number {
  if (spec.kind === "mf") return spec.sizes.length - 1;
  let degrees: readonly number[] = spec.modeSizes.map(() => 0);
  for (const layer of modeTreeOf(spec).layers) {
    const below = degrees;
    degrees = layer.groups.map((group) => group.reduce((sum, node) => sum + below[node] + 1, 0));
  }
  return degrees[0] + (spec.outputWeights ? 1 : 0);
}
