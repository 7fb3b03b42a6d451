import ndarray, { type NdArray } from "ndarray";
import { multiply, multiplyTransposedRight } from "../linear-algebra/products.ts";
import { modeTreeOf } from "../model/parameter-layout.ts";
import { modeSizesOf } from "../model/spec.ts";
import type { CpSpec, Factorization, HierarchicalSpec } from "../model/types.ts";

/**
 * The whole tensor (matrix for MF) that a factorization stands for, axes in mode order, row-major, in
 * double precision. Its entry at an index tuple is the prediction there.
 */
export function fullTensor(factorization: Factorization): NdArray<Float64Array> {
  return compileFullTensor(factorization)();
}

/**
 * Makes all arrays once and returns a function that contracts the present parameters; each call
 * writes the same array.
 */
export function compileFullTensor(factorization: Factorization): () => NdArray<Float64Array> {
  const { spec, values } = factorization;
  const weights = new Float64Array(values.length);
  const contract =
    spec.kind === "mf"
      ? contractChain(factorization, weights)
      : contractTree({ ...factorization, spec }, weights);
  return () => {
    weights.set(values);
    return contract();
  };
}

function contractChain(
  { spec, layout }: Factorization,
  weights: Float64Array,
): () => NdArray<Float64Array> {
  const rows = layout[0].rows;
  const layers = layout.map((l) => weights.subarray(l.offset, l.offset + l.rows * l.cols));
  const prefixes = layout.map((l, i) => (i === 0 ? layers[0] : new Float64Array(rows * l.cols)));
  const matrix = ndarray(prefixes[prefixes.length - 1], [...modeSizesOf(spec)]);
  return () => {
    for (let l = 1; l < layout.length; l++) {
      multiply(prefixes[l - 1], layers[l], prefixes[l], rows, layout[l].rows, layout[l].cols);
    }
    return matrix;
  };
}

/** A node's tensor: one row of `width` numbers for each index combination of its modes, tree order. */
interface NodeTensor {
  readonly rows: number;
  readonly width: number;
  readonly data: Float64Array;
}

/**
 * Contracts from the leaves. A pooled node is the row-wise Khatri-Rao product of its children times
 * its matrix. At the root all children but the last meet first, weighted by o, and the last is
 * multiplied through, so that the d^N × width matrix never exists.
 */
function contractTree(
  factorization: Factorization & { readonly spec: CpSpec | HierarchicalSpec },
  weights: Float64Array,
): () => NdArray<Float64Array> {
  const { spec, layout } = factorization;
  const tree = modeTreeOf(spec);
  const actions: (() => void)[] = [];
  let next = 0;
  let below: readonly NodeTensor[] = [];
  tree.layers.forEach((layer, l) => {
    const groups = tree.layers[l - 1]?.groups;
    below = layer.nodes.map((_, node) => {
      const { rows, cols, offset } = layout[next++];
      const weight = weights.subarray(offset, offset + rows * cols);
      if (groups === undefined) return { rows, width: cols, data: weight };
      const input = productOf(
        groups[node].map((child) => below[child]),
        actions,
      );
      const data = new Float64Array(input.rows * cols);
      actions.push(() => multiply(input.data, weight, data, input.rows, rows, cols));
      return { rows: input.rows, width: cols, data };
    });
  });
  const children = tree.layers[tree.layers.length - 1].groups[0].map((node) => below[node]);
  const output = outputRow(factorization, weights, children[0].width);
  const left = productOf([output, ...children.slice(0, -1)], actions);
  const right = children[children.length - 1];
  const treeOrdered = new Float64Array(left.rows * right.rows);
  actions.push(() =>
    multiplyTransposedRight(left.data, right.data, treeOrdered, left.rows, right.rows, right.width),
  );
  const tensor = ndarray(new Float64Array(treeOrdered.length), [...spec.modeSizes]);
  const offsets = modeOrderOffsets(spec.modeSizes, tree.root);
  return () => {
    for (const action of actions) action();
    for (let i = 0; i < offsets.length; i++) tensor.data[offsets[i]] = treeOrdered[i];
    return tensor;
  };
}

function outputRow(
  { spec, layout }: Factorization & { readonly spec: CpSpec | HierarchicalSpec },
  weights: Float64Array,
  width: number,
): NodeTensor {
  const data = spec.outputWeights
    ? weights.subarray(layout.at(-1)!.offset)
    : new Float64Array(width).fill(1);
  return { rows: 1, width, data };
}

/** The row-wise Khatri-Rao product, the last node's rows running fastest. */
function productOf(nodes: readonly NodeTensor[], actions: (() => void)[]): NodeTensor {
  return nodes.reduce((left, right) => {
    const { width } = left;
    const rows = left.rows * right.rows;
    const data = new Float64Array(rows * width);
    actions.push(() => multiplyRows(left, right, data));
    return { rows, width, data };
  });
}

function multiplyRows(left: NodeTensor, right: NodeTensor, out: Float64Array): void {
  const { width } = left;
  let at = 0;
  for (let i = 0; i < left.rows; i++) {
    for (let j = 0; j < right.rows; j++) {
      for (let c = 0; c < width; c++) {
        out[at + c] = left.data[i * width + c] * right.data[j * width + c];
      }
      at += width;
    }
  }
}

/** For each entry in tree order, its place in mode order. */
function modeOrderOffsets(modeSizes: readonly number[], treeModes: readonly number[]): Int32Array {
  const strides = ndarray(new Uint8Array(0), [...modeSizes]).stride;
  let offsets = Int32Array.of(0);
  for (const mode of treeModes) {
    const size = modeSizes[mode];
    const extended = new Int32Array(offsets.length * size);
    for (let i = 0; i < extended.length; i++) {
      extended[i] = offsets[Math.floor(i / size)] + (i % size) * strides[mode];
    }
    offsets = extended;
  }
  return offsets;
}
