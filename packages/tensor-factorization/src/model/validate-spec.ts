import { FactorizationError } from "../errors.ts";
import { nodeCounts } from "../mode-tree/mode-tree.ts";
import { poolPatterns } from "../mode-tree/pool-pattern.ts";
import type { CpSpec, FactorizationSpec, HierarchicalSpec, MatrixSpec } from "./types.ts";

/** The flags that messages name: those of `train`, or those of a generator for its target. */
export interface SpecFlags {
  readonly depth: string;
  readonly sizes: string;
  readonly components: string;
  readonly widths: string;
  readonly poolSize: string;
  readonly poolPattern: string;
}

/** What a specification is called in messages, unless the caller has other names for it. */
export const defaultSpecFlags: SpecFlags = {
  depth: "--depth",
  sizes: "mode sizes",
  components: "--num_cp_components",
  widths: "--ht_layer_widths",
  poolSize: "--ht_pool_size",
  poolPattern: "--ht_pool_pattern",
};

/**
 * Returns the specification if its numbers are positive integers and fit one another.
 *
 * @throws FactorizationError (exit code 2) with one line: the flag, what is wrong, the remedy.
 */
export function validateSpec<Spec extends FactorizationSpec>(
  spec: Spec,
  flags: SpecFlags = defaultSpecFlags,
): Spec {
  switch (spec.kind) {
    case "mf":
      validateMatrix(spec, flags);
      break;
    case "cp":
      validateCp(spec, flags);
      break;
    case "ht":
      validateHierarchical(spec, flags);
      break;
    default:
      throw new FactorizationError("factorization kind: must be mf, cp or ht");
  }
  return spec;
}

function validateMatrix(spec: MatrixSpec, flags: SpecFlags): void {
  if (spec.sizes.length < 2) {
    throw new FactorizationError(
      `${flags.sizes}: ${spec.sizes.length} given for a matrix; give rows, hidden sizes, columns`,
    );
  }
  requirePositive(spec.sizes, flags.sizes);
}

function validateCp(spec: CpSpec, flags: SpecFlags): void {
  validateModeSizes(spec.modeSizes, flags);
  if (!isPositiveInteger(spec.components)) {
    throw new FactorizationError(
      `${flags.components}: ${spec.components} is not a number of components; give a positive integer, or -1 for the maximal number`,
    );
  }
}

function validateHierarchical(spec: HierarchicalSpec, flags: SpecFlags): void {
  validateModeSizes(spec.modeSizes, flags);
  if (!poolPatterns.includes(spec.poolPattern)) {
    throw new FactorizationError(
      `${flags.poolPattern}: "${String(spec.poolPattern)}" is unknown; choose one of ${poolPatterns.join(", ")}`,
    );
  }
  validatePoolSizes(spec, flags);
  requirePositive(spec.widths, flags.widths);
  const layers = spec.poolSizes.length;
  if (spec.widths.length !== layers) {
    throw new FactorizationError(
      `${flags.widths}: ${spec.widths.length} given, but order ${spec.modeSizes.length} with pool sizes ${spec.poolSizes.join(", ")} has ${layers} hidden layers; give ${layers}`,
    );
  }
}

function validatePoolSizes(spec: HierarchicalSpec, flags: SpecFlags): void {
  const order = spec.modeSizes.length;
  const { poolSizes } = spec;
  if (poolSizes.length === 1 && order > 1 && !(poolSizes[0] >= 2)) {
    throw new FactorizationError(
      `${flags.poolSize}: ${poolSizes[0]} never merges ${order} modes into one; give an integer of at least 2`,
    );
  }
  requirePositive(poolSizes, flags.poolSize);
  const counts = nodeCounts(order, poolSizes);
  if (counts.at(-1) !== 1) {
    throw new FactorizationError(
      `${flags.poolSize}: ${poolSizes.join(", ")} leave ${counts.at(-1)} of ${order} modes unmerged; give larger pool sizes or more layers`,
    );
  }
  const merged = counts.indexOf(1);
  if (merged < poolSizes.length) {
    throw new FactorizationError(
      `${flags.poolSize}: ${poolSizes.length} layers given, but ${merged} of them merge all ${order} modes; give ${merged}`,
    );
  }
  const notSquare = poolSizes.find((size) => !Number.isInteger(Math.sqrt(size)));
  if (spec.poolPattern === "checkerboard_sq" && notSquare !== undefined) {
    throw new FactorizationError(
      `${flags.poolSize}: ${notSquare} is not a square number, which ${flags.poolPattern} checkerboard_sq needs; give 4, 9, 16, …`,
    );
  }
}

function validateModeSizes(modeSizes: readonly number[], flags: SpecFlags): void {
  if (modeSizes.length < 2) {
    throw new FactorizationError(
      `${flags.sizes}: order ${modeSizes.length} is not a tensor to factorize; give at least 2 modes`,
    );
  }
  requirePositive(modeSizes, flags.sizes);
}

function requirePositive(numbers: readonly number[], flag: string): void {
  const wrong = numbers.find((value) => !isPositiveInteger(value));
  if (wrong !== undefined) {
    throw new FactorizationError(`${flag}: ${wrong} is not a positive integer`);
  }
}

function isPositiveInteger(value: number): boolean {
  return Number.isSafeInteger(value) && value >= 1;
}
