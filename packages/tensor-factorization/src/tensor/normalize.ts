import { FactorizationError } from "../errors.ts";
import { homogeneityDegree } from "../model/homogeneity.ts";
import type { Factorization } from "../model/types.ts";
import { frobeniusNorm } from "../metrics/norms.ts";
import { fullTensor } from "./full-tensor.ts";

/**
 * Multiplies every parameter by (norm / ‖T‖)^(1/k), k the degree of homogeneity, so that the tensor's
 * Frobenius norm becomes `norm`. Contracts the whole tensor.
 *
 * @throws FactorizationError if the tensor is zero or not finite, which no factor can change.
 */
export function normalize(factorization: Factorization, norm: number): void {
  const { spec, values } = factorization;
  const present = frobeniusNorm(fullTensor(factorization).data);
  if (!(present > 0) || !Number.isFinite(present)) {
    throw new FactorizationError(
      `normalize: the tensor has norm ${present} and cannot be scaled to ${norm}; initialize it with other numbers`,
    );
  }
  const factor = (norm / present) ** (1 / homogeneityDegree(spec));
  for (let i = 0; i < values.length; i++) values[i] *= factor;
}
