import type { KernelRuntime } from "@implicit-rank/simd-backend";
import type { Observations } from "../engine.ts";
import { type Arena, reserveFloats } from "./arena.ts";
import { type ModelEvaluation, readEntries } from "./evaluation.ts";
import type { FactorTree } from "./factor-tree.ts";
import { type GatherTarget, reserveGatherTarget, reserveSampleTarget } from "./root-target.ts";
import {
  indexWriter,
  reserveTree,
  type TreeBuffers,
  type TreeLayout,
  writeModeInputs,
} from "./tree-buffers.ts";
import {
  type MeasuringSides,
  recordMeasure,
  reserveMeasuringSides,
  writeEncodings,
} from "./tree-measure.ts";
import { rankPlans, type TreePlan } from "./tree-plan.ts";
import { recordTreeForward, type TreeRecording } from "./tree-program.ts";
import { layOutRows } from "./tree-rows.ts";

/** Sensing samples that are evaluated at a time where the full tensor is too large. */
const chunkSize = 2048;

/** Buffers of the evaluation of a CP or hierarchical factorization. */
export type TreeEvaluationBuffers = {
  readonly layout: TreeLayout;
  readonly tree: TreeBuffers;
} & (
  | {
      readonly kind: "fullTensor";
      /** T over the two sides' rows. */
      readonly grid: number;
      readonly entries: number;
      readonly sensing: (MeasuringSides & { readonly value: number }) | undefined;
    }
  | { readonly kind: "observed"; readonly target: Required<GatherTarget> }
  | { readonly kind: "samples"; readonly target: GatherTarget }
);

/** Reserves buffers to evaluate the full tensor or, where it is too large, the observations alone. */
export function reserveTreeEvaluation(
  arena: Arena,
  tree: FactorTree,
  values: number,
  observations: Observations,
  maxGridEntries: number,
): TreeEvaluationBuffers {
  const { samples } = observations;
  const plan = evaluationPlan(tree, observations, maxGridEntries);
  const rows = layOutRows(tree, plan.left, plan.right);
  if (plan.rowKind === "all") rows.assignAll();
  else if (observations.task === "completion") rows.assignObserved(observations.indices, samples);
  const capacity = Math.min(samples, chunkSize);
  const layout: TreeLayout = { tree, plan, rows, capacity, trained: false, values, gradient: 0 };
  const shared = { layout, tree: reserveTree(arena, layout) };
  if (plan.rowKind === "samples")
    return { ...shared, kind: "samples", target: reserveSampleTarget(arena, capacity) };
  if (plan.rowKind === "observed") {
    const target = reserveGatherTarget(arena, rows.left.count, rows.right.count, samples);
    return { ...shared, kind: "observed", target };
  }
  const entries = rows.left.count * rows.right.count;
  const grid = reserveFloats(arena, "full tensor", entries);
  if (observations.task === "completion")
    return { ...shared, kind: "fullTensor", grid, entries, sensing: undefined };
  const sides = reserveMeasuringSides(arena, layout, samples, samples);
  const value = reserveFloats(arena, "predictions", samples);
  return { ...shared, kind: "fullTensor", grid, entries, sensing: { ...sides, value } };
}

function evaluationPlan(
  tree: FactorTree,
  observations: Observations,
  maxGridEntries: number,
): TreePlan {
  const { task, samples } = observations;
  const shared = { tree, samples, batchSize: samples, duplicates: true, maxGridEntries };
  const grid = rankPlans({ ...shared, task: "sensing" }).find((plan) => plan.measured);
  if (grid !== undefined) return grid;
  return task === "completion"
    ? rankPlans({ ...shared, task, indices: observations.indices })[0]
    : rankPlans({ ...shared, task })[0];
}

/** Records the evaluation of a CP or hierarchical factorization. */
export function recordTreeEvaluation(
  runtime: KernelRuntime,
  buffers: TreeEvaluationBuffers,
  observations: Observations,
): ModelEvaluation {
  switch (buffers.kind) {
    case "fullTensor":
      return evaluateFullTensor(runtime, buffers, observations);
    case "observed":
      return evaluateObserved(runtime, buffers, observations.samples);
    case "samples":
      return evaluateSamples(runtime, buffers, observations);
  }
}

type BuffersOf<Kind> = Extract<TreeEvaluationBuffers, { kind: Kind }>;

