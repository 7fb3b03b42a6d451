import { afterAll, beforeAll } from "vitest";
import {
  createKernelRuntime,
  supportedFeatures,
  type KernelRuntime,
  type KernelVariant,
} from "../src/index.ts";

const configurations: readonly { variant: KernelVariant; threads: number }[] = [
  { variant: "plain", threads: 1 },
  { variant: "plain", threads: 2 },
  { variant: "relaxed", threads: 1 },
  { variant: "relaxed", threads: 2 },
  { variant: "relaxed", threads: 3 },
];

/**
 * The runtimes on which every operation is tested; the relaxed ones only where the engine has them. All
 * threads share every operation, small as it may be.
 */
export function testRuntimes(bytes = 16 * 2 ** 20): readonly KernelRuntime[] {
  const runtimes: KernelRuntime[] = [];
  beforeAll(async () => {
    const programBytes = 2 ** 20;
    const { relaxedSimd } = supportedFeatures();
    for (const { variant, threads } of configurations) {
      if (variant === "relaxed" && !relaxedSimd) continue;
      runtimes.push(
        await createKernelRuntime({ bytes, variant, threads, programBytes, sharedWork: 1 }),
      );
    }
  });
  afterAll(() => {
    for (const runtime of runtimes) runtime.dispose();
  });
  return runtimes;
}

export function nameOf(runtime: KernelRuntime): string {
  return `${runtime.variant}, ${runtime.threads} thread(s)`;
}

/** Copies values into the runtime and returns their address. */
export function upload(runtime: KernelRuntime, values: ArrayLike<number>): number {
  const pointer = runtime.allocate(values.length * 4);
  runtime.floats(pointer, values.length).set(values);
  return pointer;
}

export function uploadInts(runtime: KernelRuntime, values: ArrayLike<number>): number {
  const pointer = runtime.allocate(values.length * 4);
  runtime.ints(pointer, values.length).set(values);
  return pointer;
}

/** An output area filled with NaN, so that reading it or leaving it unwritten shows. */
export function blank(runtime: KernelRuntime, length: number): number {
  const pointer = runtime.allocate(length * 4);
  runtime.floats(pointer, length).fill(Number.NaN);
  return pointer;
}
