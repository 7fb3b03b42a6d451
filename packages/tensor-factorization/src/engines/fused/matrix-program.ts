import type { KernelRuntime, ProgramBuilder } from "@implicit-rank/simd-backend";
import type { ParameterLayout } from "../../model/types.ts";
import { type Arena, reserveFloats } from "./arena.ts";
import type { ChainOrder } from "./chain-order.ts";
import {
  batchWriter,
  type FitPointers,
  type FitProgram,
  fitProgram,
  type FitRequest,
} from "./fit-program.ts";
import type { MatrixPlan } from "./matrix-plan.ts";
import {
  type GatherTarget,
  type GridTarget,
  invertRows,
  recordResidual,
  reserveGatherTarget,
  reserveGridTarget,
} from "./root-target.ts";

/** A part of the chain W_1 … W_L in kernel memory: its product and the gradient of that. */
interface ChainPart {
  readonly rows: number;
  readonly cols: number;
  readonly value: number;
  readonly gradient: number;
  /** Absent for a single factor. */
  readonly left?: ChainPart;
  readonly right?: ChainPart;
}

/** Buffers of the program of a deep matrix factorization. */
export interface MatrixBuffers {
  readonly root: ChainPart;
  /** The whole matrix, for validation: the root itself, but for a gathered one. */
  readonly product: ChainPart;
  /** Completion: where the product meets the observations. */
  readonly target: GridTarget | Required<GatherTarget> | undefined;
  /** gather: the right part's transpose (columns × inner) and its gradient. */
  readonly transposed: { readonly value: number; readonly gradient: number } | undefined;
  /** Sensing: the sensing matrices, samples × (rows · cols). */
  readonly inputs: number | undefined;
  /** gather, depth 1: the left part is the factor's entries, the right part the number one. */
  readonly singleFactor: boolean;
}

/** Reserves what the program needs besides the shared `FitPointers`. */
export function reserveMatrix(
  arena: Arena,
  layout: readonly ParameterLayout[],
  plan: MatrixPlan,
  { observations, pointers, capacity }: FitRequest,
): MatrixBuffers {
  const { rows, cols } = plan.order;
  const shared = {
    target: undefined,
    transposed: undefined,
    inputs: undefined,
    singleFactor: false,
  } as const;
  if (observations.task === "sensing") {
    const inputs = reserveFloats(arena, "sensing matrices", observations.samples * rows * cols);
    const root = reserveChain(arena, layout, plan.order, pointers);
    return { ...shared, root, product: root, inputs };
  }
  if (plan.form === "gather") {
    const parts = reserveParts(arena, layout, plan.order, pointers);
    const { left, right } = parts;
    const size = right.rows * right.cols;
    const product = reserveFloats(arena, "product matrix", rows * cols);
    return {
      root: { rows, cols, value: 0, gradient: 0, ...parts },
      product:
        "factor" in plan.order
          ? { rows, cols, value: left.value, gradient: 0 }
          : { rows, cols, value: product, gradient: 0, ...parts },
      target: reserveGatherTarget(arena, left.rows, right.cols, capacity),
      transposed: {
        value: reserveFloats(arena, "transposed right part", size),
        gradient: reserveFloats(arena, "gradient of the transposed right part", size),
      },
      inputs: undefined,
      singleFactor: "factor" in plan.order,
    };
  }
  const root = reserveChain(arena, layout, plan.order, pointers);
  const grid = reserveGridTarget(arena, 0, capacity);
  const target = { ...grid, value: root.value, gradient: root.gradient, entries: rows * cols };
  return { ...shared, root, product: root, target };
}

/**
 * The two parts whose product is gathered. A single factor is its entries, one a row, times the number
 * one.
 */
