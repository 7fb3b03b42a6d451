import {
  choice,
  double,
  operation,
  optional,
  pointer,
  single,
  size,
  stride,
} from "./operation-fields.ts";

// The records of the operations that layers of neural networks are made of: assembly/layers.ts and what it calls.

/** In the order of assembly/elementwise.ts. */
export const unaryKinds = [
  "negate",
  "absolute",
  "square",
  "squareRoot",
  "reciprocalSquareRoot",
  "reciprocal",
  "relu",
  "relu6",
  "step",
  "leakyRelu",
  "elu",
  "exponential",
  "logarithm",
  "sigmoid",
  "tanh",
  "softplus",
] as const;

/** In the order of assembly/elementwise.ts. */
export const binaryKinds = [
  "add",
  "subtract",
  "multiply",
  "divide",
  "maximum",
  "minimum",
  "squaredDifference",
  "prelu",
  "eluGradient",
  "reluGradient",
] as const;

/** In the order of assembly/reductions.ts. */
export const reductionKinds = ["sum", "mean", "maximum", "minimum", "product"] as const;

const copyFields = {
  outer: size(1),
  rows: size(2),
  width: size(3),
  out: pointer(5),
  in: pointer(6),
  secondSize: stride(7),
  thirdSize: stride(8),
  inStride0: stride(9),
  inStride1: stride(10),
  inStride2: stride(11),
  outStride0: stride(12),
  outStride1: stride(13),
  outStride2: stride(14),
  inStride3: stride(15),
  outStride3: stride(16),
};

const poolFields = {
  windows: size(1),
  channels: size(2),
  filterArea: size(3),
  batch: stride(8),
  inHeight: stride(9),
  inWidth: stride(10),
  outHeight: stride(11),
  outWidth: stride(12),
  filterHeight: stride(13),
  filterWidth: stride(14),
  strideHeight: stride(15),
  strideWidth: stride(16),
  padTop: stride(17),
  padLeft: stride(18),
};

const normalizationFields = { rows: size(1), channels: size(2), epsilon: double(4) };

export const layerOperations = {
  unary: operation("unary", 40, {
    count: size(1),
    kind: choice(4),
    out: pointer(5),
    x: pointer(6),
    alpha: single(7),
  }),
  binary: operation("binary", 41, {
    outer: size(1),
    rows: size(2),
    width: size(3),
    kind: choice(4),
    out: pointer(5),
    a: pointer(6),
    b: pointer(7),
    aStride0: stride(8),
    aStride1: stride(9),
    aStride2: stride(10),
    bStride0: stride(11),
    bStride1: stride(12),
    bStride2: stride(13),
  }),
  reduce: operation("reduce", 42, {
    outer: size(1),
    reduced: size(2),
    inner: size(3),
    kind: choice(4),
    out: pointer(5),
    x: pointer(6),
    workspace: optional(7),
  }),
  stridedCopy: operation("stridedCopy", 43, copyFields),
  stridedTranspose: operation("stridedTranspose", 44, copyFields),
  maxPool: operation("maxPool", 45, { ...poolFields, out: pointer(4), x: pointer(5) }),
  maxPoolGradient: operation("maxPoolGradient", 46, {
    ...poolFields,
    out: pointer(4),
    x: pointer(5),
    dy: pointer(6),
  }),
  maxPoolGather: operation("maxPoolGather", 47, {
    ...poolFields,
    out: pointer(4),
    x: pointer(5),
    values: pointer(6),
  }),
  averagePool: operation("averagePool", 48, { ...poolFields, out: pointer(4), x: pointer(5) }),
  averagePoolGradient: operation("averagePoolGradient", 49, {
    ...poolFields,
    out: pointer(4),
    dy: pointer(6),
  }),
  batchNormalization: operation("batchNormalization", 50, {
    ...normalizationFields,
    out: pointer(6),
    x: pointer(7),
    mean: pointer(8),
    variance: pointer(9),
    scale: optional(10),
    offset: optional(11),
  }),
  batchNormalizationTraining: operation("batchNormalizationTraining", 51, {
    ...normalizationFields,
    out: pointer(6),
    mean: pointer(7),
    variance: pointer(8),
    x: pointer(9),
    scale: pointer(10),
    offset: pointer(11),
    workspace: pointer(12),
  }),
  batchNormalizationGradient: operation("batchNormalizationGradient", 52, {
    ...normalizationFields,
    dx: pointer(6),
    dScale: pointer(7),
    dOffset: pointer(8),
    dy: pointer(9),
    x: pointer(10),
    scale: pointer(11),
    mean: pointer(12),
    variance: pointer(13),
    workspace: pointer(14),
  }),
  batchNormalizationSecondGradient: operation("batchNormalizationSecondGradient", 53, {
    ...normalizationFields,
    dDy: pointer(6),
    dX: pointer(7),
    dScale: pointer(8),
    ddx: pointer(9),
    ddScale: pointer(10),
    ddOffset: pointer(11),
    dy: pointer(12),
    x: pointer(13),
    scale: pointer(14),
    mean: pointer(15),
    variance: pointer(16),
    workspace: pointer(17),
  }),
  sgdMomentumUpdate: operation("sgdMomentumUpdate", 54, {
    count: size(1),
    momentum: single(4),
    learningRate: single(5),
    weightDecay: single(6),
    gradient: pointer(7),
    velocity: pointer(8),
    parameter: pointer(9),
    newVelocity: pointer(10),
    newParameter: pointer(11),
  }),
  adamUpdate: operation("adamUpdate", 55, {
    count: size(1),
    stepSize: single(4),
    rootFactor: single(5),
    beta1: single(6),
    oneMinusBeta1: single(7),
    beta2: single(8),
    oneMinusBeta2: single(9),
    epsilon: single(10),
    weightDecay: single(11),
    gradient: pointer(12),
    first: pointer(13),
    second: pointer(14),
    parameter: pointer(15),
    newFirst: pointer(16),
    newSecond: pointer(17),
    newParameter: pointer(18),
  }),
} as const;

/** assembly/team.ts: long reductions are cut into at most this many pieces. */
const SEGMENTS = 32;

function pieceCount(length: number, leastLength: number): number {
  return Math.ceil(length / Math.max(leastLength, Math.ceil(length / SEGMENTS)));
}

/** The workspace that `reduce` takes for these sizes, in bytes; 0 where it needs none. */
export function reductionWorkspaceBytes(outer: number, reduced: number, inner: number): number {
  if (outer >= 32) return 0;
  const pieces = pieceCount(reduced, inner === 1 ? 4096 : 64);
  return pieces <= 1 ? 0 : outer * pieces * Math.ceil(inner / 16) * 128;
}

/** The workspace of batchNormalizationTraining and batchNormalizationGradient (2 sums) and …SecondGradient (5 sums). */
export function normalizationWorkspaceBytes(rows: number, channels: number, sums: 2 | 5): number {
  const width = Math.ceil(Math.min(channels, 4096) / 8) * 8;
  return Math.max(1, pieceCount(rows, 64)) * sums * width * 8;
}
