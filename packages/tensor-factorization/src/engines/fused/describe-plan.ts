import type { ChainOrder } from "./chain-order.ts";
import type { FusedPlan } from "./fused-model.ts";

/** One line on how a step is computed: the strategy, the order of contraction, its cost. */
export function describePlan(plan: FusedPlan): string {
  const cost = `${(plan.cost / 1e6).toPrecision(3)} million multiply-adds a step`;
  return plan.kind === "matrix"
    ? `${plan.form}, ${describeChain(plan.order)}, ${cost}`
    : `${plan.form}, ${describeTree(plan)}, ${cost}`;
}

function describeChain(order: ChainOrder): string {
  if ("factor" in order) return `W${order.factor + 1}`;
  return `(${describeChain(order.left)} ${describeChain(order.right)})`;
}

function describeTree({
  rowKind,
  left,
  right,
  through,
  measured,
}: Extract<FusedPlan, { kind: "tree" }>): string {
  const rows = {
    all: "all index combinations",
    observed: "observed index combinations",
    samples: "one row a sample",
  }[rowKind];
  const sides = `root {${left.join(", ")}} × {${right.join(", ")}}`;
  return `${rows}, ${sides}${through ? ", right side through the left matrix" : ""}${measured ? ", full tensor measured" : ""}`;
}
