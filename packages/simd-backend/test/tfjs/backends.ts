import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll } from "vitest";
import { registerSimdBackend, type SimdBackend } from "../../src/tfjs/index.ts";

/** Registers and selects the backend for the tests of a file. */
export function useSimdBackend(options = { threads: 2, bytes: 64 * 2 ** 20 }): {
  readonly backend: SimdBackend;
} {
  const holder: { backend: SimdBackend | undefined } = { backend: undefined };
  beforeAll(async () => {
    holder.backend = await registerSimdBackend(options);
    await tf.setBackend("simd");
  });
  afterAll(() => tf.removeBackend("simd"));
  return {
    get backend() {
      return holder.backend!;
    },
  };
}

/** The same computation on backend cpu. */
export async function onCpu<Result>(compute: () => Result): Promise<Result> {
  await tf.setBackend("cpu");
  try {
    return compute();
  } finally {
    await tf.setBackend("simd");
  }
}