function reserveParts(
  arena: Arena,
  layout: readonly ParameterLayout[],
  order: ChainOrder,
  pointers: FitPointers,
): { left: ChainPart; right: ChainPart } {
  if ("left" in order)
    return {
      left: reserveChain(arena, layout, order.left, pointers),
      right: reserveChain(arena, layout, order.right, pointers),
    };
  const factor = reserveChain(arena, layout, order, pointers);
  const one = {
    rows: 1,
    cols: 1,
    value: reserveFloats(arena, "one", 1),
    gradient: reserveFloats(arena, "gradient of one", 1),
  };
  return { left: { ...factor, rows: factor.rows * factor.cols, cols: 1 }, right: one };
}

function reserveChain(
  arena: Arena,
  layout: readonly ParameterLayout[],
  order: ChainOrder,
  pointers: FitPointers,
): ChainPart {
  const { rows, cols } = order;
  if ("factor" in order) {
    const offset = 4 * layout[order.factor].offset;
    return { rows, cols, value: pointers.values + offset, gradient: pointers.gradient + offset };
  }
  return {
    rows,
    cols,
    value: reserveFloats(arena, "partial product", rows * cols),
    gradient: reserveFloats(arena, "gradient of a partial product", rows * cols),
    left: reserveChain(arena, layout, order.left, pointers),
    right: reserveChain(arena, layout, order.right, pointers),
  };
}

/** Records loss and gradient of a deep matrix factorization. */
export function recordMatrix(
  runtime: KernelRuntime,
  plan: MatrixPlan,
  buffers: MatrixBuffers,
  request: FitRequest,
): FitProgram {
  const { observations } = request;
  const program = runtime.program();
  if (observations.task === "sensing") return recordSensing(runtime, program, buffers, request);
  return plan.form === "gather"
    ? recordGather(runtime, program, buffers, observations.indices, request)
    : recordGrid(runtime, program, buffers, observations.indices, request);
}

/** Records W = W_1 … W_L alone, for validation; the value is at `buffers.product`. */
export function recordMatrixProduct(runtime: KernelRuntime, buffers: MatrixBuffers): () => void {
  const program = runtime.program();
  recordForward(program, buffers.product);
  const compiled = program.compile();
  return () => compiled.run();
}

function recordSensing(
  runtime: KernelRuntime,
  program: ProgramBuilder,
  { root, inputs }: MatrixBuffers,
  request: FitRequest,
): FitProgram {
  const { loss, observations, pointers, capacity } = request;
  if (observations.task === "sensing")
    runtime.floats(inputs!, observations.inputs.length).set(observations.inputs);
  recordForward(program, root);
  const measure = program.measure({
    inputs: inputs!,
    length: root.rows * root.cols,
    rows: capacity,
    index: pointers.batch,
    weights: root.value,
    targets: pointers.targets,
    loss: loss.kind,
    threshold: loss.kind === "huber" ? loss.threshold : 1,
    gradient: root.gradient,
    sums: pointers.sums,
  });
  recordBackward(program, root);
  const select = batchWriter(runtime, request);
  return fitProgram(program, (batch) => {
    const count = select(batch);
    measure.set("rows", count);
    return count;
  });
}

function recordGrid(
  runtime: KernelRuntime,
  program: ProgramBuilder,
  { root, target }: MatrixBuffers,
  indices: Int32Array,
  request: FitRequest,
): FitProgram {
  const { pointers, capacity } = request;
  const grid = target as GridTarget;
  recordForward(program, root);
  const clear = program.fill({ out: grid.gradient, count: grid.entries, value: 0 });
  const residual = recordResidual(program, grid, request);
  recordBackward(program, root);
  const select = batchWriter(runtime, request);
  const batchView = runtime.ints(pointers.batch, capacity);
  const positions = runtime.ints(grid.positions, capacity);
  return fitProgram(program, (batch) => {
    const count = select(batch);
    for (let b = 0; b < count; b++) {
      const sample = batchView[b];
      positions[b] = indices[2 * sample] * root.cols + indices[2 * sample + 1];
    }
    clear.set("count", clearedEntries(root, batch, grid.entries));
    residual.set("count", count);
    return count;
  });
}

