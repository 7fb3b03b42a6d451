import type { KernelRuntime, OpHandle, ProgramBuilder } from "@implicit-rank/simd-backend";
import { type Arena, reserveFloats, reserveInts } from "./arena.ts";
import type { FitRequest } from "./fit-program.ts";
import { type GridTarget, recordResidual, writeIdentity } from "./root-target.ts";
import type { TreeLayout } from "./tree-buffers.ts";
import type { TreeProduct } from "./tree-rows.ts";

/**
 * Measurements of the full tensor by rank-one inputs,
 *
 *   prediction_s = Σ_{p,q} u_s[p] · T[p, q] · v_s[q],
 *
 * where u_s and v_s are the outer products of the sample's encodings over the modes of the root's two
 * sides. They do not change while training, so they are computed once; "wide" is the side with more
 * rows, which is multiplied with T first.
 */
export interface MeasuringSides {
  readonly wide: SideEncodings;
  readonly narrow: SideEncodings;
  /** The wide side multiplied with T: batch × narrow rows. */
  readonly contracted: number;
}

/** The buffers of measuring and of its gradient. */
export interface MeasureBuffers extends MeasuringSides {
  /** Prediction and dloss/dprediction of each selected sample. */
  readonly value: number;
  readonly gradient: number;
  /** dloss/dprediction times the narrow side: batch × narrow rows. */
  readonly scaled: number;
  /** Outer products of a batch's samples. */
  readonly wideBatch: number;
  readonly narrowBatch: number;
  /** 0, 1, 2, … */
  readonly identity: number;
}

/** One side's outer products of encodings. */
export interface SideEncodings {
  readonly product: TreeProduct;
  readonly isLeft: boolean;
  /** Outer products of all samples, samples × rows. */
  readonly all: number;
}

export function reserveMeasuringSides(
  arena: Arena,
  { rows }: TreeLayout,
  samples: number,
  capacity: number,
): MeasuringSides {
  const reserveSide = (product: TreeProduct, isLeft: boolean): SideEncodings => {
    const all = reserveFloats(arena, "outer products of the inputs", samples * product.count);
    return { product, isLeft, all };
  };
  const left = reserveSide(rows.left, true);
  const right = reserveSide(rows.right, false);
  const [wide, narrow] = left.product.count >= right.product.count ? [left, right] : [right, left];
  const contracted = reserveFloats(arena, "measured side", capacity * narrow.product.count);
  return { wide, narrow, contracted };
}

export function reserveMeasure(
  arena: Arena,
  layout: TreeLayout,
  samples: number,
  capacity: number,
): MeasureBuffers {
  const sides = reserveMeasuringSides(arena, layout, samples, capacity);
  const [wideBatch, narrowBatch] = [sides.wide, sides.narrow].map(({ product }) =>
    reserveFloats(arena, "outer products of the batch", capacity * product.count),
  );
  return {
    ...sides,
    wideBatch,
    narrowBatch,
    value: reserveFloats(arena, "predictions", capacity),
    gradient: reserveFloats(arena, "gradient of the predictions", capacity),
    scaled: reserveFloats(arena, "scaled side", capacity * sides.narrow.product.count),
    identity: reserveInts(arena, "samples", capacity + 1),
  };
}

/** Predictions of the first `count` samples from T at `grid`; `select` patches batch and size. */
export function recordMeasure(
  program: ProgramBuilder,
  grid: number,
  { wide, narrow, contracted }: MeasuringSides,
  predictions: number,
  rightRows: number,
  count: number,
): (wideRows: number, narrowRows: number, count: number) => void {
  const contraction = program.gemm({
    transposeB: !wide.isLeft,
    m: count,
    n: narrow.product.count,
    k: wide.product.count,
    a: wide.all,
    lda: wide.product.count,
    b: grid,
    ldb: rightRows,
    c: contracted,
    ldc: narrow.product.count,
  });
  const dots = program.sampledDot({
    out: predictions,
    count,
    width: narrow.product.count,
    left: contracted,
    right: narrow.all,
  });
  return (wideRows, narrowRows, selected) => {
    contraction.set("m", selected);
    contraction.set("a", wideRows);
    dots.set("count", selected);
    dots.set("right", narrowRows);
  };
}

