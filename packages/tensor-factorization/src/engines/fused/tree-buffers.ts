import type { KernelRuntime } from "@implicit-rank/simd-backend";
import { type Arena, reserveFloats, reserveInts } from "./arena.ts";
import type { FactorTree } from "./factor-tree.ts";
import type { TreePlan } from "./tree-plan.ts";
import type { TreeProduct, TreeRows } from "./tree-rows.ts";

/** A matrix of rows in kernel memory and, where it is trained, its gradient. */
export interface RowBuffer {
  readonly value: number;
  /** 0 where no gradient is computed. */
  readonly gradient: number;
}

/** Index lists of a product in kernel memory, one pointer for each child. */
export interface IndexBuffers {
  readonly index: readonly number[];
  readonly start: readonly number[];
  readonly list: readonly number[];
}

/** Partial products of many children, rows × width each. */
export interface ChainBuffers {
  /** `prefixes[c - 1]` is the product of children 0 … c, for c = 1 … children - 2. */
  readonly prefixes: readonly number[];
  /** The upstream gradient times the last children, in turns. */
  readonly suffixes: readonly [number, number];
}

/** Everything that a tree's program reads and writes, as pointers into kernel memory. */
export interface TreeBuffers {
  /** `outputs[l][i]`: h_{l,i}, rows × width. */
  readonly outputs: readonly (readonly RowBuffer[])[];
  readonly products: ReadonlyMap<TreeProduct, RowBuffer>;
  readonly indices: ReadonlyMap<TreeProduct, IndexBuffers>;
  /** For products of many children, which are multiplied one after another. */
  readonly chains: ReadonlyMap<TreeProduct, ChainBuffers>;
  /** Sample rows: one buffer of (batch × mode size) inputs for each mode. */
  readonly leaves: readonly number[];
  /** The right side times the output weights. */
  readonly weighted: RowBuffer;
  /** The right side multiplied through the left matrix. */
  readonly passed: RowBuffer;
}

export interface TreeLayout {
  readonly tree: FactorTree;
  readonly plan: TreePlan;
  readonly rows: TreeRows;
  /** Rows of every node where rows are samples. */
  readonly capacity: number;
  readonly trained: boolean;
  /** Pointers to the flat parameter vector and to its gradient. */
  readonly values: number;
  readonly gradient: number;
}

/**
 * Up to so many children are multiplied at once. The gradient for each child is then computed from all
 * the others, which takes children² products; with more, prefixes and suffixes take 3 · children.
 */
const maxFactors = 3;

/** The position of the left side's matrix, when the right side is multiplied through it. */
export function passedMatrix(plan: TreePlan): number | undefined {
  return plan.through ? plan.left[0] : undefined;
}

/** Bytes from the start of the parameter vector to a matrix in it. */
export function byteOffset(matrix: { readonly offset: number }): number {
  return 4 * matrix.offset;
}

