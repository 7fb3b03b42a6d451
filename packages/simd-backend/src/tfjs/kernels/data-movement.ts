import {
  backend_util,
  Concat,
  PadV2,
  Slice,
  slice_util,
  Tile,
  Transpose,
  util,
  type KernelConfig,
  type TensorInfo,
} from "@tensorflow/tfjs-core";
import { areFloats, defineKernel } from "../define-kernel.ts";
import type { SimdBackend } from "../simd-backend.ts";

/** An axis of a copy: its length and the elements between its positions on both sides. */
interface CopyAxis {
  readonly length: number;
  readonly from: number;
  readonly to: number;
}

const single: CopyAxis = { length: 1, from: 0, to: 0 };

/** Axes of length 1 left out, and neighbors that are one run on both sides merged. */
function mergeAxes(axes: readonly CopyAxis[]): CopyAxis[] {
  const merged: CopyAxis[] = [];
  for (const axis of axes) {
    if (axis.length === 1) continue;
    const last = merged.at(-1);
    const adjacent =
      last !== undefined &&
      last.from === axis.from * axis.length &&
      last.to === axis.to * axis.length;
    if (adjacent) merged[merged.length - 1] = { ...axis, length: last.length * axis.length };
    else merged.push(axis);
  }
  return merged;
}

/** Copies along axes given from the outermost of the output to the innermost; false beyond five axes that differ. */
function copyAlong(
  backend: SimdBackend,
  axes: readonly CopyAxis[],
  from: number,
  out: number,
): boolean {
  const merged = mergeAxes(axes);
  const last = merged.at(-1);
  let innermost = merged.findIndex((axis) => axis.from === 1);
  const transposed = last?.to === 1 && innermost >= 0 && innermost < merged.length - 1;
  if (!transposed && !(last?.from === 1 && last.to === 1)) {
    innermost = merged.push({ length: 1, from: 1, to: 1 }) - 1;
  }
  const [width] = merged.splice(innermost, 1) as [CopyAxis];
  const rows = merged.pop() ?? single;
  if (merged.length > 3) return false;
  while (merged.length < 3) merged.unshift(single);
  const [first, second, third] = merged as [CopyAxis, CopyAxis, CopyAxis];
  backend.runOperation(transposed ? "stridedTranspose" : "stridedCopy", {
    out,
    in: from,
    outer: [first.length, second.length, third.length],
    rows: rows.length,
    width: width.length,
    inStrides: [first.from, second.from, third.from, rows.from],
    outStrides: [first.to, second.to, third.to, transposed ? width.to : rows.to],
  });
  return true;
}

function strides(shape: readonly number[]): number[] {
  const steps = shape.map(() => 1);
  for (let axis = shape.length - 2; axis >= 0; axis--) {
    steps[axis] = steps[axis + 1]! * shape[axis + 1]!;
  }
  return steps;
}

/** Writes x with its axes in the order `order` at `out`; false where the kernels do not cover it. */
export function permute(
  backend: SimdBackend,
  x: TensorInfo,
  order: readonly number[],
  out: number,
): boolean {
  const from = strides(x.shape);
  const shape = order.map((axis) => x.shape[axis]!);
  const to = strides(shape);
  const axes = order.map((axis, position) => ({
    length: shape[position]!,
    from: from[axis]!,
    to: to[position]!,
  }));
  return copyAlong(backend, axes, backend.floatsPointer(x), out);
}

const transpose = defineKernel<{ x: TensorInfo }, { perm: number[] }>(
  Transpose,
  ({ inputs, attrs, backend }) => {
    const { x } = inputs;
    if (!areFloats(x)) return undefined;
    const shape = attrs.perm.map((axis) => x.shape[axis]!);
    const long = attrs.perm.filter((axis) => x.shape[axis] !== 1);
    if (long.every((axis, position) => position === 0 || axis > long[position - 1]!)) {
      return backend.share(x, shape);
    }
    const { info, pointer } = backend.output(shape);
    if (permute(backend, x, attrs.perm, pointer)) return info;
    backend.disposeData(info.dataId);
    return undefined;
  },
);

interface PadAttributes {
  readonly paddings: readonly [number, number][];
  readonly constantValue: number;
}

