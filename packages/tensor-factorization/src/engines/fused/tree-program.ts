import type { Factor, OpHandle, ProgramBuilder } from "@implicit-rank/simd-backend";
import {
  byteOffset,
  type IndexBuffers,
  passedMatrix,
  type TreeBuffers,
  type TreeLayout,
} from "./tree-buffers.ts";
import type { GatherTarget, RootTarget } from "./root-target.ts";
import type { TreeProduct } from "./tree-rows.ts";

/** Where the root's values go. */
export type ForwardTarget = { readonly form: "grid"; readonly value: number } | GatherTarget;

/** A program being recorded for a tree. */
export interface TreeRecording {
  readonly program: ProgramBuilder;
  readonly layout: TreeLayout;
  readonly buffers: TreeBuffers;
  /** Samples of the current batch, where rows are samples or the root is gathered. */
  readonly batchCount: () => number;
  /** Set the sizes of the recorded operations to the current row counts. */
  readonly patches: (() => void)[];
}

/** Records the evaluation of all nodes and of the root's values. */
export function recordTreeForward(recording: TreeRecording, root: ForwardTarget): void {
  const { program, layout, buffers } = recording;
  const { tree, plan, rows } = layout;
  const last = tree.layers.length - 1;
  tree.layers.forEach((layer, l) => {
    layer.forEach((matrix, i) => {
      if (l > 0) recordProduct(recording, rows.inputOf(l, i));
      if (l === 0 && plan.rowKind !== "samples") return;
      if (l === last && i === passedMatrix(plan)) return;
      const input = l === 0 ? buffers.leaves[i] : buffers.products.get(rows.inputOf(l, i))!.value;
      const count = countOf(recording, l, i);
      const product = program.gemm({
        m: count(),
        n: matrix.cols,
        k: matrix.rows,
        a: input,
        lda: matrix.rows,
        b: layout.values + byteOffset(matrix),
        ldb: matrix.cols,
        c: buffers.outputs[l][i].value,
        ldc: matrix.cols,
      });
      patch(recording, product, "m", count);
    });
  });
  if (!plan.through) recordProduct(recording, rows.left);
  recordProduct(recording, rows.right);
  recordWeightedSide(recording);
  recordRootValues(recording, root);
}

/** out[r, :] = Π_c h_c[index_c[r], :]; a single child passes through without work. */
function recordProduct(recording: TreeRecording, product: TreeProduct): void {
  const { buffers } = recording;
  if (product.children.length === 1) return;
  const out = buffers.products.get(product)!.value;
  const factors = factorsOf(recording, product);
  const chain = buffers.chains.get(product);
  if (chain === undefined) {
    recordGather(recording, product, out, factors);
    return;
  }
  let prefix = factors[0];
  for (let c = 1; c < factors.length; c++) {
    const values = c === factors.length - 1 ? out : chain.prefixes[c - 1];
    recordGather(recording, product, values, [prefix, factors[c]]);
    prefix = { values };
  }
}

/** The children's values, by the product's rows. */
function factorsOf({ buffers }: TreeRecording, product: TreeProduct): readonly Factor[] {
  const indices = buffers.indices.get(product);
  return product.children.map((child, c) => ({
    values: buffers.outputs[product.layer][child].value,
    ...(indices && { index: indices.index[c] }),
  }));
}

/** A product over the product's own rows. */
function recordGather(
  recording: TreeRecording,
  product: TreeProduct,
  out: number,
  factors: readonly Factor[],
): void {
  const count = productCount(recording, product);
  const { width } = product;
  const gather = recording.program.gatherProduct({ out, rows: count(), width, factors });
  patch(recording, gather, "rows", count);
}

/** right · diag(o), and on through the left side's matrix: (right · diag(o)) · Wᵀ. */
function recordWeightedSide(recording: TreeRecording): void {
  const { program, layout, buffers } = recording;
  const { tree, rows, plan } = layout;
  const count = productCount(recording, rows.right);
  const right = buffers.products.get(rows.right)!;
  if (tree.outputWeights !== undefined) {
    const scaled = program.scaleColumns({
      out: buffers.weighted.value,
      in: right.value,
      rows: count(),
      width: rows.right.width,
      scale: layout.values + byteOffset(tree.outputWeights),
    });
    patch(recording, scaled, "rows", count);
  }
  const passed = passedMatrix(plan);
  if (passed === undefined) return;
  const matrix = tree.layers.at(-1)![passed];
  const through = program.gemm({
    transposeB: true,
    m: count(),
    n: matrix.rows,
    k: matrix.cols,
    a: buffers.weighted.value,
    lda: matrix.cols,
    b: layout.values + byteOffset(matrix),
    ldb: matrix.cols,
    c: buffers.passed.value,
    ldc: matrix.rows,
  });
  patch(recording, through, "m", count);
}

