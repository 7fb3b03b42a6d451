import { createModeTree, type ModeTree } from "../mode-tree/mode-tree.ts";
import type {
  CpSpec,
  FactorizationSpec,
  HierarchicalSpec,
  MatrixSpec,
  ParameterLayout,
} from "./types.ts";

type Shape = Omit<ParameterLayout, "offset">;

/**
 * The parameter matrices in order, one after another in the flat vector.
 * - MF: `layers.0` … (W_1 … W_L).
 * - CP: `factors.0` … (mode size × components), then `output_weights` (components × 1) if any.
 * - HT: layer by layer, node by node, `layers.0.factors.0` … (fan-in × width), then
 *   `output_weights` (last width × 1) if any.
 */
export function parameterLayout(spec: FactorizationSpec): readonly ParameterLayout[] {
  let offset = 0;
  return shapes(spec).map((shape) => {
    const placed = { ...shape, offset };
    offset += shape.rows * shape.cols;
    return placed;
  });
}

/** The length of the flat vector. */
export function parameterCount(layout: readonly ParameterLayout[]): number {
  return layout.reduce((count, { rows, cols }) => count + rows * cols, 0);
}

function shapes(spec: FactorizationSpec): Shape[] {
  switch (spec.kind) {
    case "mf":
      return matrixShapes(spec);
    case "cp":
      return cpShapes(spec);
    case "ht":
      return hierarchicalShapes(spec);
  }
}

function matrixShapes({ sizes }: MatrixSpec): Shape[] {
  return sizes.slice(1).map((cols, l) => ({ name: `layers.${l}`, rows: sizes[l], cols }));
}

function cpShapes({ modeSizes, components, outputWeights }: CpSpec): Shape[] {
  const factors = modeSizes.map((rows, n) => ({ name: `factors.${n}`, rows, cols: components }));
  return outputWeights ? [...factors, outputShape(components)] : factors;
}

function hierarchicalShapes(spec: HierarchicalSpec): Shape[] {
  const factors = modeTreeOf(spec).layers.flatMap((layer, l) =>
    layer.nodes.map((_, node) => ({
      name: `layers.${l}.factors.${node}`,
      rows: l === 0 ? spec.modeSizes[node] : spec.widths[l - 1],
      cols: spec.widths[l],
    })),
  );
  return spec.outputWeights ? [...factors, outputShape(spec.widths.at(-1)!)] : factors;
}

function outputShape(rows: number): Shape {
  return { name: "output_weights", rows, cols: 1 };
}

/** The mode tree of a hierarchical factorization; a CP factorization merges all modes at once. */
export function modeTreeOf(spec: HierarchicalSpec | CpSpec): ModeTree {
  const order = spec.modeSizes.length;
  return spec.kind === "cp"
    ? createModeTree(order, [order], "checkerboard")
    : createModeTree(order, spec.poolSizes, spec.poolPattern);
}
