import { costWeights, denseFormCost, productCost, sampledFormCost } from "./cost-model.ts";
import type { FactorTree } from "./factor-tree.ts";
import { layOutRows, type TreeRows } from "./tree-rows.ts";

/**
 * What the rows of the tree's nodes stand for.
 *
 * - `all`: every combination of the indices of the node's modes,
 * - `observed`: the combinations that occur among the observations,
 * - `samples`: the samples themselves (dense inputs of sensing).
 */
export type RowKind = "all" | "observed" | "samples";

/** How the value at the root is computed of the two sides that meet there. */
export type RootForm =
  /** Every entry of the left rows × right rows grid, by matrix products. */
  | "grid"
  /** Only the entries of the samples, by dot products of gathered rows. */
  | "gather";

/** How a step of a CP or hierarchical factorization is computed. */
export interface TreePlan {
  readonly rowKind: RowKind;
  readonly form: RootForm;
  /**
   * The root's children (positions in the last layer), split into two sides:
   * T[p, q] = Σ_r left[p, r] · o[r] · right[q, r], each side the elementwise product of its children.
   */
  readonly left: readonly number[];
  readonly right: readonly number[];
  /**
   * With left = A · W a single matrix times its input: multiply the right side through W first,
   * T = A · (right · diag(o) · Wᵀ)ᵀ. Far cheaper when the right side has fewer rows than the left.
   */
  readonly through: boolean;
  /** Sensing on the grid: the full tensor is evaluated and measured by the samples. */
  readonly measured: boolean;
  /** Cost of one step in multiply-adds (see `cost-model.ts`). */
  readonly cost: number;
}

export interface PlanRequest {
  readonly tree: FactorTree;
  readonly task: "completion" | "sensing";
  /** Completion: the observed index tuples, samples × order. */
  readonly indices?: Int32Array;
  readonly samples: number;
  /** Samples of one step; equal to `samples` for full batches. */
  readonly batchSize: number;
  /** The same index tuple is observed twice: entries of the grid would collide. */
  readonly duplicates: boolean;
  /** Most entries of a full tensor that may be held. */
  readonly maxGridEntries: number;
}

/** Every plan that can evaluate the request, cheapest first. */
export function rankPlans(request: PlanRequest): readonly TreePlan[] {
  const plans = rootSplits(request.tree).flatMap(([left, right]) =>
    request.task === "completion"
      ? completionPlans(request, left, right)
      : sensingPlans(request, left, right),
  );
  return plans.sort((a, b) => a.cost - b.cost);
}

/**
 * The ways to split the root's children into two ordered sides: all of them for up to four
 * children, else contiguous ones.
 */
export function rootSplits(tree: FactorTree): [number[], number[]][] {
  const children = tree.groups.at(-1)![0];
  const masks: boolean[][] = [];
  if (children.length <= 4)
    for (let bits = 1; bits < 2 ** children.length - 1; bits++)
      masks.push(children.map((_, c) => ((bits >> c) & 1) === 1));
  else
    for (let cut = 1; cut < children.length; cut++)
      masks.push(
        children.map((_, c) => c < cut),
        children.map((_, c) => c >= cut),
      );
  return masks.map((mask) => [
    children.filter((_, c) => mask[c]),
    children.filter((_, c) => !mask[c]),
  ]);
}

function completionPlans(request: PlanRequest, left: number[], right: number[]): TreePlan[] {
  const { tree, samples, batchSize } = request;
  const rows = layOutRows(tree, left, right);
  rows.assignObserved(request.indices!, samples);
  const plans: TreePlan[] = [];
  const leftRows = rows.left.count;
  const rightRows = rows.right.count;
  for (const through of throughChoices(tree, left, "observed")) {
    const width = formWidth(tree, left, through);
    const shared = { rowKind: "observed", left, right, through, measured: false } as const;
    if (!request.duplicates && leftRows * rightRows <= request.maxGridEntries)
      plans.push({
        ...shared,
        form: "grid",
        cost:
          nodesCost(tree, rows, left, through, Infinity) +
          denseFormCost(leftRows, rightRows, width),
      });
    plans.push({
      ...shared,
      form: "gather",
      cost: nodesCost(tree, rows, left, through, batchSize) + sampledFormCost(batchSize, width),
    });
  }
  return plans;
}

function sensingPlans(request: PlanRequest, left: number[], right: number[]): TreePlan[] {
  const { tree, batchSize } = request;
  const plans: TreePlan[] = [];
  const entries = tree.modeSizes.reduce((product, size) => product * size, 1);
  if (entries <= request.maxGridEntries) {
    const rows = layOutRows(tree, left, right);
    rows.countAll();
    const leftRows = rows.left.count;
    const rightRows = rows.right.count;
    const measuring =
      2 * productCost(batchSize, leftRows, rightRows) +
      costWeights.elementwise * batchSize * (leftRows + 2 * rightRows);
    for (const through of throughChoices(tree, left, "all"))
      plans.push({
        rowKind: "all",
        form: "grid",
        left,
        right,
        through,
        measured: true,
        cost:
          measuring +
          nodesCost(tree, rows, left, through, Infinity) +
          denseFormCost(leftRows, rightRows, formWidth(tree, left, through)),
      });
  }
  plans.push({
    rowKind: "samples",
    form: "gather",
    left,
    right,
    through: false,
    measured: false,
    cost: sampleRowsCost(tree, batchSize) + sampledFormCost(batchSize, tree.layers.at(-1)![0].cols),
  });
  return plans;
}

/** Multiplying the right side through needs the left one to be a matrix applied to computed rows. */
function throughChoices(tree: FactorTree, left: readonly number[], kind: RowKind): boolean[] {
  const possible = left.length === 1 && tree.layers.length > 1 && kind !== "samples";
  return possible ? [false, true] : [false];
}

function formWidth(tree: FactorTree, left: readonly number[], through: boolean): number {
  const matrix = tree.layers.at(-1)![left[0]];
  return through ? matrix.rows : matrix.cols;
}

/** Cost of all nodes below the root, forward and backward, with at most `cap` rows each. */
function nodesCost(
  tree: FactorTree,
  rows: TreeRows,
  left: readonly number[],
  through: boolean,
  cap: number,
): number {
  let cost = 0;
  const last = tree.layers.length - 1;
  tree.layers.forEach((layer, l) => {
    layer.forEach((matrix, i) => {
      if (l === 0) return;
      const leftChild = through && l === last && left.includes(i);
      const count = leftChild ? Math.min(rows.right.count, cap) : Math.min(rows.countOf(l, i), cap);
      cost += 3 * productCost(count, matrix.rows, matrix.cols);
    });
  });
  for (const product of rows.products)
    if (product.children.length > 1)
      cost +=
        3 *
        costWeights.elementwise *
        product.children.length *
        Math.min(product.count, cap) *
        product.width;
  return cost;
}

/** Cost of all nodes when every sample is a row. */
function sampleRowsCost(tree: FactorTree, samples: number): number {
  let cost = 0;
  tree.layers.forEach((layer, l) => {
    for (const matrix of layer)
      cost +=
        (l === 0 ? 2 : 3) * productCost(samples, matrix.rows, matrix.cols) +
        2 * costWeights.elementwise * samples * matrix.cols;
  });
  return cost;
}
