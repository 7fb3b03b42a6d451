import { expect } from "vitest";
import type { KernelRuntime, ProgramBuilder } from "../src/index.ts";
import { blank, nameOf } from "./runtimes.ts";

const word = new Int32Array(1);
const float = new Float32Array(word.buffer);

/** Position of a float32 in the order of all of them, with one position for both zeros. */
function rank(value: number): number {
  float[0] = value;
  return word[0]! < 0 ? -(word[0]! & 0x7fffffff) : word[0]!;
}

/** Representable numbers between two float32 values; 0 for NaN and NaN, infinite for NaN and a number. */
export function ulpsBetween(a: number, b: number): number {
  if (Number.isNaN(a) || Number.isNaN(b)) return Number.isNaN(a) && Number.isNaN(b) ? 0 : Infinity;
  return Math.abs(rank(a) - rank(b));
}

export function expectWithinUlps(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  ulps: number,
  context: string,
): void {
  expect(actual.length, context).toBe(expected.length);
  for (let i = 0; i < actual.length; i++) {
    const distance = ulpsBetween(actual[i]!, expected[i]!);
    if (distance > ulps) {
      expect.fail(`${context}: entry ${i} is ${actual[i]}, ${distance} ulp from ${expected[i]}`);
    }
  }
}

/** Records one operation on every runtime; its results must be within `ulps` and the same bits for every thread count. */
export function checkWithinUlps(
  runtimes: readonly KernelRuntime[],
  context: string,
  expected: Float32Array,
  ulps: number,
  record: (builder: ProgramBuilder, runtime: KernelRuntime, out: number) => void,
): void {
  const bits = new Map<string, Float32Array>();
  for (const runtime of runtimes) {
    const mark = runtime.mark();
    const out = blank(runtime, expected.length);
    // What lies behind the output must stay as it is.
    const guard = blank(runtime, 16);
    const builder = runtime.program();
    record(builder, runtime, out);
    builder.compile().run();
    const actual = runtime.floats(out, expected.length).slice();
    expectWithinUlps(actual, expected, ulps, `${context}, ${nameOf(runtime)}`);
    expect(runtime.floats(guard, 16)).toEqual(new Float32Array(16).fill(Number.NaN));
    expect(actual, "bits by thread count").toEqual(bits.get(runtime.variant) ?? actual);
    bits.set(runtime.variant, actual);
    runtime.release(mark);
  }
}

/** Numbers at which functions of one variable behave unlike elsewhere. */
export const specialValues: readonly number[] = [
  0,
  -0,
  1,
  -1,
  0.5,
  6,
  7,
  1e-45,
  -1e-45,
  1e-38,
  -1e-38,
  3.4e38,
  -3.4e38,
  88.7,
  88.8,
  89,
  -87,
  -103.9,
  -104.1,
  -13.95,
  13.95,
  9.7e-4,
  -9.9e-4,
  1e-6,
  0.99999994,
  1.0000001,
  Infinity,
  -Infinity,
  NaN,
];
