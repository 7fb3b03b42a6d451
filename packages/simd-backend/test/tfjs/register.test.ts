import * as tf from "@tensorflow/tfjs-core";
import { afterEach, describe, expect, test } from "vitest";
import { KernelArgumentError, MemoryUnavailableError } from "../../src/index.ts";
import { registerSimdBackend } from "../../src/tfjs/index.ts";

const bytes = 2 ** 20;

afterEach(() => {
  if (tf.findBackend("simd") !== null) tf.removeBackend("simd");
});

describe("registerSimdBackend", () => {
  test("registers without selecting, and again after the backend was removed", async () => {
    await tf.setBackend("cpu");
    const first = await registerSimdBackend({ bytes });
    expect(tf.getBackend()).toBe("cpu");
    tf.removeBackend("simd");
    const second = await registerSimdBackend({ bytes, threads: 2 });
    expect(second).not.toBe(first);
    expect(second.runtime.threads).toBe(2);
    await tf.setBackend("simd");
    expect(Array.from(tf.add([1, 2], [3, 4]).dataSync())).toEqual([4, 6]);
  });

  test("of calls at the same time one succeeds", async () => {
    const results = await Promise.allSettled([1, 2, 3].map(() => registerSimdBackend({ bytes })));
    expect(results.filter(({ status }) => status === "fulfilled")).toHaveLength(1);
    for (const result of results) {
      if (result.status === "rejected") expect(result.reason).toBeInstanceOf(KernelArgumentError);
    }
  });

  test("impossible sizes are those of the runtime", async () => {
    await expect(registerSimdBackend({ bytes: 2 ** 33 })).rejects.toThrow(MemoryUnavailableError);
    await expect(registerSimdBackend({ bytes, threads: 0 })).rejects.toThrow(KernelArgumentError);
  });

  test("every cpu kernel has one of its name", async () => {
    await registerSimdBackend({ bytes });
    const names = new Set(tf.getKernelsForBackend("simd").map(({ kernelName }) => kernelName));
    const missing = tf
      .getKernelsForBackend("cpu")
      .filter(({ kernelName }) => !names.has(kernelName));
    expect(missing).toEqual([]);
    expect(names.size).toBeGreaterThan(150);
  });
});
