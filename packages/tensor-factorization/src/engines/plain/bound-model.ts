import type { Floats } from "../../model/types.ts";

/** Index tuples (samples × order), or encodings (see `Observations`). */
export type ModelInputs =
  | { readonly task: "completion"; readonly indices: Int32Array; readonly samples: number }
  | { readonly task: "sensing"; readonly inputs: Floats; readonly samples: number };

/** A factorization bound to inputs: predictions and their gradient, on arrays made once. */
export interface BoundModel {
  /** Chooses the samples that the next calls are about, all if absent; returns how many. */
  select(batch?: Int32Array): number;
  /** Writes the prediction of each selected sample. */
  forward(predictions: Float64Array): void;
  /**
   * Makes the arrays that differentiation needs and returns the backward pass: it writes to
   * `gradient`, in the order of the layout, the gradient of Σ_s predictionGradient[s] · prediction_s
   * at the parameters of the last `forward`.
   */
  differentiate(gradient: Float64Array): (predictionGradient: Float64Array) => void;
}
