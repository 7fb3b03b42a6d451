import { allTuples, distinctTuples, hashTableSize, invertIndex } from "./distinct-rows.ts";
import type { FactorTree } from "./factor-tree.ts";

/**
 * An elementwise product of pooled nodes and its rows: the input of a matrix of the next layer, or a
 * side of the root.
 *
 * The value of a subtree depends only on the indices of its own modes, so a node is evaluated once
 * for each *distinct* combination of them that occurs ("row"), never once per sample.
 */
export interface TreeProduct {
  readonly name: string;
  /** Layer of the children. */
  readonly layer: number;
  /** Positions of the children in that layer. */
  readonly children: readonly number[];
  /** Columns: the width of that layer. */
  readonly width: number;
  /** Rows in use. */
  count: number;
  /** `index[c][row]`: the row of child c that takes part in `row`. */
  index: Int32Array[];
  /** Inverse of `index`: rows `list[c][start[c][q] … start[c][q + 1] - 1]` use row q of child c. */
  start: Int32Array[];
  list: Int32Array[];
  /** Row of each sample of the last `assignObserved`. */
  rowOf: Int32Array;
  /** The children's `rowOf`. */
  readonly columns: Int32Array[];
}

/** Which rows every node of a tree has, and how samples map to them. */
export interface TreeRows {
  /** Bottom-up; the two sides of the root last, left then right. */
  readonly products: readonly TreeProduct[];
  readonly left: TreeProduct;
  readonly right: TreeProduct;
  /** The product that matrix `position` of `layer` ≥ 1 is applied to. */
  inputOf(layer: number, position: number): TreeProduct;
  /** Rows of the input, and so of the output, of matrix `position` of `layer`. */
  countOf(layer: number, position: number): number;
  /** Rows become the distinct index combinations of the first `samples` of `batch` (default: of all). */
  assignObserved(indices: Int32Array, samples: number, batch?: Int32Array): void;
  /** Rows become all index combinations, in row-major order of the children. */
  assignAll(): void;
  /** Sets the counts that `assignAll` would, without the rows: for planning. */
  countAll(): void;
}

/**
 * Prepares the row assignment of a tree whose root is split into the sides `left` and `right`. Arrays
 * grow to what an assignment needs, so that later ones of at most as many samples allocate nothing.
 */
export function layOutRows(
  tree: FactorTree,
  left: readonly number[],
  right: readonly number[],
): TreeRows {
  const inputs = tree.layers.map((layer, l) =>
    l === 0
      ? []
      : layer.map((matrix, i) =>
          emptyProduct(matrix.name, l - 1, tree.groups[l - 1][i], matrix.rows),
        ),
  );
  const last = tree.layers.length - 1;
  const width = tree.layers[last][0].cols;
  const sides = [
    emptyProduct("left", last, left, width),
    emptyProduct("right", last, right, width),
  ] as const;
  const products = [...inputs.flat(), ...sides];
  const modeColumns = tree.modeSizes.map((): Int32Array => new Int32Array(0));
  let table: Int32Array = new Int32Array(0);

  const countOf = (layer: number, position: number): number =>
    layer === 0 ? tree.modeSizes[position] : inputs[layer][position].count;
  const rowOf = (layer: number, position: number): Int32Array =>
    layer === 0 ? modeColumns[position] : inputs[layer][position].rowOf;

  return {
    products,
    left: sides[0],
    right: sides[1],
    inputOf: (layer, position) => inputs[layer][position],
    countOf,
    assignObserved(indices, samples, batch) {
      splitModes(indices, samples, batch, modeColumns);
      table = grown(table, hashTableSize(samples));
      for (const product of products) {
        const { layer, children } = product;
        growIndex(product, samples);
        product.rowOf = grown(product.rowOf, samples);
        for (let c = 0; c < children.length; c++) product.columns[c] = rowOf(layer, children[c]);
        if (children.length === 1) passThrough(product, samples);
        else numberRows(product, samples, table);
        finishRows(product, countOf);
      }
    },
    countAll() {
      for (const product of products)
        product.count = product.children.reduce(
          (all, child) => all * countOf(product.layer, child),
          1,
        );
    },
    assignAll() {
      for (const product of products) {
        const sizes = product.children.map((child) => countOf(product.layer, child));
        growIndex(
          product,
          sizes.reduce((all, size) => all * size, 1),
        );
        product.count = allTuples(sizes, product.index);
        finishRows(product, countOf);
      }
    },
  };
}

function emptyProduct(
  name: string,
  layer: number,
  children: readonly number[],
  width: number,
): TreeProduct {
  const none = (): Int32Array[] => children.map(() => new Int32Array(0));
  return {
    name,
    layer,
    children,
    width,
    count: 0,
    index: none(),
    start: none(),
    list: none(),
    rowOf: new Int32Array(0),
    columns: none(),
  };
}

/** Columns of the (samples × order) index matrix, one for each mode. */
function splitModes(
  indices: Int32Array,
  samples: number,
  batch: Int32Array | undefined,
  columns: Int32Array[],
): void {
  const order = columns.length;
  for (let mode = 0; mode < order; mode++) {
    const column = (columns[mode] = grown(columns[mode], samples));
    for (let s = 0; s < samples; s++)
      column[s] = indices[(batch === undefined ? s : batch[s]) * order + mode];
  }
}

/** A single child passes through: its rows are the product's rows. */
function passThrough({ rowOf, columns }: TreeProduct, samples: number): void {
  for (let s = 0; s < samples; s++) rowOf[s] = columns[0][s];
}

/** Every distinct combination of the children's rows becomes a row. */
function numberRows(product: TreeProduct, samples: number, table: Int32Array): void {
  const { columns, index, rowOf } = product;
  product.count = distinctTuples(columns, samples, index, rowOf, table);
}

function finishRows(
  product: TreeProduct,
  countOf: (layer: number, position: number) => number,
): void {
  const { layer, children } = product;
  if (children.length === 1) {
    product.count = countOf(layer, children[0]);
    return;
  }
  for (let c = 0; c < children.length; c++) {
    const size = countOf(layer, children[c]);
    product.start[c] = grown(product.start[c], size + 1);
    product.list[c] = grown(product.list[c], product.count);
    invertIndex(product.index[c], product.count, size, product.start[c], product.list[c]);
  }
}

function growIndex(product: TreeProduct, count: number): void {
  if (product.children.length === 1) return;
  for (let c = 0; c < product.children.length; c++)
    product.index[c] = grown(product.index[c], count);
}

function grown(array: Int32Array, length: number): Int32Array {
  return array.length >= length ? array : new Int32Array(length);
}
