import { FactorizationError } from "../errors.ts";
import { numHiddenLayers } from "../mode-tree/mode-tree.ts";
import type { PoolPattern } from "../mode-tree/pool-pattern.ts";
import type { CpSpec, FactorizationSpec, HierarchicalSpec, MatrixSpec } from "./types.ts";
import { defaultSpecFlags, type SpecFlags, validateSpec } from "./validate-spec.ts";

/** Far beyond what any start trains from; a list of so many sizes still takes no memory to speak of. */
const maxDepth = 10_000;

/**
 * A rows × cols matrix as a product of `depth` (3 unless told) matrices, all hidden sizes
 * min(rows, cols).
 *
 * @throws FactorizationError if a size or the depth is not a positive integer, or the depth above 10,000.
 */
export function matrixSpec(
  options: { rows: number; cols: number; depth?: number },
  flags: SpecFlags = defaultSpecFlags,
): MatrixSpec {
  const { rows, cols, depth = 3 } = options;
  if (!Number.isSafeInteger(depth) || depth < 1) {
    throw new FactorizationError(`${flags.depth}: ${depth} given; give an integer of at least 1`);
  }
  if (depth > maxDepth) {
    throw new FactorizationError(`${flags.depth}: ${depth} given; give at most ${maxDepth}`);
  }
  const hidden = Array.from({ length: depth - 1 }, () => Math.min(rows, cols));
  return validateSpec({ kind: "mf", sizes: [rows, ...hidden, cols] }, flags);
}

/**
 * A CP factorization; `components` absent or -1 means the most that a tensor of these sizes can
 * need, `maximalCpComponents`.
 *
 * @throws FactorizationError if an order, size or number of components is out of range.
 */
export function cpSpec(
  options: { modeSizes: readonly number[]; components?: number; outputWeights?: boolean },
  flags: SpecFlags = defaultSpecFlags,
): CpSpec {
  const { modeSizes, components = -1, outputWeights = false } = options;
  const resolved = components === -1 ? maximalCpComponents(modeSizes) : components;
  return validateSpec({ kind: "cp", modeSizes, components: resolved, outputWeights }, flags);
}

/**
 * A hierarchical factorization. `poolSize` (2 unless told) is one number for every layer, or one a
 * layer; `widths` absent means `maximalCpComponents` at every layer.
 *
 * @throws FactorizationError if an order, size, width or pool size is out of range or their numbers
 * do not fit.
 */
export function hierarchicalSpec(
  options: {
    modeSizes: readonly number[];
    widths?: readonly number[];
    poolSize?: number | readonly number[];
    poolPattern?: PoolPattern;
    outputWeights?: boolean;
  },
  flags: SpecFlags = defaultSpecFlags,
): HierarchicalSpec {
  const { modeSizes, poolSize = 2, poolPattern = "checkerboard", outputWeights = true } = options;
  const poolSizes =
    typeof poolSize === "number" ? samePoolSizes(modeSizes.length, poolSize) : poolSize;
  const widths = options.widths ?? poolSizes.map(() => maximalCpComponents(modeSizes));
  return validateSpec(
    { kind: "ht", modeSizes, widths, poolSizes, poolPattern, outputWeights },
    flags,
  );
}

/** A single size that can never end the tree stays as it is, for `validateSpec` to refuse. */
function samePoolSizes(order: number, poolSize: number): number[] {
  if (!(poolSize >= 2)) return [poolSize];
  return Array.from({ length: numHiddenLayers(order, poolSize) }, () => poolSize);
}

/**
 * The product of all mode sizes but the largest: every tensor of these sizes is a sum of that many
 * outer products.
 */
export function maximalCpComponents(modeSizes: readonly number[]): number {
  return modeSizes.reduce((product, size) => product * size, 1) / Math.max(...modeSizes);
}

/** The sizes of the tensor that a specification factorizes; a matrix has two modes. */
export function modeSizesOf(spec: FactorizationSpec): readonly number[] {
  return spec.kind === "mf" ? [spec.sizes[0], spec.sizes.at(-1)!] : spec.modeSizes;
}

/** The number of entries of the tensor that a specification factorizes. */
export function entryCount(spec: FactorizationSpec): number {
  return modeSizesOf(spec).reduce((product, size) => product * size, 1);
}

/** The shape of one sample given by encodings: rows × cols for MF, else order × largest mode size. */
export function inputShape(spec: FactorizationSpec): readonly number[] {
  const modeSizes = modeSizesOf(spec);
  return spec.kind === "mf" ? modeSizes : [modeSizes.length, Math.max(...modeSizes)];
}
