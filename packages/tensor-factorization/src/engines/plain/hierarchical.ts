import {
  addScaledRow,
  dot,
  multiply,
  multiplyTransposedLeft,
  multiplyTransposedRight,
} from "../../linear-algebra/products.ts";
import { modeTreeOf } from "../../model/parameter-layout.ts";
import type {
  CpSpec,
  Factorization,
  HierarchicalSpec,
  ParameterLayout,
} from "../../model/types.ts";
import type { BoundModel, ModelInputs } from "./bound-model.ts";
import { layOutRows, type NodeRows } from "./hierarchical-rows.ts";

/** W_{l,i} and its place in the tree: output = input · W, row by row. */
interface LinearNode {
  readonly rows: NodeRows;
  readonly layout: ParameterLayout;
  readonly weight: Float64Array;
  readonly input: Float64Array;
  readonly output: Float64Array;
}

/** An elementwise product of pooled nodes' outputs: the input of the next layer, or of the root. */
interface Pooling {
  readonly rows: NodeRows;
  readonly children: readonly LinearNode[];
  readonly width: number;
  readonly product: Float64Array;
}

/** Where the gradients of a node go. */
interface NodeGradients {
  readonly weight: Float64Array;
  readonly output: Float64Array;
  /** Absent at the leaves, whose inputs are data. */
  readonly input: Float64Array | undefined;
}

interface PoolingGradients {
  readonly children: readonly NodeGradients[];
  readonly product: Float64Array;
}

/**
 * Hierarchical factorization: h_{l,i} = W_{l,i}ᵀ a_{l,i}, a_{l+1} = elementwise products of pooled
 * h_l, prediction ⟨a_H, o⟩. A CP factorization is the one whose single layer pools all modes, with
 * o = 1 unless it has output weights.
 */
export function bindHierarchical(
  factorization: Factorization & { readonly spec: CpSpec | HierarchicalSpec },
  inputs: ModelInputs,
): BoundModel {
  const { spec, layout, values } = factorization;
  const weights = new Float64Array(values.length);
  const rows = layOutRows(spec, inputs);
  const { layers, poolings } = layOutNodes(factorization, weights, rows.layers, rows.root, inputs);
  const depth = layers.length;
  const root = poolings[depth - 1][0];
  const output = outputWeights(factorization, weights);
  let positions = 0;

  return {
    select: (batch) => (positions = rows.select(batch)),

    forward(predictions) {
      weights.set(values);
      for (let l = 0; l < depth; l++) {
        for (let i = 0; i < layers[l].length; i++) {
          if (l === 0) readLeaf(layers[l][i], inputs, i, layers[l].length);
          if (l > 0 || inputs.task === "sensing") applyWeight(layers[l][i]);
        }
        for (const pooling of poolings[l]) pool(pooling);
      }
      for (let p = 0; p < positions; p++) {
        const row = root.rows.rowOfPosition[p];
        predictions[p] = dot(root.product, row * root.width, output, 0, root.width);
      }
    },

    differentiate(gradient) {
      const { ofNodes, ofPoolings } = layOutGradients(layers, poolings, gradient);
      const ofOutput = spec.outputWeights ? parameterPart(gradient, layout.at(-1)!) : undefined;
      const ofRoot = ofPoolings[depth - 1][0];
      const ofRootRows = new Float64Array(root.rows.capacity);
      const others = new Float64Array(Math.max(...poolings.flat().map(({ width }) => width)));

      return (predictionGradient) => {
        gradient.fill(0);
        gatherRootGradient(root.rows, predictionGradient, positions, ofRootRows);
        rootBackward(root, output, ofRootRows, ofRoot.product, ofOutput);
        for (let l = depth - 1; l >= 0; l--) {
          for (let i = 0; i < layers[l].length; i++) {
            ofNodes[l][i].output.fill(0, 0, layers[l][i].rows.count * layers[l][i].layout.cols);
          }
          for (let g = 0; g < poolings[l].length; g++) {
            poolBackward(poolings[l][g], ofPoolings[l][g], others);
          }
          for (let i = 0; i < layers[l].length; i++) {
            if (l === 0 && inputs.task === "completion") scatterLeaf(layers[l][i], ofNodes[l][i]);
            else weightBackward(layers[l][i], ofNodes[l][i]);
          }
        }
      };
    },
  };
}

function parameterPart(
  vector: Float64Array,
  { rows, cols, offset }: ParameterLayout,
): Float64Array {
  return vector.subarray(offset, offset + rows * cols);
}

function outputWeights(
  { spec, layout }: Factorization & { readonly spec: CpSpec | HierarchicalSpec },
  weights: Float64Array,
): Float64Array {
  const last = layout.at(-1)!;
  return spec.outputWeights ? parameterPart(weights, last) : new Float64Array(last.cols).fill(1);
}

function layOutNodes(
  { spec, layout }: Factorization & { readonly spec: CpSpec | HierarchicalSpec },
  weights: Float64Array,
  rowsOfLayers: readonly (readonly NodeRows[])[],
  rootRows: NodeRows,
  inputs: ModelInputs,
): { layers: LinearNode[][]; poolings: Pooling[][] } {
  const tree = modeTreeOf(spec);
  const layers: LinearNode[][] = [];
  const poolings: Pooling[][] = [];
  let next = 0;
  tree.layers.forEach((treeLayer, l) => {
    const layer = rowsOfLayers[l].map((rows, i) => {
      const place = layout[next++];
      const leafSize = inputs.task === "sensing" ? rows.capacity * place.rows : 0;
      return {
        rows,
        layout: place,
        weight: parameterPart(weights, place),
        input: poolings[l - 1]?.[i].product ?? new Float64Array(leafSize),
        output: new Float64Array(rows.capacity * place.cols),
      };
    });
    layers.push(layer);
    poolings.push(
      treeLayer.groups.map((group, g) =>
        pooling(
          rowsOfLayers[l + 1]?.[g] ?? rootRows,
          group.map((node) => layer[node]),
        ),
      ),
    );
  });
  return { layers, poolings };
}

