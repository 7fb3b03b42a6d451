import ndarray, { type NdArray } from "ndarray";
import { FactorizationError } from "../errors.ts";
import { parameterCount, parameterLayout } from "./parameter-layout.ts";
import type { Factorization, FactorizationSpec, Floats } from "./types.ts";
import { validateSpec } from "./validate-spec.ts";

/**
 * A factorization with the given parameters (shared, not copied), or with zeros in single precision.
 *
 * @throws FactorizationError if the specification is not valid or `values` has the wrong length.
 */
export function createFactorization(spec: FactorizationSpec, values?: Floats): Factorization {
  const layout = parameterLayout(validateSpec(spec));
  const count = parameterCount(layout);
  if (values !== undefined && values.length !== count) {
    throw new FactorizationError(
      `parameters: ${values.length} values given, but the factorization has ${count}; check its sizes`,
    );
  }
  return { spec, layout, values: values ?? new Float32Array(count) };
}

/** One rows × cols view for each parameter matrix, sharing memory with `factorization.values`. */
export function parameterViews(factorization: Factorization): NdArray<Floats>[] {
  return factorization.layout.map(({ rows, cols, offset }) =>
    ndarray(factorization.values, [rows, cols], [cols, 1], offset),
  );
}