/** T = left · rightᵀ on the grid, or its entries at the samples. */
function recordRootValues(recording: TreeRecording, root: ForwardTarget): void {
  const { program, layout, buffers, batchCount } = recording;
  const left = leftForm(recording);
  if (root.form === "grid") {
    program.gemm({
      transposeB: true,
      m: left.count(),
      n: layout.rows.right.count,
      k: left.width,
      a: left.value,
      lda: left.width,
      b: buffers.passed.value,
      ldb: left.width,
      c: root.value,
      ldc: layout.rows.right.count,
    });
    return;
  }
  const values = program.sampledDot({
    out: root.value,
    count: batchCount(),
    width: left.width,
    left: left.value,
    right: buffers.passed.value,
    ...(root.leftRow !== undefined && { leftIndex: root.leftRow }),
    ...(root.rightRow !== undefined && { rightIndex: root.rightRow }),
  });
  patch(recording, values, "count", batchCount);
}

/** The left factor of the root's bilinear form: the left side, or the input of its matrix. */
function leftForm(recording: TreeRecording): {
  value: number;
  gradient: number;
  width: number;
  count: () => number;
} {
  const { layout, buffers } = recording;
  const { tree, rows, plan } = layout;
  const passed = passedMatrix(plan);
  const product = passed === undefined ? rows.left : rows.inputOf(tree.layers.length - 1, passed);
  const buffer = buffers.products.get(product)!;
  return { ...buffer, width: product.width, count: productCount(recording, product) };
}

/** Records the gradients of all parameters from the gradient at the root. */
export function recordTreeBackward(recording: TreeRecording, root: RootTarget): void {
  const { layout } = recording;
  const { tree, plan, rows } = layout;
  recordRootGradients(recording, root);
  recordWeightedSideGradients(recording);
  recordProductGradients(recording, rows.right);
  if (!plan.through) recordProductGradients(recording, rows.left);
  for (let l = tree.layers.length - 1; l >= 0; l--)
    for (let i = 0; i < tree.layers[l].length; i++) {
      if (l > 0 || plan.rowKind === "samples") recordMatrixGradients(recording, l, i);
      if (l > 0) recordProductGradients(recording, rows.inputOf(l, i));
    }
}

/** dleft = E · right, dright = Eᵀ · left, with E dense or one value for each sample. */
function recordRootGradients(recording: TreeRecording, root: RootTarget): void {
  const { program, layout, buffers } = recording;
  const left = leftForm(recording);
  const right = buffers.passed;
  const rightCount = productCount(recording, layout.rows.right);
  if (root.form === "grid") {
    const entries = { a: root.gradient, lda: layout.rows.right.count };
    program.gemm({
      ...entries,
      m: left.count(),
      n: left.width,
      k: rightCount(),
      b: right.value,
      ldb: left.width,
      c: left.gradient,
      ldc: left.width,
    });
    program.gemm({
      ...entries,
      transposeA: true,
      m: rightCount(),
      n: left.width,
      k: left.count(),
      b: left.value,
      ldb: left.width,
      c: right.gradient,
      ldc: left.width,
    });
    return;
  }
  const shared = { width: left.width, scale: root.gradient };
  const toLeft = program.scatterScaled({
    ...shared,
    out: left.gradient,
    rows: left.count(),
    start: root.leftStart,
    values: right.value,
    ...(root.leftList !== undefined && { list: root.leftList }),
    ...(root.rightRow !== undefined && { index: root.rightRow }),
  });
  patch(recording, toLeft, "rows", left.count);
  const toRight = program.scatterScaled({
    ...shared,
    out: right.gradient,
    rows: rightCount(),
    start: root.rightStart,
    values: left.value,
    ...(root.rightList !== undefined && { list: root.rightList }),
    ...(root.leftRow !== undefined && { index: root.leftRow }),
  });
  patch(recording, toRight, "rows", rightCount);
}

/** Back through W (dW = dpassedᵀ · weighted, dweighted = dpassed · W) and through the output weights. */
function recordWeightedSideGradients(recording: TreeRecording): void {
  const { program, layout, buffers } = recording;
  const { tree, rows, plan } = layout;
  const count = productCount(recording, rows.right);
  const passed = passedMatrix(plan);
  if (passed !== undefined) {
    const matrix = tree.layers.at(-1)![passed];
    const toMatrix = program.gemm({
      transposeA: true,
      m: matrix.rows,
      n: matrix.cols,
      k: count(),
      a: buffers.passed.gradient,
      lda: matrix.rows,
      b: buffers.weighted.value,
      ldb: matrix.cols,
      c: layout.gradient + byteOffset(matrix),
      ldc: matrix.cols,
    });
    patch(recording, toMatrix, "k", count);
    const toSide = program.gemm({
      m: count(),
      n: matrix.cols,
      k: matrix.rows,
      a: buffers.passed.gradient,
      lda: matrix.rows,
      b: layout.values + byteOffset(matrix),
      ldb: matrix.cols,
      c: buffers.weighted.gradient,
      ldc: matrix.cols,
    });
    patch(recording, toSide, "m", count);
  }
  if (tree.outputWeights === undefined) return;
  const right = buffers.products.get(rows.right)!;
  const shared = { rows: count(), width: rows.right.width };
  const toWeights = program.columnDot({
    ...shared,
    out: layout.gradient + byteOffset(tree.outputWeights),
    a: buffers.weighted.gradient,
    b: right.value,
  });
  patch(recording, toWeights, "rows", count);
  const toSide = program.scaleColumns({
    ...shared,
    out: right.gradient,
    in: buffers.weighted.gradient,
    scale: layout.values + byteOffset(tree.outputWeights),
  });
  patch(recording, toSide, "rows", count);
}

