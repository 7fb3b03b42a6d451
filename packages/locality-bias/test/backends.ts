import { registerSimdBackend } from "@implicit-rank/simd-backend/tfjs";
import * as tf from "@tensorflow/tfjs-core";
import { useCpuBackend } from "./cpu-backend.ts";

/** tfjs's plain one, on which kernels of ours are compositions, and the one that has them all fused. */
export const backends = ["cpu", "simd"] as const;

export async function useBackend(name: (typeof backends)[number]): Promise<void> {
  await useCpuBackend();
  if (name === "cpu") return;
  if (tf.findBackend("simd") === null) await registerSimdBackend({ bytes: 256 * 2 ** 20 });
  await tf.setBackend("simd");
}
