import {
  allocationBytes,
  type KernelRuntime,
  measureScratchBytes,
} from "@implicit-rank/simd-backend";
import { entryCount, modeSizesOf } from "../../model/spec.ts";
import { parameterLayout } from "../../model/parameter-layout.ts";
import type { CpSpec, FactorizationSpec, HierarchicalSpec, MatrixSpec } from "../../model/types.ts";
import type { Observations } from "../engine.ts";
import type { Arena } from "./arena.ts";
import { distinctTuples, hashTableSize } from "./distinct-rows.ts";
import { measureMatrix, type ModelEvaluation, readEntries } from "./evaluation.ts";
import { factorTree } from "./factor-tree.ts";
import type { FitProgram, FitRequest } from "./fit-program.ts";
import { type MatrixPlan, rankMatrixPlans } from "./matrix-plan.ts";
import {
  type MatrixBuffers,
  recordMatrix,
  recordMatrixProduct,
  reserveMatrix,
} from "./matrix-program.ts";
import {
  recordTreeEvaluation,
  reserveTreeEvaluation,
  type TreeEvaluationBuffers,
} from "./tree-evaluation.ts";
import { recordTreeFit, reserveTreeFit, type TreeFitBuffers } from "./tree-fit.ts";
import type { TreeLayout } from "./tree-buffers.ts";
import { rankPlans, type TreePlan } from "./tree-plan.ts";
import { layOutRows } from "./tree-rows.ts";

/** Default of the most entries of a full tensor that are held at once: 64 MiB in single precision. */
const defaultMaxEntries = 2 ** 24;

/** How a fused step is computed: of several ways that give the same, the cheapest by a model of costs. */
export type FusedPlan =
  ({ readonly kind: "matrix" } & MatrixPlan) | ({ readonly kind: "tree" } & TreePlan);

/** Chooses among the possible plans, which are given cheapest first. */
export type ChoosePlan = <Plan extends MatrixPlan | TreePlan>(plans: readonly Plan[]) => Plan;

/** The options of a fused step that its model depends on. */
export interface ModelOptions {
  readonly choose?: ChoosePlan;
  readonly maxGridEntries?: number;
  readonly validation?: Observations;
}

type ResolvedOptions = Required<Omit<ModelOptions, "validation">> & {
  readonly validation: Observations | undefined;
};

const cheapest: ChoosePlan = (plans) => plans[0];

/** The buffers of a model's programs; each model reads only its own. */
export interface ModelBuffers {
  readonly matrix?: MatrixBuffers;
  readonly tree?: {
    readonly layout: TreeLayout;
    readonly fit: TreeFitBuffers;
    readonly evaluation: TreeEvaluationBuffers | undefined;
  };
}

/** What a model contributes to a fused step. */
export interface FusedModel {
  readonly plan: FusedPlan;
  reserve(arena: Arena, request: FitRequest): ModelBuffers;
  recordFit(runtime: KernelRuntime, buffers: ModelBuffers, request: FitRequest): FitProgram;
  recordEvaluation(
    runtime: KernelRuntime,
    buffers: ModelBuffers,
    validation: Observations,
  ): ModelEvaluation;
  /** Bytes that recording takes besides what is reserved. */
  readonly scratchBytes: (threads: number) => number;
  /** Whether the full tensor is small enough to be evaluated. */
  readonly hasTensor: boolean;
}

/** Plans a factorization's programs for its observations and its largest batch. */
export function fusedModel(
  spec: FactorizationSpec,
  observations: Observations,
  batchSize: number,
  options: ModelOptions,
): FusedModel {
  const { choose = cheapest, maxGridEntries = defaultMaxEntries, validation } = options;
  const resolved = { choose, maxGridEntries, validation };
  return spec.kind === "mf"
    ? matrixModel(spec, observations, batchSize, resolved)
    : treeModel(spec, observations, batchSize, resolved);
}

