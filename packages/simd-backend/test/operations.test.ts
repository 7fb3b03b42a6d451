import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Factor, KernelRuntime, ProgramBuilder } from "../src/index.ts";
import {
  accumulate,
  compressedLists,
  expectClose,
  integers,
  numbers,
  uniform,
  type Reference,
} from "./reference.ts";
import { blank, nameOf, testRuntimes, upload, uploadInts } from "./runtimes.ts";

const runtimes = testRuntimes();

/** Records one operation on every runtime and compares what it leaves at `out`. */
function check(
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

const seeds = fc.nat();
const rowCounts = fc.integer({ min: 1, max: 90 });
// Wide enough for the work to be shared by threads, with every remainder of a vector.
const widths = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 200, max: 420 }));
const runs = { numRuns: 40 };

/** Random factors over `samples` positions: with an index into few rows, or without one. */
function makeFactors(next: () => number, count: number, samples: number, width: number) {
  return Array.from({ length: count }, (_, position) => {
    const rows = position % 3 === 2 ? samples : 5 + position;
    const index = position % 3 === 2 ? undefined : integers(next, samples, rows);
    return { values: uniform(next, rows * width), index };
  });
}

type HostFactor = ReturnType<typeof makeFactors>[number];

function uploadFactors(runtime: KernelRuntime, factors: readonly HostFactor[]): Factor[] {
  return factors.map(({ values, index }) => ({
    values: upload(runtime, values),
    index: index && uploadInts(runtime, index),
  }));
}

function productAt(
  factors: readonly HostFactor[],
  sample: number,
  column: number,
  width: number,
): number {
  return factors.reduce(
    (product, { values, index }) => product * values[(index?.[sample] ?? sample) * width + column]!,
    1,
  );
}

