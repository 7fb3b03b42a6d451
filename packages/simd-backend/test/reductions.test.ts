import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { KernelArgumentError, reductionWorkspaceBytes, type ReductionKind } from "../src/index.ts";
import { seeds } from "./check.ts";
import { numbers, uniform } from "./reference.ts";
import { testRuntimes, upload } from "./runtimes.ts";
import { checkWithinUlps } from "./ulps.ts";

const runtimes = testRuntimes();

const references: Record<ReductionKind, (values: readonly number[]) => number> = {
  sum: (values) => values.reduce((sum, value) => sum + value, 0),
  mean: (values) => values.reduce((sum, value) => sum + value, 0) / values.length,
  maximum: (values) => values.reduce((most, value) => Math.max(most, value), -Infinity),
  minimum: (values) => values.reduce((least, value) => Math.min(least, value), Infinity),
  product: (values) => values.reduce((product, value) => product * value, 1),
};

interface Sizes {
  readonly outer: number;
  readonly reduced: number;
  readonly inner: number;
}

function check(kind: ReductionKind, { outer, reduced, inner }: Sizes, x: Float32Array): void {
  const expected = new Float32Array(outer * inner);
  for (let o = 0; o < outer; o++) {
    for (let i = 0; i < inner; i++) {
      const values = Array.from({ length: reduced }, (_, r) => x[(o * reduced + r) * inner + i]!);
      expected[o * inner + i] = references[kind](values);
    }
  }
  // Float64 totals in another order, rounded once: the value on the other side of a tie at most.
  checkWithinUlps(
    runtimes,
    `${kind} ${outer} × ${reduced} × ${inner}`,
    expected,
    1,
    (builder, runtime, out) => {
      const bytes = reductionWorkspaceBytes(outer, reduced, inner);
      const workspace = bytes === 0 ? undefined : runtime.allocate(bytes);
      builder.reduce({ kind, out, x: upload(runtime, x), outer, reduced, inner, workspace });
    },
  );
}

const kinds = Object.keys(references) as ReductionKind[];

describe("reduce", () => {
  const short = fc.integer({ min: 1, max: 40 });
  test.each(kinds)("%s over the first, middle and last axis", (kind) => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.record({ outer: short, reduced: short, inner: short }),
          fc.record({
            outer: fc.constant(1),
            reduced: fc.integer({ min: 60, max: 500 }),
            inner: short,
          }),
          fc.record({
            outer: fc.integer({ min: 1, max: 3 }),
            reduced: fc.integer({ min: 4000, max: 13000 }),
            inner: fc.constant(1),
          }),
        ),
        seeds,
        fc.boolean(),
        (sizes, seed, withNaN) => {
          const next = numbers(seed);
          const x = uniform(next, sizes.outer * sizes.reduced * sizes.inner);
          // Cancellation would make the last bits of a sum arbitrary; products stay in range.
          const shifted = x.map((value) => (kind === "product" ? 1 + value / 8 : 2 + value));
          if (withNaN) shifted[Math.floor(((next() + 1) / 2) * x.length)] = NaN;
          check(kind, sizes, shifted);
        },
      ),
      { numRuns: 20 },
    );
  });

  test("a sum that cancels keeps what float32 would lose", () => {
    const x = Float32Array.from({ length: 20000 }, (_, i) => (i % 2 === 0 ? 3e7 : -3e7));
    x[12345] = -3e7 + 8;
    check("sum", { outer: 1, reduced: 20000, inner: 1 }, x);
  });

  test("says how much workspace is missing", () => {
    const runtime = runtimes[0]!;
    const pointer = runtime.allocate(64);
    const sizes = { outer: 1, reduced: 100_000, inner: 1 };
    expect(() =>
      runtime.program().reduce({ kind: "sum", out: pointer, x: pointer, ...sizes }),
    ).toThrow(KernelArgumentError);
  });
});
