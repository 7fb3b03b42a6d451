import type { SpectrumFactory } from "../../metrics/spectrum.ts";
import type { Floats } from "../../model/types.ts";
import type { Observations } from "../engine.ts";

/** Evaluates a compiled factorization at its current parameters. All arrays are reused. */
export interface Evaluation {
  /** Evaluates; the other functions give the results of the last run. */
  run(): void;
  /** All entries, row-major in mode order; undefined where they are too many. */
  tensor(): Floats | undefined;
  /** The predictions of the validation observations, in their order. */
  predictions(): Floats;
  /** Whether `tensor` is ever defined. */
  readonly hasTensor: boolean;
  /** The spectrum of a matricization of tensors of this shape. */
  readonly spectrum: SpectrumFactory;
}

/** What a model evaluates by itself. */
export type ModelEvaluation = Pick<Evaluation, "run" | "tensor" | "predictions">;

/** Completion observations read off the full tensor. */
export function readEntries<Values extends Floats>(
  tensor: Values,
  modeSizes: readonly number[],
  indices: Int32Array,
  out: Values,
): Values {
  const order = modeSizes.length;
  for (let s = 0; s < out.length; s++) {
    let position = 0;
    for (let mode = 0; mode < order; mode++)
      position = position * modeSizes[mode] + indices[s * order + mode];
    out[s] = tensor[position];
  }
  return out;
}

/** ⟨A_s, W⟩ for every sensing matrix of the observations. */
export function measureMatrix(
  matrix: Float32Array,
  observations: Observations,
  out: Float32Array,
): Float32Array {
  if (observations.task === "completion") return out;
  const { inputs } = observations;
  for (let s = 0; s < out.length; s++) {
    let sum = 0;
    const start = s * matrix.length;
    for (let i = 0; i < matrix.length; i++) sum += inputs[start + i] * matrix[i];
    out[s] = sum;
  }
  return out;
}
