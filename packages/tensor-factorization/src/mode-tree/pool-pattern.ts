/**
 * The order in which a layer's nodes line up before consecutive groups of them are pooled.
 * - `checkerboard`: as they are, so neighbors are pooled first.
 * - `half`: node i stands beside node i + ⌊M/2⌋, so distant nodes are pooled first.
 * - `checkerboard_sq`: the nodes are a square grid, pooled in square patches, as in a CNN on images.
 */
export type PoolPattern = "checkerboard" | "half" | "checkerboard_sq";

/** The names of all pool patterns. */
export const poolPatterns: readonly PoolPattern[] = ["checkerboard", "half", "checkerboard_sq"];

/**
 * The permutation of `nodes` nodes for pooling in groups of `poolSize`: entry p is the number of the
 * node at place p. Group g then holds the places g·poolSize … (g+1)·poolSize - 1.
 */
export function poolPermutation(pattern: PoolPattern, nodes: number, poolSize: number): number[] {
  switch (pattern) {
    case "checkerboard":
      return range(0, nodes);
    case "half":
      return interleavedHalves(nodes);
    case "checkerboard_sq":
      return squarePatches(nodes, poolSize);
  }
}

function range(start: number, end: number): number[] {
  return Array.from({ length: Math.max(0, end - start) }, (_, i) => start + i);
}

/** First and second half interleaved; the middle node of an odd number goes last. */
function interleavedHalves(nodes: number): number[] {
  const half = Math.floor(nodes / 2);
  const secondHalf = nodes - half;
  const pairs = range(0, half).flatMap((i) => [i, secondHalf + i]);
  return nodes % 2 === 0 ? pairs : [...pairs, half];
}

/**
 * Square patches of √poolSize × √poolSize on the ⌊√nodes⌋² grid, then the columns left over at its
 * right, then the rows left over at its bottom, then the nodes beyond the grid.
 */
function squarePatches(nodes: number, poolSize: number): number[] {
  if (nodes <= poolSize) return range(0, nodes);
  const side = Math.floor(Math.sqrt(nodes));
  const patch = Math.round(Math.sqrt(poolSize));
  const covered = Math.floor(side / patch) * patch;
  const at = (row: number, col: number): number => row * side + col;
  const block = (top: number, bottom: number, left: number, right: number): number[] =>
    range(top, bottom).flatMap((row) => range(left, right).map((col) => at(row, col)));

  const patches: number[] = [];
  for (let top = 0; top < covered; top += patch) {
    for (let left = 0; left < covered; left += patch) {
      patches.push(...block(top, top + patch, left, left + patch));
    }
  }
  return [
    ...patches,
    ...block(0, side, covered, side),
    ...block(covered, side, 0, covered),
    ...range(side * side, nodes),
  ];
}
