import {
  _FusedMatMul,
  BatchMatMul,
  util,
  type _FusedMatMulAttrs,
  type BatchMatMulAttrs,
  type KernelConfig,
  type TensorInfo,
} from "@tensorflow/tfjs-core";
import { areFloats, defineKernel } from "../define-kernel.ts";
import type { SimdBackend } from "../simd-backend.ts";
import { addEpilogue, type Epilogue } from "./epilogue.ts";

/** A stack of matrices, each rows × columns as stored. */
interface Stack {
  readonly count: number;
  readonly rows: number;
  readonly columns: number;
}

function stackOf({ shape }: TensorInfo): Stack {
  const [rows, columns] = shape.slice(-2) as [number, number];
  return { count: util.sizeFromShape(shape.slice(0, -2)), rows, columns };
}

/** op(a) · op(b), matrix by matrix; undefined for what the SIMD kernels do not cover. */
function multiply(
  backend: SimdBackend,
  a: TensorInfo,
  b: TensorInfo,
  { transposeA, transposeB }: BatchMatMulAttrs,
): TensorInfo | undefined {
  if (!areFloats(a, b) || a.shape.length < 2 || b.shape.length < 2) return undefined;
  const [left, right] = [stackOf(a), stackOf(b)];
  const outer = outerShape(a, b);
  const [m, k] = transposeA ? [left.columns, left.rows] : [left.rows, left.columns];
  const [n, depth] = transposeB ? [right.rows, right.columns] : [right.columns, right.rows];
  if (outer === undefined || k !== depth) return undefined;
  const { info, pointer } = backend.output([...outer, m, n]);
  const [from, by] = [backend.floatsPointer(a), backend.floatsPointer(b)];
  const count = util.sizeFromShape(outer);
  // One right matrix for all: the left ones are one tall matrix.
  const joined = right.count === 1 && !transposeA;
  const strideA = left.count === 1 ? 0 : 4 * m * k;
  const strideB = right.count === 1 ? 0 : 4 * k * n;
  for (let item = 0; item < (joined ? 1 : count); item++) {
    backend.runOperation("gemm", {
      transposeA,
      transposeB,
      m: joined ? count * m : m,
      n,
      k,
      a: from + item * strideA,
      lda: left.columns,
      b: by + item * strideB,
      ldb: right.columns,
      c: pointer + item * 4 * m * n,
      ldc: n,
    });
  }
  return info;
}

/** Equal stacks, or one matrix with a stack of any shape. */
function outerShape(a: TensorInfo, b: TensorInfo): number[] | undefined {
  const [outerA, outerB] = [a.shape.slice(0, -2), b.shape.slice(0, -2)];
  if (util.arraysEqual(outerA, outerB)) return outerA;
  if (util.sizeFromShape(outerB) === 1 && outerB.length <= outerA.length) return outerA;
  if (util.sizeFromShape(outerA) === 1 && outerA.length <= outerB.length) return outerB;
  return undefined;
}

const batchMatMul = defineKernel<{ a: TensorInfo; b: TensorInfo }, BatchMatMulAttrs>(
  BatchMatMul,
  ({ inputs, attrs, backend }) => multiply(backend, inputs.a, inputs.b, attrs),
);

const fusedMatMul = defineKernel<
  { a: TensorInfo; b: TensorInfo } & Epilogue["inputs"],
  _FusedMatMulAttrs
>(_FusedMatMul, ({ inputs, attrs, backend }) => {
  const product = multiply(backend, inputs.a, inputs.b, attrs);
  return product && addEpilogue(backend, product, { inputs, attrs });
});

export const matrixProductKernels: readonly KernelConfig[] = [batchMatMul, fusedMatMul];
