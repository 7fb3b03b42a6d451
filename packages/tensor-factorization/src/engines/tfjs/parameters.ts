import * as tf from "@tensorflow/tfjs-core";
import type { Factorization } from "../../model/types.ts";

/** The parameter matrices as float32 tensors, copies in the order of the layout. */
export function parameterTensors({ layout, values }: Factorization): tf.Tensor2D[] {
  return layout.map(({ rows, cols, offset }) =>
    tf.tensor2d(Float32Array.from(values.subarray(offset, offset + rows * cols)), [rows, cols]),
  );
}

/** Copies tensors in the order of the layout into the parameters of a factorization. */
export async function assignParameters(
  { layout, values }: Factorization,
  tensors: readonly tf.Tensor[],
): Promise<void> {
  const arrays = await Promise.all(tensors.map((tensor) => tensor.data()));
  arrays.forEach((array, i) => values.set(array, layout[i].offset));
}
