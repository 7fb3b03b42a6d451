import {
  Add,
  Elu,
  LeakyRelu,
  Prelu,
  Relu,
  Relu6,
  Sigmoid,
  type NamedAttrMap,
  type NamedTensorInfoMap,
  type TensorInfo,
} from "@tensorflow/tfjs-core";
import { KernelArgumentError } from "../../errors.ts";
import { callKernel } from "../define-kernel.ts";
import type { SimdBackend } from "../simd-backend.ts";

/** What a fused kernel does after the product. */
export interface Epilogue {
  readonly inputs: {
    readonly bias?: TensorInfo;
    readonly preluActivationWeights?: TensorInfo;
  };
  readonly attrs: { readonly activation: string; readonly leakyreluAlpha?: number };
}

const activations: Readonly<Record<string, string>> = {
  relu: Relu,
  relu6: Relu6,
  elu: Elu,
  sigmoid: Sigmoid,
  prelu: Prelu,
  leakyrelu: LeakyRelu,
};

/** activation(product + bias); the product is disposed of. */
export function addEpilogue(
  backend: SimdBackend,
  product: TensorInfo,
  { inputs, attrs }: Epilogue,
): TensorInfo {
  const { bias, preluActivationWeights: alpha } = inputs;
  const { activation } = attrs;
  let result = product;
  const follow = (kernel: string, others: NamedTensorInfoMap, attributes?: NamedAttrMap): void => {
    const previous = result;
    result = callKernel(kernel, backend, others, attributes);
    backend.disposeIntermediateTensorInfo(previous);
  };
  if (bias !== undefined && bias !== null) follow(Add, { a: result, b: bias });
  if (!activation || activation === "linear") return result;
  const kernel = activations[activation];
  if (kernel === undefined) {
    throw new KernelArgumentError(`backend simd: activation ${activation} is unknown`);
  }
  if (activation === "prelu") follow(kernel, { x: result, alpha });
  else follow(kernel, { x: result }, { alpha: attrs.leakyreluAlpha ?? 0.2 });
  return result;
}
