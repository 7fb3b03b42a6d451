import type { KernelRuntime, OpHandle, ProgramBuilder } from "@implicit-rank/simd-backend";
import { type Arena, reserveFloats, reserveInts } from "./arena.ts";
import { invertIndex } from "./distinct-rows.ts";
import type { FitRequest } from "./fit-program.ts";

/**
 * Where a bilinear form T = left · rightᵀ meets the observations: every entry of the grid, with the
 * observed ones at `positions`.
 */
export interface GridTarget {
  readonly form: "grid";
  /** T and dloss/dT, left rows × right rows. Unobserved entries of the gradient are zero. */
  readonly value: number;
  readonly gradient: number;
  readonly entries: number;
  /** Flat position of each selected sample in the grid (Int32). */
  readonly positions: number;
}

/** Only the samples' entries: their rows on both sides, and the inverse lists. */
export interface GatherTarget {
  readonly form: "gather";
  /** Prediction and dloss/dprediction of each selected sample. */
  readonly value: number;
  readonly gradient: number;
  /** Row of each sample; absent where row s belongs to sample s. */
  readonly leftRow?: number;
  readonly rightRow?: number;
  /** Inverse lists: samples `list[start[q] … start[q + 1] - 1]` have row q; without a list, sample q. */
  readonly leftStart: number;
  readonly leftList?: number;
  readonly rightStart: number;
  readonly rightList?: number;
}

export type RootTarget = GridTarget | GatherTarget;

export function reserveGridTarget(arena: Arena, entries: number, capacity: number): GridTarget {
  return {
    form: "grid",
    value: reserveFloats(arena, "grid of predictions", entries),
    gradient: reserveFloats(arena, "gradient of the grid", entries),
    entries,
    positions: reserveInts(arena, "positions of the samples", capacity),
  };
}

export function reserveGatherTarget(
  arena: Arena,
  leftRows: number,
  rightRows: number,
  capacity: number,
): Required<GatherTarget> {
  const reserve = (count: number): number => reserveInts(arena, "rows of the samples", count);
  return {
    form: "gather",
    value: reserveFloats(arena, "predictions", capacity),
    gradient: reserveFloats(arena, "gradient of the predictions", capacity),
    leftRow: reserve(capacity),
    rightRow: reserve(capacity),
    leftStart: reserve(leftRows + 1),
    leftList: reserve(capacity),
    rightStart: reserve(rightRows + 1),
    rightList: reserve(capacity),
  };
}

/** Predictions one a sample, whose rows are the samples themselves. */
export function reserveSampleTarget(arena: Arena, capacity: number): GatherTarget {
  const start = reserveInts(arena, "samples", capacity + 1);
  return {
    form: "gather",
    value: reserveFloats(arena, "predictions", capacity),
    gradient: reserveFloats(arena, "gradient of the predictions", capacity),
    leftStart: start,
    rightStart: start,
  };
}

/** Rebuilds the inverse lists from the samples' rows, which the caller has written. */
export function invertRows(
  runtime: KernelRuntime,
  target: Required<GatherTarget>,
  leftRows: number,
  rightRows: number,
  count: number,
): void {
  const ints = (pointer: number, length: number): Int32Array => runtime.ints(pointer, length);
  invertIndex(
    ints(target.leftRow, count),
    count,
    leftRows,
    ints(target.leftStart, leftRows + 1),
    ints(target.leftList, count),
  );
  invertIndex(
    ints(target.rightRow, count),
    count,
    rightRows,
    ints(target.rightStart, rightRows + 1),
    ints(target.rightList, count),
  );
}

/** 0, 1, 2, … for lists in which every row stands for itself. */
export function writeIdentity(runtime: KernelRuntime, pointer: number, length: number): void {
  const values = runtime.ints(pointer, length);
  for (let i = 0; i < length; i++) values[i] = i;
}

/** dloss/dprediction and the sums of the loss at the selected samples. */
export function recordResidual(
  program: ProgramBuilder,
  target: { value: number; gradient: number; positions?: number },
  { pointers, loss, capacity }: FitRequest,
): OpHandle {
  return program.residual({
    prediction: target.value,
    gradient: target.gradient,
    ...(target.positions !== undefined && { index: target.positions }),
    targets: pointers.targets,
    targetIndex: pointers.batch,
    count: capacity,
    loss: loss.kind,
    threshold: loss.kind === "huber" ? loss.threshold : 1,
    sums: pointers.sums,
  });
}
