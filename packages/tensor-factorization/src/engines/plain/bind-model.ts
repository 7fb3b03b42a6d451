import type { Factorization } from "../../model/types.ts";
import type { BoundModel, ModelInputs } from "./bound-model.ts";
import { bindHierarchical } from "./hierarchical.ts";
import { bindMatrix } from "./matrix.ts";

/** Binds any of the three models to inputs. */
export function bindModel(factorization: Factorization, inputs: ModelInputs): BoundModel {
  const { spec } = factorization;
  return spec.kind === "mf"
    ? bindMatrix(factorization, inputs)
    : bindHierarchical({ ...factorization, spec }, inputs);
}
