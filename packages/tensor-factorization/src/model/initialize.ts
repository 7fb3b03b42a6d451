import { FactorizationError } from "../errors.ts";
import type { Factorization } from "./types.ts";
import { modeSizesOf } from "./spec.ts";

/** A source of independent normal numbers: the generator of `@implicit-rank/random`, or any other. */
export interface NormalSource {
  /** Fills `out` with independent normal numbers. */
  fillNormal(out: Float32Array | Float64Array, mean: number, std: number): void;
}

/** Draws all parameters independently from a normal distribution, in the order of the layout. */
export function initializeNormal(
  factorization: Factorization,
  random: NormalSource,
  options: { mean?: number; std: number },
): void {
  random.fillNormal(factorization.values, options.mean ?? 0, options.std);
}

/** Sets every matrix of a deep matrix factorization to std · I (rectangular ones: its top left). */
export function initializeIdentity(factorization: Factorization, std: number): void {
  requireKind(factorization, "mf", "identity initialization");
  factorization.values.fill(0);
  for (const { rows, cols, offset } of factorization.layout) {
    for (let i = 0; i < Math.min(rows, cols); i++)
      factorization.values[offset + i * cols + i] = std;
  }
}

/**
 * Sets the components of a CP factorization to all outer products of one-hot vectors, times std for
 * each factor: component r has its one of factor n at the n-th index of the r-th entry in row-major
 * order. Output weights, if any, become 1.
 *
 * @throws FactorizationError unless there are Π d_n components.
 */
export function initializeOrthogonal(factorization: Factorization, std: number): void {
  requireKind(factorization, "cp", "orthogonal initialization");
  const modeSizes = modeSizesOf(factorization.spec);
  const entries = modeSizes.reduce((product, size) => product * size, 1);
  const components = factorization.layout[0].cols;
  if (components !== entries) {
    throw new FactorizationError(
      `--num_cp_components: ${components} given, but orthogonal initialization needs the product of the mode sizes; give ${entries}`,
    );
  }
  factorization.values.fill(0);
  let stride = entries;
  modeSizes.forEach((size, mode) => {
    const { offset } = factorization.layout[mode];
    stride /= size;
    for (let r = 0; r < components; r++) {
      const index = Math.floor(r / stride) % size;
      factorization.values[offset + index * components + r] = std;
    }
  });
  const output = factorization.layout[modeSizes.length];
  if (output !== undefined)
    factorization.values.fill(1, output.offset, output.offset + output.rows);
}

function requireKind(factorization: Factorization, kind: "mf" | "cp", what: string): void {
  if (factorization.spec.kind === kind) return;
  throw new FactorizationError(
    `--weight_init_type: ${what} is for ${kind} only, not for ${factorization.spec.kind}; use normal`,
  );
}
