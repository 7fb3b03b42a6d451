import { util, type KernelConfig, type TensorInfo } from "@tensorflow/tfjs-core";
import { areFloats, defineKernel } from "../define-kernel.ts";

/** The common number of entries; undefined unless all are float32 of one shape. */
function commonCount(infos: readonly TensorInfo[]): number | undefined {
  const [first] = infos as readonly [TensorInfo];
  if (!areFloats(...infos)) return undefined;
  if (infos.some(({ shape }) => !util.arraysEqual(shape, first.shape))) return undefined;
  return util.sizeFromShape(first.shape);
}

interface SgdAttributes {
  readonly learningRate: number;
  readonly momentum: number;
  readonly weightDecay: number;
}

const sgdMomentumUpdate = defineKernel<
  Readonly<Record<"gradient" | "velocity" | "parameter", TensorInfo>>,
  SgdAttributes
>("SgdMomentumUpdate", ({ inputs, attrs, backend }) => {
  const { gradient, velocity, parameter } = inputs;
  const count = commonCount([gradient, velocity, parameter]);
  if (count === undefined) return undefined;
  const newVelocity = backend.output(parameter.shape);
  const newParameter = backend.output(parameter.shape);
  backend.runOperation("sgdMomentumUpdate", {
    count,
    learningRate: attrs.learningRate,
    momentum: attrs.momentum,
    weightDecay: attrs.weightDecay,
    gradient: backend.floatsPointer(gradient),
    velocity: backend.floatsPointer(velocity),
    parameter: backend.floatsPointer(parameter),
    newVelocity: newVelocity.pointer,
    newParameter: newParameter.pointer,
  });
  return [newVelocity.info, newParameter.info];
});

interface AdamAttributes {
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  readonly step: number;
}

const adamUpdate = defineKernel<
  Readonly<Record<"gradient" | "first" | "second" | "parameter", TensorInfo>>,
  AdamAttributes
>("AdamUpdate", ({ inputs, attrs, backend }) => {
  const { gradient, first, second, parameter } = inputs;
  const count = commonCount([gradient, first, second, parameter]);
  if (count === undefined) return undefined;
  const newFirst = backend.output(parameter.shape);
  const newSecond = backend.output(parameter.shape);
  const newParameter = backend.output(parameter.shape);
  const { learningRate, beta1, beta2, epsilon, weightDecay, step } = attrs;
  backend.runOperation("adamUpdate", {
    count,
    learningRate,
    beta1,
    beta2,
    epsilon,
    weightDecay,
    step,
    gradient: backend.floatsPointer(gradient),
    first: backend.floatsPointer(first),
    second: backend.floatsPointer(second),
    parameter: backend.floatsPointer(parameter),
    newFirst: newFirst.pointer,
    newSecond: newSecond.pointer,
    newParameter: newParameter.pointer,
  });
  return [newFirst.info, newSecond.info, newParameter.info];
});

/** Custom kernels: a step of an optimizer in one pass. Their operands are left as they are. */
export const optimizerKernels: readonly KernelConfig[] = [sgdMomentumUpdate, adamUpdate];
