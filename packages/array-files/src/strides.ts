import type { ArrayData } from "./array-file.ts";

/** Elements between neighbors along each axis of a row-major array. */
export function rowMajorStrides(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length);
  let stride = 1;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride;
    stride *= shape[axis]!;
  }
  return strides;
}

/** A row-major copy of the array whose element (i, j, …) lies at start + i·strides[0] + j·strides[1] + … */
export function reorderStrided<T extends ArrayData>(
  data: T,
  shape: readonly number[],
  strides: readonly number[],
  start: number,
): T {
  const count = shape.reduce((product, size) => product * size, 1);
  const out = data.slice(0, count) as T;
  const position = new Array<number>(shape.length).fill(0);
  let offset = start;
  for (let i = 0; i < count; i++) {
    out[i] = data[offset]!;
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      position[axis]!++;
      offset += strides[axis]!;
      if (position[axis]! < shape[axis]!) break;
      offset -= strides[axis]! * shape[axis]!;
      position[axis] = 0;
    }
  }
  return out;
}