/**
 * A full batch overwrites the same entries in every step, so that the others stay zero; a single
 * factor's gradient is changed by weight decay as well and is always cleared.
 */
function clearedEntries(root: ChainPart, batch: Int32Array | undefined, entries: number): number {
  return batch === undefined && root.left !== undefined ? 0 : entries;
}

function recordGather(
  runtime: KernelRuntime,
  program: ProgramBuilder,
  { root, target, transposed, singleFactor }: MatrixBuffers,
  indices: Int32Array,
  request: FitRequest,
): FitProgram {
  const { pointers, capacity } = request;
  const entries = target as Required<GatherTarget>;
  const left = root.left!;
  const right = root.right!;
  const inner = left.cols;
  if (singleFactor) runtime.floats(right.value, 1)[0] = 1;
  recordForward(program, left);
  recordForward(program, right);
  program.transpose({ in: right.value, out: transposed!.value, rows: inner, cols: right.cols });
  const dots = program.sampledDot({
    out: entries.value,
    count: capacity,
    width: inner,
    left: left.value,
    leftIndex: entries.leftRow,
    right: transposed!.value,
    rightIndex: entries.rightRow,
  });
  const residual = recordResidual(program, entries, request);
  program.scatterScaled({
    out: left.gradient,
    rows: left.rows,
    width: inner,
    start: entries.leftStart,
    list: entries.leftList,
    scale: entries.gradient,
    values: transposed!.value,
    index: entries.rightRow,
  });
  program.scatterScaled({
    out: transposed!.gradient,
    rows: right.cols,
    width: inner,
    start: entries.rightStart,
    list: entries.rightList,
    scale: entries.gradient,
    values: left.value,
    index: entries.leftRow,
  });
  program.transpose({
    in: transposed!.gradient,
    out: right.gradient,
    rows: right.cols,
    cols: inner,
  });
  recordBackward(program, left);
  recordBackward(program, right);

  const select = batchWriter(runtime, request);
  const batchView = runtime.ints(pointers.batch, capacity);
  const leftRow = runtime.ints(entries.leftRow, capacity);
  const rightRow = runtime.ints(entries.rightRow, capacity);
  return fitProgram(program, (batch) => {
    const count = select(batch);
    for (let b = 0; b < count; b++) {
      const row = indices[2 * batchView[b]];
      const column = indices[2 * batchView[b] + 1];
      leftRow[b] = singleFactor ? row * root.cols + column : row;
      rightRow[b] = singleFactor ? 0 : column;
    }
    invertRows(runtime, entries, left.rows, right.cols, count);
    dots.set("count", count);
    residual.set("count", count);
    return count;
  });
}

/** value = left.value · right.value, children first. */
function recordForward(program: ProgramBuilder, part: ChainPart): void {
  const { left, right } = part;
  if (left === undefined || right === undefined) return;
  recordForward(program, left);
  recordForward(program, right);
  program.gemm({
    m: part.rows,
    n: part.cols,
    k: left.cols,
    a: left.value,
    lda: left.cols,
    b: right.value,
    ldb: part.cols,
    c: part.value,
    ldc: part.cols,
  });
}

/** dleft = d · rightᵀ, dright = leftᵀ · d, parents first. */
function recordBackward(program: ProgramBuilder, part: ChainPart): void {
  const { left, right } = part;
  if (left === undefined || right === undefined) return;
  program.gemm({
    transposeB: true,
    m: part.rows,
    n: left.cols,
    k: part.cols,
    a: part.gradient,
    lda: part.cols,
    b: right.value,
    ldb: part.cols,
    c: left.gradient,
    ldc: left.cols,
  });
  program.gemm({
    transposeA: true,
    m: left.cols,
    n: part.cols,
    k: part.rows,
    a: left.value,
    lda: left.cols,
    b: part.gradient,
    ldb: part.cols,
    c: right.gradient,
    ldc: part.cols,
  });
  recordBackward(program, left);
  recordBackward(program, right);
}
