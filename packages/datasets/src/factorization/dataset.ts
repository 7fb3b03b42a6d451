/** Measurements of a target matrix or tensor, in samples that a factorization is trained and tested on. */
export interface FactorizationDataset {
  readonly kind: "matrix" | "tensor";
  readonly task: "completion" | "sensing";
  /** Matrix: rows, columns. */
  readonly modeSizes: readonly number[];
  readonly samples: number;
  /** Completion: the observed entries, samples × order. */
  readonly indices?: Int32Array;
  /** Sensing: samples × rows × columns for a matrix, samples × order × mode size for a tensor. */
  readonly inputs?: Float32Array;
  readonly targets: Float32Array;
  /** The whole target, row-major over `modeSizes`. Tensor sets of the PyTorch scripts do not hold it. */
  readonly targetTensor?: Float32Array;
  /** Where the data come from: generator, version, flags, seed. */
  readonly provenance: Readonly<Record<string, unknown>>;
}

/**
 * A target for `generateTensorDataset`. Whoever makes it also normalizes it (`tensorTargetNorm` says to
 * what): `tensor` and `measure` are used as they are.
 */
export interface TensorTarget {
  readonly modeSizes: readonly number[];
  /** All entries, row-major in the order of `modeSizes`. */
  readonly tensor: Float32Array;
  /** ⟨x_1 ⊗ … ⊗ x_N, T⟩ for each row of `inputs` (samples × N × mode size): the forward of the target's model. */
  measure(inputs: Float32Array, samples: number): Float32Array;
}

/** More elements than this (4 GiB of float32) are refused before anything is allocated. */
export const MAX_ELEMENTS = 2 ** 30;

/** The Frobenius norm √Σ x², accumulated in float64. */
export function frobeniusNorm(values: Float32Array | Float64Array): number {
  let squares = 0;
  for (const value of values) squares += value * value;
  return Math.sqrt(squares);
}
