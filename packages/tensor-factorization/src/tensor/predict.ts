import ndarray, { type NdArray } from "ndarray";
import { bindModel } from "../engines/plain/bind-model.ts";
import type { ModelInputs } from "../engines/plain/bound-model.ts";
import { inputSize, validateIndices } from "../engines/validate-observations.ts";
import { FactorizationError } from "../errors.ts";
import { inputShape, modeSizesOf } from "../model/spec.ts";
import type { Factorization, FactorizationSpec, Floats } from "../model/types.ts";
import { contiguous } from "./contiguous.ts";

/** So many samples are evaluated at a time, which bounds the memory of wide factorizations. */
const chunkSize = 512;

/**
 * The values of a factorization at inputs, in double precision.
 *
 * - Index tuples: an int32 array of shape samples × order gives the tensor's entries there.
 * - Encodings: a float array of shape samples × order × largest mode size (smaller modes padded with
 *   zeros) gives ⟨x_1 ⊗ … ⊗ x_N, T⟩; for MF of shape samples × rows × cols it gives ⟨A_s, W⟩.
 *
 * @throws FactorizationError if the shape does not fit or an index is out of range.
 */
export function predict(
  factorization: Factorization,
  inputs: NdArray<Int32Array> | NdArray<Float32Array> | NdArray<Float64Array>,
): NdArray<Float64Array> {
  const { spec } = factorization;
  requireShape(spec, inputs.shape, inputs.data instanceof Int32Array);
  const samples = inputs.shape[0];
  const values = new Float64Array(samples);
  const data = contiguous<Int32Array | Floats>(inputs);
  if (data instanceof Int32Array) validateIndices(modeSizesOf(spec), data);
  for (let start = 0; start < samples; start += chunkSize) {
    const count = Math.min(chunkSize, samples - start);
    const model = bindModel(factorization, chunkOf(spec, data, start, count));
    model.select();
    model.forward(values.subarray(start, start + count));
  }
  return ndarray(values, [samples]);
}

function chunkOf(
  spec: FactorizationSpec,
  data: Int32Array | Floats,
  start: number,
  samples: number,
): ModelInputs {
  if (data instanceof Int32Array) {
    const order = modeSizesOf(spec).length;
    const indices = data.subarray(start * order, (start + samples) * order);
    return { task: "completion", indices, samples };
  }
  const size = inputSize(spec);
  const inputs = data.subarray(start * size, (start + samples) * size);
  return { task: "sensing", inputs, samples };
}

function requireShape(spec: FactorizationSpec, shape: readonly number[], indices: boolean): void {
  const expected = indices ? [modeSizesOf(spec).length] : inputShape(spec);
  if (shape.length === expected.length + 1 && expected.every((size, i) => shape[i + 1] === size)) {
    return;
  }
  throw new FactorizationError(
    `inputs: shape ${shape.join("×")} given where samples×${expected.join("×")} is needed for ${indices ? "index tuples" : "encodings"}`,
  );
}