/** Predictions, residuals and dloss/dT, with everything patched by `select`. */
export function recordMeasuredResidual(
  runtime: KernelRuntime,
  program: ProgramBuilder,
  target: GridTarget,
  buffers: MeasureBuffers,
  layout: TreeLayout,
  request: FitRequest,
): { select(batched: boolean, count: number): void } {
  const { wide, narrow } = buffers;
  const { capacity, pointers } = request;
  const right = layout.rows.right;
  writeIdentity(runtime, buffers.identity, capacity + 1);
  const gather = (side: SideEncodings, out: number): OpHandle =>
    program.gatherProduct({
      out,
      rows: capacity,
      width: side.product.count,
      factors: [{ values: side.all, index: pointers.batch }],
    });
  const gathers = [gather(wide, buffers.wideBatch), gather(narrow, buffers.narrowBatch)];
  const selectMeasured = recordMeasure(
    program,
    target.value,
    buffers,
    buffers.value,
    right.count,
    capacity,
  );
  const residual = recordResidual(program, buffers, request);
  const scaled = program.scatterScaled({
    out: buffers.scaled,
    rows: capacity,
    width: narrow.product.count,
    start: buffers.identity,
    scale: buffers.gradient,
    values: narrow.all,
  });
  const [a, b] = wide.isLeft ? [wide.all, buffers.scaled] : [buffers.scaled, wide.all];
  const toGrid = program.gemm({
    transposeA: true,
    m: layout.rows.left.count,
    n: right.count,
    k: capacity,
    a,
    lda: layout.rows.left.count,
    b,
    ldb: right.count,
    c: target.gradient,
    ldc: right.count,
  });
  return {
    select(batched, count) {
      const wideRows = batched ? buffers.wideBatch : wide.all;
      const narrowRows = batched ? buffers.narrowBatch : narrow.all;
      for (const rows of gathers) rows.set("rows", batched ? count : 0);
      selectMeasured(wideRows, narrowRows, count);
      residual.set("count", count);
      scaled.set("rows", count);
      scaled.set("values", narrowRows);
      toGrid.set("k", count);
      toGrid.set(wide.isLeft ? "a" : "b", wideRows);
    },
  };
}

/** Computes the outer products of all samples' encodings over the modes of both sides. */
export function writeEncodings(
  runtime: KernelRuntime,
  { tree }: TreeLayout,
  { wide, narrow }: MeasuringSides,
  inputs: Float32Array,
  samples: number,
): void {
  for (const { product, all } of [wide, narrow]) {
    const modes = product.children.flatMap((child) => tree.modesOf(product.layer, child));
    outerProducts(
      inputs,
      tree.modeSizes,
      modes,
      runtime.floats(all, samples * product.count),
      product.count,
    );
  }
}

/**
 * out[s, (i_1 … i_k)] = Π_n x_{s, modes[n]}[i_n], row-major over the modes, for inputs samples × order
 * × largest mode size.
 */
function outerProducts(
  inputs: Float32Array,
  modeSizes: readonly number[],
  modes: readonly number[],
  out: Float32Array,
  width: number,
): void {
  const stride = Math.max(...modeSizes);
  const samples = out.length / width;
  for (let s = 0; s < samples; s++) {
    const row = out.subarray(s * width, (s + 1) * width);
    row[0] = 1;
    let filled = 1;
    for (const mode of modes) {
      const start = (s * modeSizes.length + mode) * stride;
      const size = modeSizes[mode];
      // From the back, so that entries are read before they are overwritten.
      for (let i = filled - 1; i >= 0; i--)
        for (let j = size - 1; j >= 0; j--) row[i * size + j] = row[i] * inputs[start + j];
      filled *= size;
    }
  }
}
