import {
  Abs,
  Add,
  AddN,
  backend_util,
  Elu,
  EluGrad,
  Exp,
  Fill,
  LeakyRelu,
  Log,
  Maximum,
  Minimum,
  Multiply,
  Neg,
  OnesLike,
  Prelu,
  RealDiv,
  Reciprocal,
  Relu,
  Relu6,
  Rsqrt,
  Sigmoid,
  Softplus,
  Sqrt,
  Square,
  SquaredDifference,
  Step,
  Sub,
  Tanh,
  util,
  ZerosLike,
  type KernelConfig,
  type TensorInfo,
} from "@tensorflow/tfjs-core";
import type { BinaryKind, UnaryKind } from "../../layer-program.ts";
import { areFloats, defineKernel } from "../define-kernel.ts";
import type { SimdBackend } from "../simd-backend.ts";

function unaryKernel(name: string, kind: UnaryKind): KernelConfig {
  return defineKernel<{ x: TensorInfo }, { alpha?: number } | undefined>(
    name,
    ({ inputs, attrs, backend }) => {
      const { x } = inputs;
      const alpha = attrs?.alpha ?? 0;
      if (!areFloats(x) || Number.isNaN(alpha)) return undefined;
      const { info, pointer } = backend.output(x.shape);
      const count = util.sizeFromShape(x.shape);
      const from = backend.floatsPointer(x);
      backend.runOperation("unary", { kind, out: pointer, x: from, count, alpha });
      return info;
    },
  );
}

function binaryKernel(name: string, kind: BinaryKind, first: string, second: string): KernelConfig {
  return defineKernel<Record<string, TensorInfo>>(name, ({ inputs, backend }) =>
    combine(backend, kind, inputs[first]!, inputs[second]!),
  );
}

/** Operands of any shapes that broadcast with one another; undefined for what the kernels do not cover. */
function combine(
  backend: SimdBackend,
  kind: BinaryKind,
  a: TensorInfo,
  b: TensorInfo,
): TensorInfo | undefined {
  if (!areFloats(a, b)) return undefined;
  const shape = backend_util.assertAndGetBroadcastShape(a.shape, b.shape);
  const axes = broadcastAxes(a.shape, b.shape, shape);
  if (axes === undefined) return undefined;
  const { info, pointer } = backend.output(shape);
  backend.runOperation("binary", {
    kind,
    out: pointer,
    a: backend.floatsPointer(a),
    b: backend.floatsPointer(b),
    ...axes,
  });
  return info;
}

interface BroadcastAxes {
  readonly outer: number;
  readonly rows: number;
  readonly width: number;
  readonly aStrides: readonly [number, number, number];
  readonly bStrides: readonly [number, number, number];
}

/** The axes of a broadcast, neighbors of the same kind merged; undefined when more than three are left. */
function broadcastAxes(
  aShape: readonly number[],
  bShape: readonly number[],
  shape: readonly number[],
): BroadcastAxes | undefined {
  const sizes = [1, 1, 1];
  const aStrides: [number, number, number] = [0, 0, 0];
  const bStrides: [number, number, number] = [0, 0, 0];
  let position = 3;
  let [aLength, bLength] = [1, 1];
  let previous = "";
  for (let fromEnd = 1; fromEnd <= shape.length; fromEnd++) {
    const length = shape[shape.length - fromEnd]!;
    if (length === 1) continue;
    const aVaries = (aShape[aShape.length - fromEnd] ?? 1) !== 1;
    const bVaries = (bShape[bShape.length - fromEnd] ?? 1) !== 1;
    const kind = `${aVaries} ${bVaries}`;
    if (kind === previous) sizes[position]! *= length;
    else {
      if (position === 0) return undefined;
      position--;
      sizes[position] = length;
      aStrides[position] = aVaries ? aLength : 0;
      bStrides[position] = bVaries ? bLength : 0;
      previous = kind;
    }
    if (aVaries) aLength *= length;
    if (bVaries) bLength *= length;
  }
  return { outer: sizes[0]!, rows: sizes[1]!, width: sizes[2]!, aStrides, bStrides };
}

const addN = defineKernel<readonly TensorInfo[]>(AddN, ({ inputs, backend }) => {
  if (inputs.length < 2 || !areFloats(...inputs)) return undefined;
  const [first, ...others] = inputs as readonly [TensorInfo, ...TensorInfo[]];
  const { info, pointer } = backend.output(first.shape);
  const width = util.sizeFromShape(first.shape);
  let a = backend.floatsPointer(first);
  for (const other of others) {
    const b = backend.floatsPointer(other);
    backend.runOperation("binary", { kind: "add", out: pointer, a, b, width });
    a = pointer;
  }
  return info;
});

function filled(backend: SimdBackend, shape: readonly number[], value: number): TensorInfo {
  const { info, pointer } = backend.output(shape);
  backend.runOperation("fill", { out: pointer, value, count: util.sizeFromShape([...shape]) });
  return info;
}

interface FillAttributes {
  readonly shape: number[];
  readonly value: number | string;
  readonly dtype?: string;
}

const fill = defineKernel<unknown, FillAttributes>(Fill, ({ attrs, backend }) => {
  const { shape, value, dtype } = attrs;
  if (typeof value !== "number" || Number.isNaN(value)) return undefined;
  if ((dtype ?? util.inferDtype(value)) !== "float32") return undefined;
  return util.sizeFromShape(shape) === 0 ? undefined : filled(backend, shape, value);
});

function likeKernel(name: string, value: number): KernelConfig {
  return defineKernel<{ x: TensorInfo }>(name, ({ inputs, backend }) =>
    areFloats(inputs.x) ? filled(backend, inputs.x.shape, value) : undefined,
  );
}

/** Functions of one and two float32 tensors, entry by entry. */
export const elementwiseKernels: readonly KernelConfig[] = [
  unaryKernel(Abs, "absolute"),
  unaryKernel(Elu, "elu"),
  unaryKernel(Exp, "exponential"),
  unaryKernel(LeakyRelu, "leakyRelu"),
  unaryKernel(Log, "logarithm"),
  unaryKernel(Neg, "negate"),
  unaryKernel(Reciprocal, "reciprocal"),
  unaryKernel(Relu, "relu"),
  unaryKernel(Relu6, "relu6"),
  unaryKernel(Rsqrt, "reciprocalSquareRoot"),
  unaryKernel(Sigmoid, "sigmoid"),
  unaryKernel(Softplus, "softplus"),
  unaryKernel(Sqrt, "squareRoot"),
  unaryKernel(Square, "square"),
  unaryKernel(Step, "step"),
  unaryKernel(Tanh, "tanh"),
  binaryKernel(Add, "add", "a", "b"),
  binaryKernel(EluGrad, "eluGradient", "dy", "y"),
  binaryKernel(Maximum, "maximum", "a", "b"),
  binaryKernel(Minimum, "minimum", "a", "b"),
  binaryKernel(Multiply, "multiply", "a", "b"),
  binaryKernel(Prelu, "prelu", "x", "alpha"),
  // A custom kernel: 0 where y ≤ 0, else dy.
  binaryKernel("ReluGradient", "reluGradient", "dy", "y"),
  binaryKernel(RealDiv, "divide", "a", "b"),
  binaryKernel(SquaredDifference, "squaredDifference", "a", "b"),
  binaryKernel(Sub, "subtract", "a", "b"),
  addN,
  fill,
  likeKernel(ZerosLike, 0),
  likeKernel(OnesLike, 1),
];
