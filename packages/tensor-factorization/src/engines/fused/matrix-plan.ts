import type { MatrixSpec } from "../../model/types.ts";
import { chainCost, type ChainOrder, cheapestChainOrder } from "./chain-order.ts";
import { costWeights, productCost, sampledFormCost } from "./cost-model.ts";
import type { RootForm } from "./tree-plan.ts";

/** How a step of a deep matrix factorization is computed. */
export interface MatrixPlan {
  readonly order: ChainOrder;
  /** Completion: compute the whole product matrix, or only the entries of the samples. */
  readonly form: RootForm;
  /** Cost of one step in multiply-adds (see `cost-model.ts`). */
  readonly cost: number;
}

export interface MatrixPlanRequest {
  readonly spec: MatrixSpec;
  readonly task: "completion" | "sensing";
  readonly batchSize: number;
  /** The same entry is observed twice: gradients would collide on the grid. */
  readonly duplicates: boolean;
}

/** Every plan that can evaluate the request, cheapest first. */
export function rankMatrixPlans(request: MatrixPlanRequest): readonly MatrixPlan[] {
  const { spec, task, batchSize, duplicates } = request;
  const order = cheapestChainOrder(spec.sizes);
  const chain = 3 * chainCost(order);
  if (task === "sensing")
    return [
      { order, form: "grid", cost: chain + 2 * productCost(batchSize, order.rows, order.cols) },
    ];
  const plans: MatrixPlan[] = duplicates ? [] : [{ order, form: "grid", cost: chain }];
  plans.push(gatherPlan(request));
  return plans.sort((a, b) => a.cost - b.cost);
}

/** Only the samples' entries of the outermost product are computed. */
function gatherPlan({ spec, batchSize }: MatrixPlanRequest): MatrixPlan {
  const entries = spec.sizes[0] * spec.sizes.at(-1)!;
  const order = cheapestChainOrder(spec.sizes, (costWeights.gathered * batchSize) / entries);
  if ("factor" in order) return { order, form: "gather", cost: sampledFormCost(batchSize, 1) };
  const below = 3 * (chainCost(order.left) + chainCost(order.right));
  const transposing = 2 * costWeights.elementwise * order.inner * order.cols;
  const cost = below + transposing + sampledFormCost(batchSize, order.inner);
  return { order, form: "gather", cost };
}