/** dh_c[q, :] = Σ over the rows r that use q of dproduct[r, :] · Π_{others} h[index[r], :]. */
function recordProductGradients(recording: TreeRecording, product: TreeProduct): void {
  const { buffers } = recording;
  const { children } = product;
  if (children.length === 1) return;
  const upstream = buffers.products.get(product)!.gradient;
  const factors = factorsOf(recording, product);
  const chain = buffers.chains.get(product);
  if (chain === undefined) {
    for (let c = 0; c < children.length; c++)
      recordScatter(
        recording,
        product,
        c,
        upstream,
        factors.filter((_, other) => other !== c),
      );
    return;
  }
  let suffix = upstream;
  for (let c = children.length - 1; c > 0; c--) {
    const prefix = c === 1 ? factors[0] : { values: chain.prefixes[c - 2] };
    recordScatter(recording, product, c, suffix, [prefix]);
    const next = chain.suffixes[c % 2];
    recordGather(recording, product, next, [{ values: suffix }, factors[c]]);
    suffix = next;
  }
  recordScatter(recording, product, 0, suffix, []);
}

/** The gradient of child c: upstream · Π factors, summed over the rows that use a row of it. */
function recordScatter(
  recording: TreeRecording,
  product: TreeProduct,
  c: number,
  upstream: number,
  factors: readonly Factor[],
): void {
  const { program, buffers } = recording;
  const { layer, children, width } = product;
  const indices = buffers.indices.get(product);
  const count = countOf(recording, layer, children[c]);
  const shared = { out: buffers.outputs[layer][children[c]].gradient, rows: count(), width };
  const operation = indices
    ? program.scatterProduct({ ...shared, ...inverseLists(indices, c), upstream, factors })
    : program.gatherProduct({ ...shared, factors: [{ values: upstream }, ...factors] });
  patch(recording, operation, "rows", count);
}

function inverseLists(indices: IndexBuffers, child: number): { start: number; list: number } {
  return { start: indices.start[child], list: indices.list[child] };
}

/** dW = aᵀ · dh and, above the leaves, da = dh · Wᵀ. */
function recordMatrixGradients(recording: TreeRecording, l: number, i: number): void {
  const { program, layout, buffers } = recording;
  const { tree, rows, plan } = layout;
  if (l === tree.layers.length - 1 && i === passedMatrix(plan)) return;
  const matrix = tree.layers[l][i];
  const count = countOf(recording, l, i);
  const input = l === 0 ? undefined : buffers.products.get(rows.inputOf(l, i))!;
  const upstream = buffers.outputs[l][i].gradient;
  const toMatrix = program.gemm({
    transposeA: true,
    m: matrix.rows,
    n: matrix.cols,
    k: count(),
    a: input?.value ?? buffers.leaves[i],
    lda: matrix.rows,
    b: upstream,
    ldb: matrix.cols,
    c: layout.gradient + byteOffset(matrix),
    ldc: matrix.cols,
  });
  patch(recording, toMatrix, "k", count);
  if (input === undefined) return;
  const toInput = program.gemm({
    transposeB: true,
    m: count(),
    n: matrix.rows,
    k: matrix.cols,
    a: upstream,
    lda: matrix.cols,
    b: layout.values + byteOffset(matrix),
    ldb: matrix.cols,
    c: input.gradient,
    ldc: matrix.rows,
  });
  patch(recording, toInput, "m", count);
}

function productCount(recording: TreeRecording, product: TreeProduct): () => number {
  return recording.layout.plan.rowKind === "samples" ? recording.batchCount : () => product.count;
}

function countOf(recording: TreeRecording, layer: number, position: number): () => number {
  return recording.layout.plan.rowKind === "samples"
    ? recording.batchCount
    : () => recording.layout.rows.countOf(layer, position);
}

function patch(
  recording: TreeRecording,
  handle: OpHandle,
  field: string,
  size: () => number,
): void {
  recording.patches.push(() => handle.set(field, size()));
}
