import fc from "fast-check";
import { describe, test } from "vitest";
import type { Factor, KernelRuntime, ProgramBuilder } from "../src/index.ts";
import { checkOperation, rowCounts, runs, seeds, widths } from "./check.ts";
import {
  accumulate,
  compressedLists,
  integers,
  numbers,
  uniform,
  type Reference,
} from "./reference.ts";
import { testRuntimes, upload, uploadInts } from "./runtimes.ts";

const runtimes = testRuntimes();
const check = (
  context: string,
  expected: Reference,
  terms: number,
  record: (builder: ProgramBuilder, runtime: KernelRuntime, out: number) => void,
) => checkOperation(runtimes, context, expected, terms, record);

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

const factorCounts = fc.integer({ min: 1, max: 8 });

describe("gathered products", () => {
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
});

describe("scattered products", () => {
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
});

describe("Khatri-Rao products", () => {
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