/** Reserves the buffers of a tree's program. */
export function reserveTree(arena: Arena, layout: TreeLayout): TreeBuffers {
  const { tree, plan, rows, capacity, trained } = layout;
  const bySamples = plan.rowKind === "samples";
  const reserveRows = (label: string, count: number, width: number): RowBuffer => ({
    value: reserveFloats(arena, label, count * width),
    gradient: trained ? reserveFloats(arena, `gradient of ${label}`, count * width) : 0,
  });

  const outputs: RowBuffer[][] = tree.layers.map(() => []);
  const products = new Map<TreeProduct, RowBuffer>();
  const indices = new Map<TreeProduct, IndexBuffers>();
  const chains = new Map<TreeProduct, ChainBuffers>();

  const reserveProduct = (product: TreeProduct): void => {
    const { layer, children, width } = product;
    if (children.length === 1) {
      products.set(product, outputs[layer][children[0]]);
      return;
    }
    const count = bySamples ? capacity : product.count;
    products.set(product, reserveRows(`product ${product.name}`, count, width));
    if (children.length > maxFactors)
      chains.set(product, reserveChain(arena, product, count, trained));
    if (!bySamples) indices.set(product, reserveIndices(arena, product, rows, trained));
  };

  tree.layers.forEach((layer, l) => {
    layer.forEach((matrix, i) => {
      if (l > 0) reserveProduct(rows.inputOf(l, i));
      if (l === 0 && !bySamples)
        outputs[l][i] = {
          value: layout.values + byteOffset(matrix),
          gradient: trained ? layout.gradient + byteOffset(matrix) : 0,
        };
      else if (l === tree.layers.length - 1 && i === passedMatrix(plan))
        outputs[l][i] = { value: 0, gradient: 0 };
      else
        outputs[l][i] = reserveRows(
          matrix.name,
          bySamples ? capacity : rows.countOf(l, i),
          matrix.cols,
        );
    });
  });
  reserveProduct(rows.left);
  reserveProduct(rows.right);

  const rightCount = bySamples ? capacity : rows.right.count;
  const right = products.get(rows.right)!;
  const weighted =
    tree.outputWeights === undefined
      ? right
      : reserveRows("weighted right side", rightCount, rows.right.width);
  const passed = passedMatrix(plan);
  return {
    outputs,
    products,
    indices,
    chains,
    leaves: bySamples
      ? tree.modeSizes.map((size, mode) =>
          reserveFloats(arena, `inputs of mode ${mode}`, capacity * size),
        )
      : [],
    weighted,
    passed:
      passed === undefined
        ? weighted
        : reserveRows("right side passed through", rightCount, tree.layers.at(-1)![passed].rows),
  };
}

/** Without gradients two prefixes in turns are enough. */
function reserveChain(
  arena: Arena,
  { children, width }: TreeProduct,
  count: number,
  trained: boolean,
): ChainBuffers {
  const reserve = (): number => reserveFloats(arena, "partial product", count * width);
  const inner = children.length - 2;
  if (trained)
    return {
      prefixes: Array.from({ length: inner }, reserve),
      suffixes: [reserve(), reserve()],
    };
  const turns = [reserve(), reserve()];
  return { prefixes: Array.from({ length: inner }, (_, c) => turns[c % 2]), suffixes: [0, 0] };
}

function reserveIndices(
  arena: Arena,
  product: TreeProduct,
  rows: TreeRows,
  trained: boolean,
): IndexBuffers {
  const { children, count, layer, name } = product;
  const label = `rows of ${name}`;
  return {
    index: children.map(() => reserveInts(arena, label, count)),
    start: trained
      ? children.map((child) => reserveInts(arena, label, rows.countOf(layer, child) + 1))
      : [],
    list: trained ? children.map(() => reserveInts(arena, label, count)) : [],
  };
}

/** Copies the samples' encodings of one mode (samples × mode size) out of samples × order × largest size. */
export function writeModeInputs(
  inputs: Float32Array,
  modeSizes: readonly number[],
  mode: number,
  out: Float32Array,
): void {
  const size = modeSizes[mode];
  const stride = Math.max(...modeSizes);
  const samples = out.length / size;
  for (let s = 0; s < samples; s++) {
    const start = (s * modeSizes.length + mode) * stride;
    out.set(inputs.subarray(start, start + size), s * size);
  }
}

/**
 * Prepares copying the index lists of all products to where the kernels read them; the returned
 * function does it for the current rows and allocates nothing.
 */
export function indexWriter(
  runtime: KernelRuntime,
  { rows, trained }: TreeLayout,
  buffers: TreeBuffers,
): () => void {
  const copies: (() => void)[] = [];
  for (const [product, pointers] of buffers.indices) {
    const capacity = product.count;
    product.children.forEach((child, c) => {
      const index = runtime.ints(pointers.index[c], capacity);
      copies.push(() => copyInts(product.index[c], index, product.count));
      if (!trained) return;
      const size = rows.countOf(product.layer, child) + 1;
      const start = runtime.ints(pointers.start[c], size);
      const list = runtime.ints(pointers.list[c], capacity);
      copies.push(() => {
        copyInts(product.start[c], start, rows.countOf(product.layer, child) + 1);
        copyInts(product.list[c], list, product.count);
      });
    });
  }
  return () => {
    for (const copy of copies) copy();
  };
}

/** `set` would need a subarray, which is an allocation. */
function copyInts(from: Int32Array, to: Int32Array, count: number): void {
  for (let i = 0; i < count; i++) to[i] = from[i];
}
