import {
  getKernel,
  util,
  type KernelConfig,
  type NamedAttrMap,
  type NamedTensorInfoMap,
  type TensorInfo,
} from "@tensorflow/tfjs-core";
import { KernelFailureError } from "../errors.ts";
import type { SimdBackend } from "./simd-backend.ts";

export const BACKEND_NAME = "simd";

/** What a kernel is called with. */
export interface KernelCall<Inputs, Attributes> {
  readonly inputs: Inputs;
  readonly attrs: Attributes;
  readonly backend: SimdBackend;
}

/**
 * A kernel of the backend. `run` returns undefined for what it does not cover, and the cpu backend's kernel of the
 * same name does it. Outputs and working memory of a kernel that throws are given back.
 */
export function defineKernel<Inputs, Attributes = NamedAttrMap>(
  kernelName: string,
  run: (call: KernelCall<Inputs, Attributes>) => TensorInfo | TensorInfo[] | undefined,
): KernelConfig {
  return {
    kernelName,
    backendName: BACKEND_NAME,
    kernelFunc: (params) => {
      const call = params as unknown as KernelCall<Inputs, Attributes>;
      return call.backend.runKernel(() => run(call)) ?? cpuKernel(kernelName).kernelFunc(params);
    },
  };
}

/** Runs another kernel of the backend, within one that is running. */
export function callKernel(
  kernelName: string,
  backend: SimdBackend,
  inputs: NamedTensorInfoMap,
  attrs: NamedAttrMap = {},
): TensorInfo {
  const result = getKernel(kernelName, BACKEND_NAME).kernelFunc({ inputs, backend, attrs });
  return Array.isArray(result) ? result[0]! : result;
}

function cpuKernel(kernelName: string): KernelConfig {
  const config = getKernel(kernelName, "cpu") as KernelConfig | undefined;
  if (config !== undefined) return config;
  throw new KernelFailureError(
    `backend simd: ${kernelName} takes only non-empty float32 tensors of matching shapes`,
  );
}

/** Whether SIMD kernels can take all of them: float32, and not empty. */
export function areFloats(...infos: readonly TensorInfo[]): boolean {
  for (const { dtype, shape } of infos) {
    if (dtype !== "float32" || util.sizeFromShape(shape) === 0) return false;
  }
  return true;
}