const pad = defineKernel<{ x: TensorInfo }, PadAttributes>(PadV2, ({ inputs, attrs, backend }) => {
  const { x } = inputs;
  const { paddings, constantValue } = attrs;
  if (!areFloats(x) || Number.isNaN(constantValue)) return undefined;
  if (paddings.some(([before, after]) => before < 0 || after < 0)) return undefined;
  const shape = x.shape.map((length, axis) => length + paddings[axis]![0] + paddings[axis]![1]);
  const { info, pointer } = backend.output(shape);
  const to = strides(shape);
  const from = strides(x.shape);
  const start = paddings.reduce((sum, [before], axis) => sum + before * to[axis]!, 0);
  const axes = x.shape.map((length, axis) => ({ length, from: from[axis]!, to: to[axis]! }));
  const count = util.sizeFromShape(shape);
  backend.runOperation("fill", { out: pointer, value: constantValue, count });
  if (copyAlong(backend, axes, backend.floatsPointer(x), pointer + 4 * start)) return info;
  backend.disposeData(info.dataId);
  return undefined;
});

interface SliceAttributes {
  readonly begin: number | number[];
  readonly size: number | number[];
}

const slice = defineKernel<{ x: TensorInfo }, SliceAttributes>(
  Slice,
  ({ inputs, attrs, backend }) => {
    const { x } = inputs;
    if (!areFloats(x)) return undefined;
    const [begin, shape] = slice_util.parseSliceParams(x, attrs.begin, attrs.size) as [
      number[],
      number[],
    ];
    const count = util.sizeFromShape(shape);
    slice_util.assertParamsValid(x, begin, shape);
    if (count === 0) return undefined;
    const { info, pointer } = backend.output(shape);
    const from = strides(x.shape);
    const to = strides(shape);
    const start = begin.reduce((sum, position, axis) => sum + position * from[axis]!, 0);
    const axes = shape.map((length, axis) => ({ length, from: from[axis]!, to: to[axis]! }));
    if (copyAlong(backend, axes, backend.floatsPointer(x) + 4 * start, pointer)) return info;
    backend.disposeData(info.dataId);
    return undefined;
  },
);

const concat = defineKernel<readonly TensorInfo[], { axis: number }>(
  Concat,
  ({ inputs, attrs, backend }) => {
    const parts = inputs.filter((part) => util.sizeFromShape(part.shape) > 0);
    if (parts.length < 2 || !areFloats(...parts)) return undefined;
    const axis = util.parseAxisParam(attrs.axis, parts[0]!.shape)[0]!;
    const shapes = parts.map((part) => part.shape);
    backend_util.assertParamsConsistent(shapes, axis);
    const shape = backend_util.computeOutShape(shapes, axis);
    const { info, pointer } = backend.output(shape);
    const rows = util.sizeFromShape(shape.slice(0, axis));
    const rowLength = util.sizeFromShape(shape.slice(axis));
    let start = pointer;
    for (const part of parts) {
      const width = util.sizeFromShape(part.shape) / rows;
      backend.runOperation("stridedCopy", {
        out: start,
        in: backend.floatsPointer(part),
        outer: [1, 1, 1],
        rows,
        width,
        inStrides: [0, 0, 0, width],
        outStrides: [0, 0, 0, rowLength],
      });
      start += 4 * width;
    }
    return info;
  },
);

const tile = defineKernel<{ x: TensorInfo }, { reps: number[] }>(
  Tile,
  ({ inputs, attrs, backend }) => {
    const { x } = inputs;
    const { reps } = attrs;
    if (!areFloats(x) || reps.some((count) => count < 1)) return undefined;
    const shape = x.shape.map((length, axis) => length * reps[axis]!);
    const { info, pointer } = backend.output(shape);
    const from = strides(x.shape);
    const to = strides(shape);
    const axes = x.shape.flatMap((length, axis) => [
      { length: reps[axis]!, from: 0, to: length * to[axis]! },
      { length, from: from[axis]!, to: to[axis]! },
    ]);
    if (copyAlong(backend, axes, backend.floatsPointer(x), pointer)) return info;
    backend.disposeData(info.dataId);
    return undefined;
  },
);

/** Kernels that only move float32 values. */
export const dataMovementKernels: readonly KernelConfig[] = [transpose, pad, slice, concat, tile];
