import type { KernelRuntime, ProgramBuilder } from "@implicit-rank/simd-backend";
import { type Arena, reserveFloats } from "./arena.ts";
import { batchWriter, type FitProgram, fitProgram, type FitRequest } from "./fit-program.ts";
import {
  type GatherTarget,
  type GridTarget,
  invertRows,
  recordResidual,
  reserveGatherTarget,
  reserveGridTarget,
  reserveSampleTarget,
  writeIdentity,
} from "./root-target.ts";
import {
  indexWriter,
  reserveTree,
  type TreeBuffers,
  type TreeLayout,
  writeModeInputs,
} from "./tree-buffers.ts";
import {
  type MeasureBuffers,
  recordMeasuredResidual,
  reserveMeasure,
  writeEncodings,
} from "./tree-measure.ts";
import { recordTreeBackward, recordTreeForward, type TreeRecording } from "./tree-program.ts";

/** Buffers of the fit program of a CP or hierarchical factorization. */
export interface TreeFitBuffers {
  readonly tree: TreeBuffers;
  readonly target: GridTarget | GatherTarget;
  /** Sensing on the grid. */
  readonly measure: MeasureBuffers | undefined;
  /** Sensing by samples: all inputs of a mode, samples × mode size, one pointer a mode. */
  readonly inputs: readonly number[];
}

/** Reserves what the program needs besides the shared `FitPointers`. */
export function reserveTreeFit(
  arena: Arena,
  layout: TreeLayout,
  { observations: { samples }, capacity }: FitRequest,
): TreeFitBuffers {
  const { plan, rows, tree } = layout;
  const entries = rows.left.count * rows.right.count;
  const bySamples = plan.rowKind === "samples";
  return {
    tree: reserveTree(arena, layout),
    target: bySamples
      ? reserveSampleTarget(arena, capacity)
      : plan.form === "grid"
        ? reserveGridTarget(arena, entries, plan.measured ? 0 : capacity)
        : reserveGatherTarget(arena, rows.left.count, rows.right.count, capacity),
    measure: plan.measured ? reserveMeasure(arena, layout, samples, capacity) : undefined,
    inputs: bySamples
      ? tree.modeSizes.map((size, mode) =>
          reserveFloats(arena, `all inputs of mode ${mode}`, samples * size),
        )
      : [],
  };
}

/** Records loss and gradient of a CP or hierarchical factorization. */
export function recordTreeFit(
  runtime: KernelRuntime,
  layout: TreeLayout,
  buffers: TreeFitBuffers,
  request: FitRequest,
): FitProgram {
  const program = runtime.program();
  const fit: TreeFit = { runtime, program, layout, buffers, request };
  const { plan } = layout;
  if (plan.rowKind === "samples") return recordSamples(fit);
  if (plan.measured) return recordMeasured(fit);
  return plan.form === "grid" ? recordGrid(fit) : recordGather(fit);
}

interface TreeFit {
  readonly runtime: KernelRuntime;
  readonly program: ProgramBuilder;
  readonly layout: TreeLayout;
  readonly buffers: TreeFitBuffers;
  readonly request: FitRequest;
}

/** Completion on the grid of the rows that are observed at all. */
function recordGrid(fit: TreeFit): FitProgram {
  const { runtime, program, layout, buffers, request } = fit;
  const { capacity, pointers } = request;
  const target = buffers.target as GridTarget;
  const { left, right } = layout.rows;
  indexWriter(runtime, layout, buffers.tree)();
  const recording = startRecording(fit, () => capacity);
  recordTreeForward(recording, target);
  const clear = program.fill({ out: target.gradient, count: target.entries, value: 0 });
  const residual = recordResidual(program, target, request);
  recordTreeBackward(recording, target);

  const writeBatch = batchWriter(runtime, request);
  const batchView = runtime.ints(pointers.batch, capacity);
  const positions = runtime.ints(target.positions, capacity);
  const leftOf = left.rowOf;
  const rightOf = right.rowOf;
  return fitProgram(program, (batch) => {
    const count = writeBatch(batch);
    for (let b = 0; b < count; b++)
      positions[b] = leftOf[batchView[b]] * right.count + rightOf[batchView[b]];
    // A full batch overwrites the same entries in every step: the others stay zero.
    clear.set("count", batch === undefined ? 0 : target.entries);
    residual.set("count", count);
    return count;
  });
}

