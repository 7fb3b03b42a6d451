import type { PoolPattern } from "../mode-tree/pool-pattern.ts";

/** Deep matrix factorization W = W_1 W_2 … W_L; `sizes` are rows, hidden sizes …, columns. */
export interface MatrixSpec {
  readonly kind: "mf";
  readonly sizes: readonly number[];
}

/** CP factorization: a sum of `components` outer products, weighted if `outputWeights`. */
export interface CpSpec {
  readonly kind: "cp";
  readonly modeSizes: readonly number[];
  readonly components: number;
  readonly outputWeights: boolean;
}

/** Hierarchical Tucker factorization along a mode tree; one width and one pool size a hidden layer. */
export interface HierarchicalSpec {
  readonly kind: "ht";
  readonly modeSizes: readonly number[];
  readonly widths: readonly number[];
  readonly poolSizes: readonly number[];
  readonly poolPattern: PoolPattern;
  readonly outputWeights: boolean;
}

/** Which factorization of a tensor of which shape. */
export type FactorizationSpec = MatrixSpec | CpSpec | HierarchicalSpec;

/** Where a parameter matrix lies in the flat vector; row-major. */
export interface ParameterLayout {
  readonly name: string;
  readonly rows: number;
  readonly cols: number;
  readonly offset: number;
}

/** Training is in single precision, finite differences in double. */
export type Floats = Float32Array | Float64Array;

/** A model and its parameters. */
export interface Factorization {
  readonly spec: FactorizationSpec;
  readonly layout: readonly ParameterLayout[];
  /** All parameters, one contiguous vector in the order of `layout`. */
  readonly values: Floats;
}