function pooling(rows: NodeRows, children: readonly LinearNode[]): Pooling {
  const width = children[0].layout.cols;
  return { rows, children, width, product: new Float64Array(rows.capacity * width) };
}

function layOutGradients(
  layers: readonly (readonly LinearNode[])[],
  poolings: readonly (readonly Pooling[])[],
  gradient: Float64Array,
): { ofNodes: NodeGradients[][]; ofPoolings: PoolingGradients[][] } {
  const ofNodes: NodeGradients[][] = [];
  const ofPoolings: PoolingGradients[][] = [];
  layers.forEach((layer, l) => {
    const nodes = layer.map((node, i) => ({
      weight: parameterPart(gradient, node.layout),
      output: new Float64Array(node.output.length),
      input: ofPoolings[l - 1]?.[i].product,
    }));
    ofNodes.push(nodes);
    ofPoolings.push(
      poolings[l].map(({ children, product }) => ({
        children: children.map((child) => nodes[layer.indexOf(child)]),
        product: new Float64Array(product.length),
      })),
    );
  });
  return { ofNodes, ofPoolings };
}

/** Completion: a one-hot input picks a row of W. Sensing: the encodings of the batch's samples. */
function readLeaf(node: LinearNode, inputs: ModelInputs, mode: number, order: number): void {
  const { rows, layout, weight } = node;
  if (inputs.task === "completion") {
    for (let row = 0; row < rows.count; row++) {
      const start = rows.entryOfRow[row] * layout.cols;
      for (let c = 0; c < layout.cols; c++) node.output[row * layout.cols + c] = weight[start + c];
    }
    return;
  }
  const stride = inputs.inputs.length / (inputs.samples * order);
  for (let row = 0; row < rows.count; row++) {
    const start = (rows.entryOfRow[row] * order + mode) * stride;
    for (let i = 0; i < layout.rows; i++) {
      node.input[row * layout.rows + i] = inputs.inputs[start + i];
    }
  }
}

function applyWeight({ rows, layout, weight, input, output }: LinearNode): void {
  multiply(input, weight, output, rows.count, layout.rows, layout.cols);
}

/** product[row] = Π over children of their output at the row that belongs to `row`. */
function pool({ rows, children, width, product }: Pooling): void {
  for (let row = 0; row < rows.count; row++) {
    const at = row * width;
    const first = rows.childRows[0][row] * width;
    for (let c = 0; c < width; c++) product[at + c] = children[0].output[first + c];
    for (let child = 1; child < children.length; child++) {
      multiplyRow(children[child].output, rows.childRows[child][row] * width, product, at, width);
    }
  }
}

/** Each child's output gradient gains the product's gradient times the product of the others. */
function poolBackward(
  { rows, children, width }: Pooling,
  gradients: PoolingGradients,
  others: Float64Array,
): void {
  for (let row = 0; row < rows.count; row++) {
    for (let child = 0; child < children.length; child++) {
      for (let c = 0; c < width; c++) others[c] = gradients.product[row * width + c];
      for (let other = 0; other < children.length; other++) {
        if (other === child) continue;
        multiplyRow(children[other].output, rows.childRows[other][row] * width, others, 0, width);
      }
      const at = rows.childRows[child][row] * width;
      addScaledRow(1, others, 0, gradients.children[child].output, at, width);
    }
  }
}

function multiplyRow(
  x: Float64Array,
  from: number,
  out: Float64Array,
  at: number,
  length: number,
): void {
  for (let c = 0; c < length; c++) out[at + c] *= x[from + c];
}

/** Samples that share a root row (the same index tuple observed twice) add up. */
function gatherRootGradient(
  rows: NodeRows,
  predictionGradient: Float64Array,
  positions: number,
  rootGradient: Float64Array,
): void {
  rootGradient.fill(0);
  for (let p = 0; p < positions; p++) rootGradient[rows.rowOfPosition[p]] += predictionGradient[p];
}

function rootBackward(
  { rows, width, product }: Pooling,
  output: Float64Array,
  rootGradient: Float64Array,
  productGradient: Float64Array,
  outputGradient: Float64Array | undefined,
): void {
  for (let row = 0; row < rows.count; row++) {
    const at = row * width;
    for (let c = 0; c < width; c++) productGradient[at + c] = rootGradient[row] * output[c];
    if (outputGradient !== undefined) {
      addScaledRow(rootGradient[row], product, at, outputGradient, 0, width);
    }
  }
}

/** The gradient of W (inputᵀ · outputGradient) and, above the leaves, of its input. */
function weightBackward(
  { rows, layout, weight, input }: LinearNode,
  gradients: NodeGradients,
): void {
  const { rows: fanIn, cols } = layout;
  multiplyTransposedLeft(input, gradients.output, gradients.weight, rows.count, fanIn, cols);
  if (gradients.input !== undefined) {
    multiplyTransposedRight(gradients.output, weight, gradients.input, rows.count, fanIn, cols);
  }
}

/** A one-hot input sends the gradient to the row of W that it picked. */
function scatterLeaf({ rows, layout }: LinearNode, gradients: NodeGradients): void {
  for (let row = 0; row < rows.count; row++) {
    const at = rows.entryOfRow[row] * layout.cols;
    addScaledRow(1, gradients.output, row * layout.cols, gradients.weight, at, layout.cols);
  }
}
