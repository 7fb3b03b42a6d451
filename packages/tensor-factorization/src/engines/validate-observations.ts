import { FactorizationError } from "../errors.ts";
import { inputShape, modeSizesOf } from "../model/spec.ts";
import type { FactorizationSpec } from "../model/types.ts";
import type { Observations } from "./engine.ts";

/** The number of input values of one sample when it is given by encodings (sensing). */
export function inputSize(spec: FactorizationSpec): number {
  const [first, second] = inputShape(spec);
  return first * second;
}

/**
 * Checks that observations fit a specification: numbers of values, indices within the mode sizes, at
 * least one sample.
 *
 * @throws FactorizationError naming what does not fit.
 */
export function validateObservations(spec: FactorizationSpec, observations: Observations): void {
  const { samples, targets } = observations;
  if (!Number.isSafeInteger(samples) || samples < 1) {
    throw new FactorizationError(`samples: ${samples} given; give at least one`);
  }
  requireLength("targets", targets.length, samples);
  if (observations.task === "sensing") {
    requireLength("inputs", observations.inputs.length, samples * inputSize(spec));
    return;
  }
  const modeSizes = modeSizesOf(spec);
  requireLength("indices", observations.indices.length, samples * modeSizes.length);
  validateIndices(modeSizes, observations.indices);
}

/** @throws FactorizationError for the first index that lies outside its mode. */
export function validateIndices(modeSizes: readonly number[], indices: Int32Array): void {
  const order = modeSizes.length;
  for (let i = 0; i < indices.length; i++) {
    const mode = i % order;
    if (indices[i] < 0 || indices[i] >= modeSizes[mode]) {
      throw new FactorizationError(
        `indices: sample ${Math.floor(i / order)} has index ${indices[i]} at mode ${mode}, which has size ${modeSizes[mode]}; check that the data set is of this size`,
      );
    }
  }
}

/** @throws FactorizationError for an empty batch, or one larger than the observations. */
export function requireBatch(batch: Int32Array | undefined, samples: number): void {
  if (batch === undefined || (batch.length > 0 && batch.length <= samples)) return;
  throw new FactorizationError(
    `--batch_size: a batch of ${batch.length} samples given where 1 … ${samples} are possible`,
  );
}

function requireLength(field: string, length: number, expected: number): void {
  if (length === expected) return;
  throw new FactorizationError(
    `${field}: ${length} values given where ${expected} are needed; check that the data set fits the factorization`,
  );
}
