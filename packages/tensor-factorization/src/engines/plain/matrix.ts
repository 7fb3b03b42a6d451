import {
  multiply,
  multiplyTransposedLeft,
  multiplyTransposedRight,
} from "../../linear-algebra/products.ts";
import type { Factorization } from "../../model/types.ts";
import type { BoundModel, ModelInputs } from "./bound-model.ts";

/**
 * Deep matrix factorization W = W_1 … W_L measured by ⟨A_s, W⟩, where A_s is one at an index pair
 * (completion) or given (sensing).
 *
 * With G = Σ_s g_s A_s, the gradient of W_l is (W_1 … W_{l-1})ᵀ G (W_{l+1} … W_L)ᵀ. Left factors are
 * kept from the forward chain, right ones are multiplied onto G one by one.
 */
export function bindMatrix(factorization: Factorization, inputs: ModelInputs): BoundModel {
  const { layout, values } = factorization;
  const depth = layout.length;
  const rows = layout[0].rows;
  const cols = layout[depth - 1].cols;
  const weights = new Float64Array(values.length);
  const layers = layout.map((l) => weights.subarray(l.offset, l.offset + l.rows * l.cols));
  /** prefixes[l] = W_1 … W_{l+1}; the last is W itself. */
  const prefixes = layout.map((l, i) => (i === 0 ? layers[0] : new Float64Array(rows * l.cols)));
  const product = prefixes[depth - 1];
  const measurement = bindMeasurement(inputs, rows, cols);

  return {
    select: (batch) => measurement.select(batch),
    forward(predictions) {
      weights.set(values);
      for (let l = 1; l < depth; l++) {
        multiply(prefixes[l - 1], layers[l], prefixes[l], rows, layout[l].rows, layout[l].cols);
      }
      measurement.measure(product, predictions);
    },
    differentiate(gradient) {
      const parts = layout.map((l) => gradient.subarray(l.offset, l.offset + l.rows * l.cols));
      /** suffixed[l] = G (W_{l+2} … W_L)ᵀ, rows × columns of W_{l+1}; the first is a gradient. */
      const suffixed = layout.map((l, i) => (i === 0 ? parts[0] : new Float64Array(rows * l.cols)));
      return (predictionGradient) => {
        measurement.accumulate(predictionGradient, suffixed[depth - 1]);
        for (let l = depth - 1; l > 0; l--) {
          const { rows: inner, cols: outer } = layout[l];
          multiplyTransposedLeft(prefixes[l - 1], suffixed[l], parts[l], rows, inner, outer);
          multiplyTransposedRight(suffixed[l], layers[l], suffixed[l - 1], rows, inner, outer);
        }
      };
    },
  };
}

/** The measurements of a matrix and their adjoint. */
interface Measurement {
  select(batch?: Int32Array): number;
  /** values[s] = ⟨A_s, matrix⟩ */
  measure(matrix: Float64Array, values: Float64Array): void;
  /** matrix = Σ_s values[s] · A_s */
  accumulate(values: Float64Array, matrix: Float64Array): void;
}

function bindMeasurement(inputs: ModelInputs, rows: number, cols: number): Measurement {
  let batch: Int32Array | undefined;
  let count = inputs.samples;
  const select = (chosen?: Int32Array): number => {
    batch = chosen;
    count = chosen?.length ?? inputs.samples;
    return count;
  };
  const sampleAt = (position: number): number => (batch === undefined ? position : batch[position]);

  if (inputs.task === "completion") {
    const { indices } = inputs;
    const entryOf = (sample: number): number =>
      indices[2 * sample] * cols + indices[2 * sample + 1];
    return {
      select,
      measure(matrix, values) {
        for (let s = 0; s < count; s++) values[s] = matrix[entryOf(sampleAt(s))];
      },
      accumulate(values, matrix) {
        matrix.fill(0);
        for (let s = 0; s < count; s++) matrix[entryOf(sampleAt(s))] += values[s];
      },
    };
  }

  const matrices = inputs.inputs;
  const size = rows * cols;
  return {
    select,
    measure(matrix, values) {
      for (let s = 0; s < count; s++) {
        const start = sampleAt(s) * size;
        let sum = 0;
        for (let i = 0; i < size; i++) sum += matrices[start + i] * matrix[i];
        values[s] = sum;
      }
    },
    accumulate(values, matrix) {
      matrix.fill(0);
      for (let s = 0; s < count; s++) {
        const start = sampleAt(s) * size;
        const value = values[s];
        for (let i = 0; i < size; i++) matrix[i] += value * matrices[start + i];
      }
    },
  };
}
