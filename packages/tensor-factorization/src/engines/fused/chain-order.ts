import { productCost } from "./cost-model.ts";

/** A parenthesization of W_1 W_2 … W_L: a factor, or the product of two consecutive parts. */
export type ChainOrder =
  | { readonly factor: number; readonly rows: number; readonly cols: number }
  | {
      readonly left: ChainOrder;
      readonly right: ChainOrder;
      readonly rows: number;
      readonly inner: number;
      readonly cols: number;
    };

/**
 * The cheapest parenthesization of the product of factors of shapes sizes[l] × sizes[l + 1], by
 * dynamic programming (matrix-chain order). `rootWeight` multiplies the cost of the outermost product,
 * which is cheaper than a matrix product when only some of its entries are needed.
 *
 * Reverse-mode differentiation of a product C = A·B costs two products of the same size, so the
 * cheapest order forward is the cheapest forward and backward.
 */
export function cheapestChainOrder(sizes: readonly number[], rootWeight = 1): ChainOrder {
  const length = sizes.length - 1;
  const best: { cost: number; order: ChainOrder }[][] = [];
  for (let first = length - 1; first >= 0; first--) {
    best[first] = [];
    best[first][first] = {
      cost: 0,
      order: { factor: first, rows: sizes[first], cols: sizes[first + 1] },
    };
    for (let last = first + 1; last < length; last++) {
      const weight = first === 0 && last === length - 1 ? rootWeight : 1;
      best[first][last] = cheapestSplit(best, sizes, first, last, weight);
    }
  }
  return best[0][length - 1].order;
}

function cheapestSplit(
  best: readonly { cost: number; order: ChainOrder }[][],
  sizes: readonly number[],
  first: number,
  last: number,
  weight: number,
): { cost: number; order: ChainOrder } {
  let cheapest: { cost: number; order: ChainOrder } | undefined;
  for (let split = first; split < last; split++) {
    const left = best[first][split];
    const right = best[split + 1][last];
    const rows = sizes[first];
    const inner = sizes[split + 1];
    const cols = sizes[last + 1];
    const cost = left.cost + right.cost + weight * productCost(rows, cols, inner);
    if (cheapest === undefined || cost < cheapest.cost)
      cheapest = { cost, order: { left: left.order, right: right.order, rows, inner, cols } };
  }
  return cheapest!;
}

/** Multiply-adds of evaluating the chain in this order. */
export function chainCost(order: ChainOrder): number {
  if ("factor" in order) return 0;
  return (
    chainCost(order.left) +
    chainCost(order.right) +
    productCost(order.rows, order.cols, order.inner)
  );
}
