import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { KernelRuntime, ProgramBuilder } from "../src/index.ts";
import { checkOperation, seeds } from "./check.ts";
import { accumulate, numbers, uniform, type Reference } from "./reference.ts";
import { testRuntimes, upload } from "./runtimes.ts";

const runtimes = testRuntimes();
const check = (
  context: string,
  expected: Reference,
  terms: number,
  record: (builder: ProgramBuilder, runtime: KernelRuntime, out: number) => void,
) => checkOperation(runtimes, context, expected, terms, record);

const counts = fc.oneof(fc.integer({ min: 0, max: 70 }), fc.integer({ min: 16000, max: 40000 }));

describe("vectors", () => {
  test("fill, copy, multiply, axpy and scale", () => {
    fc.assert(
      fc.property(counts, seeds, fc.boolean(), (count, seed, pointed) => {
        const next = numbers(seed);
        const x = uniform(next, count);
        const y = uniform(next, count);
        const factor = pointed ? -0.5 : 1;
        const alphaOf = (runtime: KernelRuntime) =>
          pointed ? upload(runtime, [factor]) : undefined;
        check(
          "fill",
          accumulate(count, (add) => x.forEach((_, i) => add(i, 0.25))),
          1,
          (builder, _, out) => builder.fill({ out, value: 0.25, count }),
        );
        check(
          "copy",
          accumulate(count, (add) => x.forEach((value, i) => add(i, value))),
          0,
          (builder, runtime, out) => builder.copy({ out, in: upload(runtime, x), count }),
        );
        check(
          "multiply",
          accumulate(count, (add) => x.forEach((value, i) => add(i, value * y[i]!))),
          1,
          (builder, runtime, out) =>
            builder.multiply({ out, a: upload(runtime, x), b: upload(runtime, y), count }),
        );
        check(
          "axpy",
          accumulate(count, (add) =>
            x.forEach((value, i) => {
              add(i, y[i]!);
              add(i, 1.25 * factor * value);
            }),
          ),
          2,
          (builder, runtime, out) => {
            runtime.floats(out, count).set(y);
            const alphaPointer = alphaOf(runtime);
            builder.axpy({ count, alpha: 1.25, alphaPointer, x: upload(runtime, x), y: out });
          },
        );
        check(
          "scale",
          accumulate(count, (add) => x.forEach((value, i) => add(i, 1.25 * factor * value))),
          1,
          (builder, runtime, out) => {
            runtime.floats(out, count).set(x);
            const alphaPointer = alphaOf(runtime);
            builder.scale({ count, alpha: 1.25, alphaPointer, values: out });
          },
        );
      }),
      { numRuns: 20 },
    );
  });

  test("momentumUpdate changes gradient, velocity and parameters", () => {
    fc.assert(
      fc.property(counts, seeds, fc.constantFrom(0, 0.01), (count, seed, weightDecay) => {
        const next = numbers(seed);
        const [g, v, p] = [uniform(next, count), uniform(next, count), uniform(next, count)];
        const expected = accumulate(3 * count, (add) => {
          for (let i = 0; i < count; i++) {
            const gradient = [g[i]!, weightDecay * p[i]!];
            const velocity = [0.9 * v[i]!, ...gradient];
            for (const term of gradient) add(i, term);
            for (const term of velocity) add(count + i, term);
            for (const term of velocity) add(2 * count + i, -0.125 * term);
            add(2 * count + i, p[i]!);
          }
        });
        check("momentumUpdate", expected, 6, (builder, runtime, out) => {
          runtime.floats(out, 3 * count).set([...g, ...v, ...p]);
          builder.momentumUpdate({
            count,
            momentum: 0.9,
            learningRate: 0.125,
            weightDecay,
            gradient: out,
            velocity: out + 4 * count,
            parameters: out + 8 * count,
          });
        });
      }),
      { numRuns: 20 },
    );
  });
});

describe("reductions", () => {
  test("squaredNorm and dot sum in float64, whatever the thread count", () => {
    fc.assert(
      fc.property(counts, seeds, (count, seed) => {
        const next = numbers(seed);
        const x = uniform(next, count);
        const y = uniform(next, count);
        const norm = x.reduce((sum, value) => sum + value * value, 0);
        const product = x.reduce((sum, value, i) => sum + value * y[i]!, 0);
        const bits = new Map<string, Float64Array>();
        for (const runtime of runtimes) {
          const mark = runtime.mark();
          const out = runtime.allocate(16);
          runtime.doubles(out, 2).set([7, Number.NaN]);
          const values = upload(runtime, x);
          const builder = runtime.program();
          builder.squaredNorm({ values, count, out, accumulate: true });
          builder.dot({ a: values, b: upload(runtime, y), count, out: out + 8 });
          builder.compile().run();
          const result = runtime.doubles(out, 2).slice();
          // Float64 sums of exact products: 2^-53 a term.
          expect(Math.abs(result[0]! - norm - 7)).toBeLessThanOrEqual(
            (count + 8) * 2e-16 * (norm + 7),
          );
          expect(Math.abs(result[1]! - product)).toBeLessThanOrEqual(
            (count + 8) * 2e-16 * (count + 1),
          );
          expect(result).toEqual(bits.get(runtime.variant) ?? result);
          bits.set(runtime.variant, result);
          runtime.release(mark);
        }
      }),
      { numRuns: 20 },
    );
  });
});

describe("groupRmsProp", () => {
  test("follows its recurrence in float64", () => {
    for (const runtime of runtimes) {
      const mark = runtime.mark();
      const squaredNorm = runtime.allocate(8);
      const state = runtime.allocate(16);
      const step = runtime.allocate(4);
      runtime.doubles(state, 2).fill(0);
      const builder = runtime.program();
      builder.groupRmsProp({
        squaredNorm,
        state,
        step,
        alpha: 0.99,
        epsilon: 1e-6,
        learningRate: 0.01,
      });
      const program = builder.compile();
      let average = 0;
      for (let time = 1; time <= 300; time++) {
        const squared = 1 / time;
        runtime.doubles(squaredNorm, 1)[0] = squared;
        program.run();
        average = 0.99 * average + (1 - 0.99) * squared;
        const rate = 0.01 / (Math.sqrt(average / (1 - 0.99 ** time)) + 1e-6);
        expect(runtime.doubles(state, 2)[0]).toBeCloseTo(average, 14);
        expect(runtime.doubles(state, 2)[1]).toBe(time);
        // The step is rounded to float32.
        expect(Math.abs(runtime.floats(step, 1)[0]! + rate)).toBeLessThanOrEqual(rate * 2 ** -23);
      }
      runtime.release(mark);
    }
  });
});
