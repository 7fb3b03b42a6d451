import { KernelArgumentError } from "./errors.ts";
import {
  binaryKinds,
  layerOperations,
  reductionKinds,
  reductionWorkspaceBytes,
  unaryKinds,
} from "./layer-operations.ts";
import type {
  AdamUpdateOptions,
  BinaryOptions,
  LayerOperations,
  PoolGeometry,
  ReduceOptions,
  StridedCopyOptions,
} from "./layer-program.ts";
import type { Operation } from "./operation-fields.ts";

type FieldValues = Readonly<Record<string, number | undefined>>;

/** The builder's methods for layers, on a function that writes one record. */
export function layerRecorders<Result>(
  record: (operation: Operation, values: FieldValues) => Result,
): LayerOperations<Result> {
  const o = layerOperations;
  return {
    unary: ({ kind, alpha = 0, ...rest }) =>
      record(o.unary, { ...rest, alpha, kind: unaryKinds.indexOf(kind) }),
    binary: (options) => record(o.binary, binaryValues(options)),
    reduce: (options) => record(o.reduce, reduceValues(options)),
    stridedCopy: (options) => record(o.stridedCopy, copyValues(options)),
    stridedTranspose: (options) => record(o.stridedTranspose, copyValues(options)),
    maxPool: (options) => record(o.maxPool, poolValues(options)),
    maxPoolGradient: (options) => record(o.maxPoolGradient, poolValues(options)),
    maxPoolGather: (options) => record(o.maxPoolGather, poolValues(options)),
    averagePool: (options) => record(o.averagePool, poolValues(options)),
    averagePoolGradient: (options) => record(o.averagePoolGradient, poolValues(options)),
    batchNormalization: (options) => record(o.batchNormalization, { ...options }),
    batchNormalizationTraining: (options) => record(o.batchNormalizationTraining, { ...options }),
    batchNormalizationGradient: (options) => record(o.batchNormalizationGradient, { ...options }),
    batchNormalizationSecondGradient: (options) =>
      record(o.batchNormalizationSecondGradient, { ...options }),
    sgdMomentumUpdate: ({ weightDecay = 0, ...rest }) =>
      record(o.sgdMomentumUpdate, { ...rest, weightDecay }),
    adamUpdate: (options) => record(o.adamUpdate, adamValues(options)),
  };
}

function binaryValues(options: BinaryOptions): FieldValues {
  const { kind, outer = 1, rows = 1, width, out, a, b } = options;
  const contiguous = [rows * width, width, 1] as const;
  const { aStrides = contiguous, bStrides = contiguous } = options;
  return {
    kind: binaryKinds.indexOf(kind),
    outer,
    rows,
    width,
    out,
    a,
    b,
    aStride0: aStrides[0],
    aStride1: aStrides[1],
    aStride2: aStrides[2],
    bStride0: bStrides[0],
    bStride1: bStrides[1],
    bStride2: bStrides[2],
  };
}

function reduceValues({ kind, ...rest }: ReduceOptions): FieldValues {
  const { outer, reduced, inner, workspace = 0 } = rest;
  const needed = reductionWorkspaceBytes(outer, reduced, inner);
  if (needed > 0 && workspace === 0) {
    throw new KernelArgumentError(`reduce.workspace is missing; give a pointer to ${needed} bytes`);
  }
  return { ...rest, kind: reductionKinds.indexOf(kind) };
}

function copyValues(options: StridedCopyOptions): FieldValues {
  const { outer, inStrides, outStrides, rows, width, out } = options;
  return {
    outer: outer[0] * outer[1] * outer[2],
    rows,
    width,
    out,
    in: options.in,
    secondSize: outer[1],
    thirdSize: outer[2],
    inStride0: inStrides[0],
    inStride1: inStrides[1],
    inStride2: inStrides[2],
    inStride3: inStrides[3],
    outStride0: outStrides[0],
    outStride1: outStrides[1],
    outStride2: outStrides[2],
    outStride3: outStrides[3],
  };
}

function poolValues(options: PoolGeometry): FieldValues {
  return {
    ...options,
    windows: options.batch * options.outHeight * options.outWidth,
    filterArea: options.filterHeight * options.filterWidth,
  };
}

function adamValues(options: AdamUpdateOptions): FieldValues {
  const { learningRate, step, weightDecay = 0, ...rest } = options;
  const { beta1, beta2 } = rest;
  if (!(Number.isInteger(step) && step >= 1)) {
    throw new KernelArgumentError(`adamUpdate.step is ${step}; give a whole number from 1 on`);
  }
  return {
    ...rest,
    weightDecay,
    oneMinusBeta1: 1 - beta1,
    oneMinusBeta2: 1 - beta2,
    stepSize: learningRate / (1 - beta1 ** step),
    rootFactor: 1 / Math.sqrt(1 - beta2 ** step),
  };
}