function evaluateFullTensor(
  runtime: KernelRuntime,
  buffers: BuffersOf<"fullTensor">,
  observations: Observations,
): ModelEvaluation {
  const { layout, grid, entries, sensing } = buffers;
  const { samples } = observations;
  const program = runtime.program();
  indexWriter(runtime, layout, buffers.tree)();
  const recording: TreeRecording = {
    program,
    layout,
    buffers: buffers.tree,
    batchCount: () => samples,
    patches: [],
  };
  recordTreeForward(recording, { form: "grid", value: grid });
  if (sensing !== undefined && observations.task === "sensing") {
    writeEncodings(runtime, layout, sensing, observations.inputs, samples);
    recordMeasure(program, grid, sensing, sensing.value, layout.rows.right.count, samples);
  }
  const compiled = program.compile();
  const treeOrder = runtime.floats(grid, entries);
  const position = modeOrderPositions(layout);
  const tensor = new Float32Array(entries);
  const predicted = new Float32Array(samples);
  return {
    run() {
      compiled.run();
      for (let i = 0; i < entries; i++) tensor[position[i]] = treeOrder[i];
    },
    tensor: () => tensor,
    predictions() {
      if (observations.task === "completion")
        return readEntries(tensor, layout.tree.modeSizes, observations.indices, predicted);
      predicted.set(runtime.floats(sensing!.value, samples));
      return predicted;
    },
  };
}

/** For each entry of the grid over the two sides' rows, its row-major position in mode order. */
function modeOrderPositions({ tree, rows }: TreeLayout): Int32Array {
  const { modeSizes } = tree;
  const modes = [rows.left, rows.right].flatMap((side) =>
    side.children.flatMap((child) => tree.modesOf(side.layer, child)),
  );
  const strideOf = modeSizes.map((_, mode) =>
    modeSizes.slice(mode + 1).reduce((product, size) => product * size, 1),
  );
  const positions = new Int32Array(rows.left.count * rows.right.count);
  let repeat = 1;
  for (const mode of modes.toReversed()) {
    const size = modeSizes[mode];
    for (let i = 0; i < positions.length; i++)
      positions[i] += (Math.floor(i / repeat) % size) * strideOf[mode];
    repeat *= size;
  }
  return positions;
}

function evaluateObserved(
  runtime: KernelRuntime,
  { layout, tree, target }: BuffersOf<"observed">,
  samples: number,
): ModelEvaluation {
  const { rows } = layout;
  const program = runtime.program();
  indexWriter(runtime, layout, tree)();
  runtime.ints(target.leftRow, samples).set(rows.left.rowOf.subarray(0, samples));
  runtime.ints(target.rightRow, samples).set(rows.right.rowOf.subarray(0, samples));
  recordTreeForward(
    { program, layout, buffers: tree, batchCount: () => samples, patches: [] },
    target,
  );
  const compiled = program.compile();
  const predicted = runtime.floats(target.value, samples);
  return {
    run: () => {
      compiled.run();
    },
    tensor: () => undefined,
    predictions: () => predicted,
  };
}

function evaluateSamples(
  runtime: KernelRuntime,
  { layout, tree, target }: BuffersOf<"samples">,
  observations: Observations,
): ModelEvaluation {
  const { modeSizes } = layout.tree;
  const { capacity } = layout;
  const { samples } = observations;
  const inputs = observations.task === "sensing" ? observations.inputs : new Float32Array(0);
  const sampleSize = modeSizes.length * Math.max(...modeSizes);
  const program = runtime.program();
  recordTreeForward(
    { program, layout, buffers: tree, batchCount: () => capacity, patches: [] },
    target,
  );
  const compiled = program.compile();
  const predicted = new Float32Array(samples);
  return {
    run() {
      for (let first = 0; first < samples; first += capacity) {
        // The last chunk is moved back so that it is as large as the others.
        const start = Math.min(first, samples - capacity);
        const chunk = inputs.subarray(start * sampleSize, (start + capacity) * sampleSize);
        modeSizes.forEach((size, mode) => {
          writeModeInputs(
            chunk,
            modeSizes,
            mode,
            runtime.floats(tree.leaves[mode], capacity * size),
          );
        });
        compiled.run();
        predicted.set(runtime.floats(target.value, capacity), start);
      }
    },
    tensor: () => undefined,
    predictions: () => predicted,
  };
}
