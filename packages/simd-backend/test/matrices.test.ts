import fc from "fast-check";
import { describe, test } from "vitest";
import type { KernelRuntime, ProgramBuilder } from "../src/index.ts";
import { checkOperation, rowCounts, runs, seeds, widths } from "./check.ts";
import { accumulate, numbers, uniform, type Reference } from "./reference.ts";
import { testRuntimes, upload } from "./runtimes.ts";

const runtimes = testRuntimes();
const check = (
  context: string,
  expected: Reference,
  terms: number,
  record: (builder: ProgramBuilder, runtime: KernelRuntime, out: number) => void,
) => checkOperation(runtimes, context, expected, terms, record);

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