/** Completion by the samples' entries: rows are assigned anew for every batch. */
function recordGather(fit: TreeFit): FitProgram {
  const { runtime, program, layout, buffers, request } = fit;
  const { capacity, observations } = request;
  const target = buffers.target as Required<GatherTarget>;
  const { rows } = layout;
  const writeIndices = indexWriter(runtime, layout, buffers.tree);
  let count = capacity;
  const recording = startRecording(fit, () => count);
  recordTreeForward(recording, target);
  const residual = recordResidual(program, target, request);
  recordTreeBackward(recording, target);

  const writeBatch = batchWriter(runtime, request);
  const indices = observations.task === "completion" ? observations.indices : new Int32Array(0);
  const leftRow = runtime.ints(target.leftRow, capacity);
  const rightRow = runtime.ints(target.rightRow, capacity);
  return fitProgram(program, (batch) => {
    count = writeBatch(batch);
    rows.assignObserved(indices, count, batch);
    writeIndices();
    for (let b = 0; b < count; b++) {
      leftRow[b] = rows.left.rowOf[b];
      rightRow[b] = rows.right.rowOf[b];
    }
    invertRows(runtime, target, rows.left.count, rows.right.count, count);
    residual.set("count", count);
    for (const patch of recording.patches) patch();
    return count;
  });
}

/** Sensing by the full tensor: evaluate it, measure it with every sample, and back. */
function recordMeasured(fit: TreeFit): FitProgram {
  const { runtime, program, layout, buffers, request } = fit;
  const { observations } = request;
  const target = buffers.target as GridTarget;
  indexWriter(runtime, layout, buffers.tree)();
  if (observations.task === "sensing")
    writeEncodings(runtime, layout, buffers.measure!, observations.inputs, observations.samples);
  const recording = startRecording(fit, () => request.capacity);
  recordTreeForward(recording, target);
  const measure = recordMeasuredResidual(
    runtime,
    program,
    target,
    buffers.measure!,
    layout,
    request,
  );
  recordTreeBackward(recording, target);
  const writeBatch = batchWriter(runtime, request);
  return fitProgram(program, (batch) => {
    const count = writeBatch(batch);
    measure.select(batch !== undefined, count);
    return count;
  });
}

/** Sensing sample by sample: every node has one row for each sample. */
function recordSamples(fit: TreeFit): FitProgram {
  const { runtime, program, layout, buffers, request } = fit;
  const { capacity, pointers, observations } = request;
  const target = buffers.target as GatherTarget;
  const { modeSizes } = layout.tree;
  let count = capacity;
  if (observations.task === "sensing")
    modeSizes.forEach((size, mode) => {
      writeModeInputs(
        observations.inputs,
        modeSizes,
        mode,
        runtime.floats(buffers.inputs[mode], observations.samples * size),
      );
    });
  writeIdentity(runtime, target.leftStart, capacity + 1);
  const gathers = modeSizes.map((size, mode) =>
    program.gatherProduct({
      out: buffers.tree.leaves[mode],
      rows: capacity,
      width: size,
      factors: [{ values: buffers.inputs[mode], index: pointers.batch }],
    }),
  );
  const recording = startRecording(fit, () => count);
  recordTreeForward(recording, target);
  const residual = recordResidual(program, target, request);
  recordTreeBackward(recording, target);
  const writeBatch = batchWriter(runtime, request);
  return fitProgram(program, (batch) => {
    count = writeBatch(batch);
    for (const gather of gathers) gather.set("rows", count);
    residual.set("count", count);
    for (const patch of recording.patches) patch();
    return count;
  });
}

function startRecording(
  { program, layout, buffers }: TreeFit,
  batchCount: () => number,
): TreeRecording {
  return { program, layout, buffers: buffers.tree, batchCount, patches: [] };
}
