import type { NdArray } from "ndarray";
import type { Floats } from "../model/types.ts";

/** The numbers of a view in row-major order: shared where they lie so already, else copied. */
export function contiguous<Data extends Floats | Int32Array>(view: NdArray<Data>): Data {
  const { data, offset, size } = view;
  if (isRowMajor(view)) return data.subarray(offset, offset + size) as Data;
  const out = emptyLike(data, size);
  let at = 0;
  const visit = (axis: number, position: number): void => {
    if (axis === view.shape.length) {
      out[at++] = data[position];
      return;
    }
    for (let i = 0; i < view.shape[axis]; i++) visit(axis + 1, position + i * view.stride[axis]);
  };
  visit(0, offset);
  return out;
}

function emptyLike<Data extends Floats | Int32Array>(data: Data, size: number): Data {
  if (data instanceof Int32Array) return new Int32Array(size) as Data;
  return (data instanceof Float32Array ? new Float32Array(size) : new Float64Array(size)) as Data;
}

function isRowMajor({ shape, stride }: NdArray<Floats | Int32Array>): boolean {
  let expected = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    if (shape[axis] !== 1 && stride[axis] !== expected) return false;
    expected *= shape[axis];
  }
  return true;
}