function matrixModel(
  spec: MatrixSpec,
  observations: Observations,
  batchSize: number,
  { choose, maxGridEntries }: ResolvedOptions,
): FusedModel {
  const layout = parameterLayout(spec);
  const duplicates = hasDuplicates(observations, 2);
  const { task } = observations;
  const plan = choose(rankMatrixPlans({ spec, task, batchSize, duplicates }));
  return {
    plan: { kind: "matrix", ...plan },
    reserve: (arena, request) => ({ matrix: reserveMatrix(arena, layout, plan, request) }),
    recordFit: (runtime, { matrix }, request) => recordMatrix(runtime, plan, matrix!, request),
    hasTensor: entryCount(spec) <= maxGridEntries,
    scratchBytes: (threads) =>
      task === "sensing" ? allocationBytes(measureScratchBytes(entryCount(spec), threads)) : 0,
    recordEvaluation: (runtime, { matrix }, evaluated) =>
      evaluateMatrix(runtime, matrix!, modeSizesOf(spec), evaluated),
  };
}

function evaluateMatrix(
  runtime: KernelRuntime,
  buffers: MatrixBuffers,
  sizes: readonly number[],
  validation: Observations,
): ModelEvaluation {
  const product = recordMatrixProduct(runtime, buffers);
  const matrix = runtime.floats(buffers.product.value, sizes[0] * sizes[1]);
  const predicted = new Float32Array(validation.samples);
  return {
    run: product,
    tensor: () => matrix,
    predictions: () =>
      validation.task === "completion"
        ? readEntries(matrix, sizes, validation.indices, predicted)
        : measureMatrix(matrix, validation, predicted),
  };
}

function treeModel(
  spec: CpSpec | HierarchicalSpec,
  observations: Observations,
  batchSize: number,
  { choose, maxGridEntries, validation }: ResolvedOptions,
): FusedModel {
  const tree = factorTree(spec);
  const { samples, task } = observations;
  const indices = observations.task === "completion" ? observations.indices : undefined;
  const duplicates = hasDuplicates(observations, spec.modeSizes.length);
  const request = {
    tree,
    task,
    samples,
    batchSize,
    duplicates,
    maxGridEntries,
    ...(indices && { indices }),
  };
  const plan = choose(rankPlans(request));
  const rows = layOutRows(tree, plan.left, plan.right);
  if (indices !== undefined) rows.assignObserved(indices, samples);
  else if (plan.rowKind === "all") rows.assignAll();
  return {
    plan: { kind: "tree", ...plan },
    hasTensor: entryCount(spec) <= maxGridEntries,
    scratchBytes: () => 0,
    reserve(arena, request) {
      const { values, gradient } = request.pointers;
      const capacity = batchSize;
      const layout: TreeLayout = { tree, plan, rows, capacity, trained: true, values, gradient };
      return {
        tree: {
          layout,
          fit: reserveTreeFit(arena, layout, request),
          evaluation:
            validation && reserveTreeEvaluation(arena, tree, values, validation, maxGridEntries),
        },
      };
    },
    recordFit: (runtime, buffers, request) =>
      recordTreeFit(runtime, buffers.tree!.layout, buffers.tree!.fit, request),
    recordEvaluation: (runtime, buffers, evaluated) =>
      recordTreeEvaluation(runtime, buffers.tree!.evaluation!, evaluated),
  };
}

/** Whether an index tuple is observed more than once. */
function hasDuplicates(observations: Observations, order: number): boolean {
  if (observations.task === "sensing") return false;
  const { indices, samples } = observations;
  const columns = Array.from({ length: order }, (_, mode) =>
    Int32Array.from({ length: samples }, (_, s) => indices[s * order + mode]),
  );
  const index = columns.map(() => new Int32Array(samples));
  const table = new Int32Array(hashTableSize(samples));
  return distinctTuples(columns, samples, index, new Int32Array(samples), table) < samples;
}