describe("vectors", () => {
  const counts = fc.oneof(fc.integer({ min: 0, max: 70 }), fc.integer({ min: 16000, max: 40000 }));

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

  test("groupRmsProp follows its recurrence in float64", () => {
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

describe("gathered products", () => {
  const factorCounts = fc.integer({ min: 1, max: 8 });

  test("gatherProduct", () => {
    fc.assert(
      fc.property(rowCounts, widths, factorCounts, seeds, (rows, width, count, seed) => {
        const factors = makeFactors(numbers(seed), count, rows, width);
        const expected = accumulate(rows * width, (add) => {
          for (let i = 0; i < rows * width; i++) {
            add(i, productAt(factors, Math.floor(i / width), i % width, width));
          }
        });
        check("gatherProduct", expected, count, (builder, runtime, out) =>
          builder.gatherProduct({ out, rows, width, factors: uploadFactors(runtime, factors) }),
        );
      }),
      runs,
    );
  });

  test("scatterProduct, with and without a list", () => {
    fc.assert(
      fc.property(
        rowCounts,
        widths,
        fc.integer({ min: 0, max: 8 }),
        fc.integer({ min: 0, max: 150 }),
        fc.boolean(),
        seeds,
        (rows, width, count, entries, listed, seed) => {
          const next = numbers(seed);
          const factors = makeFactors(next, count, entries, width);
          const upstream = uniform(next, entries * width);
          const { start, list } = compressedLists(next, rows, entries);
          const expected = accumulate(rows * width, (add) => {
            for (let row = 0; row < rows; row++) {
              for (let t = start[row]!; t < start[row + 1]!; t++) {
                const i = listed ? list[t]! : t;
                for (let c = 0; c < width; c++) {
                  add(row * width + c, upstream[i * width + c]! * productAt(factors, i, c, width));
                }
              }
            }
          });
          check("scatterProduct", expected, entries + count, (builder, runtime, out) =>
            builder.scatterProduct({
              out,
              rows,
              width,
              start: uploadInts(runtime, start),
              list: listed ? uploadInts(runtime, list) : undefined,
              upstream: upload(runtime, upstream),
              factors: uploadFactors(runtime, factors),
            }),
          );
        },
      ),
      runs,
    );
  });

  test("scatterProduct of four factors wider than one block of columns", () => {
    const next = numbers(11);
    const [rows, width, entries] = [2, 4100, 5];
    const factors = makeFactors(next, 4, entries, width);
    const upstream = uniform(next, entries * width);
    const start = Int32Array.of(0, 3, 5);
    const expected = accumulate(rows * width, (add) => {
      for (let t = 0; t < entries; t++) {
        for (let c = 0; c < width; c++) {
          add((t < 3 ? 0 : width) + c, upstream[t * width + c]! * productAt(factors, t, c, width));
        }
      }
    });
    check("scatterProduct", expected, entries, (builder, runtime, out) =>
      builder.scatterProduct({
        out,
        rows,
        width,
        start: uploadInts(runtime, start),
        upstream: upload(runtime, upstream),
        factors: uploadFactors(runtime, factors),
      }),
    );
  });

  test("scatterScaled", () => {
    fc.assert(
      fc.property(
        rowCounts,
        widths,
        fc.integer({ min: 0, max: 200 }),
        fc.boolean(),
        seeds,
        (rows, width, entries, listed, seed) => {
          const next = numbers(seed);
          const valueRows = listed ? 9 : Math.max(entries, 1);
          const values = uniform(next, valueRows * width);
          const scale = uniform(next, entries);
          const index = integers(next, entries, valueRows);
          const { start, list } = compressedLists(next, rows, entries);
          const expected = accumulate(rows * width, (add) => {
            for (let row = 0; row < rows; row++) {
              for (let t = start[row]!; t < start[row + 1]!; t++) {
                const i = listed ? list[t]! : t;
                const from = (listed ? index[i]! : i) * width;
                for (let c = 0; c < width; c++) {
                  add(row * width + c, 0.5 * scale[i]! * values[from + c]!);
                }
              }
            }
          });
          check("scatterScaled", expected, entries + 1, (builder, runtime, out) =>
            builder.scatterScaled({
              out,
              rows,
              width,
              start: uploadInts(runtime, start),
              list: listed ? uploadInts(runtime, list) : undefined,
              scale: upload(runtime, scale),
              values: upload(runtime, values),
              index: listed ? uploadInts(runtime, index) : undefined,
              alpha: 0.5,
            }),
          );
        },
      ),
      runs,
    );
  });

  test("sampledDot", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 200 }),
        widths,
        fc.boolean(),
        fc.boolean(),
        seeds,
        (count, width, gathered, weighted, seed) => {
          const next = numbers(seed);
          const rows = gathered ? 13 : count;
          const left = uniform(next, rows * width);
          const right = uniform(next, rows * width);
          const leftIndex = integers(next, count, rows);
          const rightIndex = integers(next, count, rows);
          const weights = uniform(next, width);
          const expected = accumulate(count, (add) => {
            for (let s = 0; s < count; s++) {
              const i = (gathered ? leftIndex[s]! : s) * width;
              const j = (gathered ? rightIndex[s]! : s) * width;
              for (let c = 0; c < width; c++) {
                add(s, left[i + c]! * right[j + c]! * (weighted ? weights[c]! : 1));
              }
            }
          });
          check("sampledDot", expected, width, (builder, runtime, out) =>
            builder.sampledDot({
              out,
              count,
              width,
              left: upload(runtime, left),
              leftIndex: gathered ? uploadInts(runtime, leftIndex) : undefined,
              right: upload(runtime, right),
              rightIndex: gathered ? uploadInts(runtime, rightIndex) : undefined,
              weights: weighted ? upload(runtime, weights) : undefined,
            }),
          );
        },
      ),
      runs,
    );
  });

  test("khatriRao and its gradients", () => {
    const sides = fc.integer({ min: 1, max: 20 });
    fc.assert(
      fc.property(sides, sides, widths, seeds, (leftRows, rightRows, width, seed) => {
        const next = numbers(seed);
        const left = uniform(next, leftRows * width);
        const right = uniform(next, rightRows * width);
        const upstream = uniform(next, leftRows * rightRows * width);
        const sum = (length: number, term: (i: number, j: number, c: number) => [number, number]) =>
          accumulate(length, (add) => {
            for (let i = 0; i < leftRows; i++)
              for (let j = 0; j < rightRows; j++)
                for (let c = 0; c < width; c++) add(...term(i, j, c));
          });
        const product = sum(leftRows * rightRows * width, (i, j, c) => [
          (i * rightRows + j) * width + c,
          left[i * width + c]! * right[j * width + c]!,
        ]);
        const toLeft = sum(leftRows * width, (i, j, c) => [
          i * width + c,
          upstream[(i * rightRows + j) * width + c]! * right[j * width + c]!,
        ]);
        const toRight = sum(rightRows * width, (i, j, c) => [
          j * width + c,
          upstream[(i * rightRows + j) * width + c]! * left[i * width + c]!,
        ]);
        const sizes = { leftRows, rightRows, width };
        check("khatriRao", product, 1, (builder, runtime, out) =>
          builder.khatriRao({
            out,
            left: upload(runtime, left),
            right: upload(runtime, right),
            ...sizes,
          }),
        );
        check("khatriRaoGradientLeft", toLeft, rightRows, (builder, runtime, out) =>
          builder.khatriRaoGradientLeft({
            out,
            upstream: upload(runtime, upstream),
            other: upload(runtime, right),
            ...sizes,
          }),
        );
        check("khatriRaoGradientRight", toRight, leftRows, (builder, runtime, out) =>
          builder.khatriRaoGradientRight({
            out,
            upstream: upload(runtime, upstream),
            other: upload(runtime, left),
            ...sizes,
          }),
        );
      }),
      runs,
    );
  });
});

