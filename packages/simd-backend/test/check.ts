import fc from "fast-check";
import { expect } from "vitest";
import type { KernelRuntime, ProgramBuilder } from "../src/index.ts";
import { expectClose, type Reference } from "./reference.ts";
import { blank, nameOf } from "./runtimes.ts";

export const seeds = fc.nat();
export const rowCounts = fc.integer({ min: 1, max: 90 });
// Wide enough for the work to be shared by threads, with every remainder of a vector.
export const widths = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 200, max: 420 }));
export const runs = { numRuns: 40 };

/** Records one operation on every runtime and compares what it leaves at `out`. */
export function checkOperation(
  runtimes: readonly KernelRuntime[],
  context: string,
  expected: Reference,
  terms: number,
  record: (builder: ProgramBuilder, runtime: KernelRuntime, out: number) => void,
): void {
  const bits = new Map<string, Float32Array>();
  for (const runtime of runtimes) {
    const mark = runtime.mark();
    const out = blank(runtime, expected.values.length);
    const builder = runtime.program();
    record(builder, runtime, out);
    builder.compile().run();
    const actual = runtime.floats(out, expected.values.length).slice();
    expectClose(actual, expected, terms, `${context}, ${nameOf(runtime)}`);
    expect(actual, "bits by thread count").toEqual(bits.get(runtime.variant) ?? actual);
    bits.set(runtime.variant, actual);
    runtime.release(mark);
  }
}
