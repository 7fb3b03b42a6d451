import {
  backend_util,
  Max,
  Mean,
  Min,
  Prod,
  Sum,
  util,
  type KernelConfig,
  type TensorInfo,
} from "@tensorflow/tfjs-core";
import { reductionWorkspaceBytes } from "../../layer-operations.ts";
import type { ReductionKind } from "../../layer-program.ts";
import { areFloats, defineKernel } from "../define-kernel.ts";
import type { SimdBackend } from "../simd-backend.ts";
import { permute } from "./data-movement.ts";

interface ReductionAttributes {
  readonly axis?: number | number[];
  readonly reductionIndices?: number | number[];
  readonly keepDims?: boolean;
}

function reductionKernel(name: string, kind: ReductionKind): KernelConfig {
  return defineKernel<{ x: TensorInfo }, ReductionAttributes>(
    name,
    ({ inputs, attrs, backend }) => {
      const { x } = inputs;
      if (!areFloats(x)) return undefined;
      // Without axes all are reduced, although tfjs's types want them.
      const given = attrs.axis ?? attrs.reductionIndices;
      const axes = util.parseAxisParam(given as number | number[], x.shape);
      const [outShape] = backend_util.computeOutAndReduceShapes(x.shape, axes);
      const shape = attrs.keepDims ? backend_util.expandShapeToKeepDim(outShape, axes) : outShape;
      return reduce(backend, kind, x, axes, shape);
    },
  );
}

function reduce(
  backend: SimdBackend,
  kind: ReductionKind,
  x: TensorInfo,
  axes: readonly number[],
  shape: readonly number[],
): TensorInfo | undefined {
  let sizes = adjacentSizes(x.shape, axes);
  let pointer: number;
  if (sizes === undefined) {
    const kept = x.shape.map((_, axis) => axis).filter((axis) => !axes.includes(axis));
    const permuted = backend.temporary(4 * util.sizeFromShape(x.shape));
    if (!permute(backend, x, [...kept, ...axes], permuted)) return undefined;
    pointer = permuted;
    const outer = util.sizeFromShape(shape as number[]);
    sizes = { outer, reduced: util.sizeFromShape(x.shape) / outer, inner: 1 };
  } else pointer = backend.floatsPointer(x);
  const bytes = reductionWorkspaceBytes(sizes.outer, sizes.reduced, sizes.inner);
  const workspace = bytes === 0 ? 0 : backend.temporary(bytes);
  const out = backend.output(shape);
  backend.runOperation("reduce", { kind, out: out.pointer, x: pointer, ...sizes, workspace });
  return out.info;
}

interface ReductionSizes {
  readonly outer: number;
  readonly reduced: number;
  readonly inner: number;
}

/** Sizes before, of and after the reduced axes, if these are neighbors but for axes of length 1. */
function adjacentSizes(
  shape: readonly number[],
  axes: readonly number[],
): ReductionSizes | undefined {
  let [outer, reduced, inner] = [1, 1, 1];
  for (let axis = 0; axis < shape.length; axis++) {
    const length = shape[axis]!;
    if (length === 1) continue;
    if (axes.includes(axis)) {
      if (inner > 1) return undefined;
      reduced *= length;
    } else if (reduced > 1) inner *= length;
    else outer *= length;
  }
  return { outer, reduced, inner };
}

/** Reductions over any axes; other axes than neighbors are first brought to the end. */
export const reductionKernels: readonly KernelConfig[] = [
  reductionKernel(Max, "maximum"),
  reductionKernel(Mean, "mean"),
  reductionKernel(Min, "minimum"),
  reductionKernel(Prod, "product"),
  reductionKernel(Sum, "sum"),
];