describe("matrices", () => {
  test("transpose, scaleColumns and sums along rows and columns", () => {
    fc.assert(
      fc.property(rowCounts, widths, seeds, (rows, width, seed) => {
        const next = numbers(seed);
        const a = uniform(next, rows * width);
        const b = uniform(next, rows * width);
        const scale = uniform(next, width);
        const sum = (length: number, term: (r: number, c: number) => [number, number]) =>
          accumulate(length, (add) => {
            for (let r = 0; r < rows; r++) for (let c = 0; c < width; c++) add(...term(r, c));
          });
        const at = (r: number, c: number) => r * width + c;
        check(
          "transpose",
          sum(rows * width, (r, c) => [c * rows + r, a[at(r, c)]!]),
          0,
          (builder, runtime, out) =>
            builder.transpose({ out, in: upload(runtime, a), rows, cols: width }),
        );
        check(
          "scaleColumns in place",
          sum(rows * width, (r, c) => [at(r, c), a[at(r, c)]! * scale[c]!]),
          1,
          (builder, runtime, out) => {
            runtime.floats(out, rows * width).set(a);
            builder.scaleColumns({ out, in: out, rows, width, scale: upload(runtime, scale) });
          },
        );
        const sizes = { rows, width };
        check(
          "columnDot",
          sum(width, (r, c) => [c, a[at(r, c)]! * b[at(r, c)]!]),
          rows,
          (builder, runtime, out) =>
            builder.columnDot({ out, a: upload(runtime, a), b: upload(runtime, b), ...sizes }),
        );
        const reductions = [
          ["columnSum", width, (r: number, c: number) => [c, a[at(r, c)]!]],
          ["columnSquaredNorms", width, (r: number, c: number) => [c, a[at(r, c)]! ** 2]],
          ["rowSum", rows, (r: number, c: number) => [r, a[at(r, c)]!]],
          ["rowSquaredNorms", rows, (r: number, c: number) => [r, a[at(r, c)]! ** 2]],
        ] as const;
        for (const [name, length, term] of reductions) {
          check(
            name,
            sum(length, term as (r: number, c: number) => [number, number]),
            rows * width,
            (builder, runtime, out) => builder[name]({ out, a: upload(runtime, a), ...sizes }),
          );
        }
      }),
      runs,
    );
  });
});
