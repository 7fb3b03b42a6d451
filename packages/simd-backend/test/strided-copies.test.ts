import fc from "fast-check";
import { describe, test } from "vitest";
import { seeds } from "./check.ts";
import { numbers, uniform } from "./reference.ts";
import { testRuntimes, upload } from "./runtimes.ts";
import { checkWithinUlps } from "./ulps.ts";

const runtimes = testRuntimes();

const few = fc.integer({ min: 1, max: 3 });
const some = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 60, max: 90 }));

/** Positions of a five-dimensional array in row-major order. */
function forEachPlace(
  sizes: readonly number[],
  visit: (place: number[], index: number) => void,
): void {
  const total = sizes.reduce((product, length) => product * length, 1);
  for (let index = 0; index < total; index++) {
    let rest = index;
    const place = sizes.map(() => 0);
    for (let axis = sizes.length - 1; axis >= 0; axis--) {
      place[axis] = rest % sizes[axis]!;
      rest = Math.floor(rest / sizes[axis]!);
    }
    visit(place, index);
  }
}

describe("strided copies", () => {
  test("stridedCopy takes a part of an array whose axes come in another order", () => {
    fc.assert(
      fc.property(
        few,
        few,
        few,
        some,
        some,
        fc.nat(5),
        seeds,
        (i, j, k, rows, width, gap, seed) => {
          const from = width + gap;
          // The outer axes of the input come in the order k, i, j.
          const inStrides = [j * rows * from, rows * from, i * j * rows * from, from] as const;
          const outStrides = [j * k * rows * width, k * rows * width, rows * width, width] as const;
          const x = uniform(numbers(seed), i * j * k * rows * from);
          const expected = new Float32Array(i * j * k * rows * width);
          forEachPlace([i, j, k, rows, width], ([a, b, c, r, w], index) => {
            expected[index] =
              x[a! * inStrides[0] + b! * inStrides[1] + c! * inStrides[2] + r! * from + w!]!;
          });
          checkWithinUlps(runtimes, "stridedCopy", expected, 0, (builder, runtime, out) =>
            builder.stridedCopy({
              out,
              in: upload(runtime, x),
              outer: [i, j, k],
              rows,
              width,
              inStrides,
              outStrides,
            }),
          );
        },
      ),
      { numRuns: 40 },
    );
  });

  test("stridedTranspose swaps rows and columns", () => {
    fc.assert(
      fc.property(few, few, few, some, some, seeds, (i, j, k, rows, width, seed) => {
        const block = rows * width;
        const inStrides = [j * k * block, k * block, block, width] as const;
        const outStrides = [j * k * block, k * block, block, rows] as const;
        const x = uniform(numbers(seed), i * j * k * block);
        const expected = new Float32Array(x.length);
        forEachPlace([i * j * k, width, rows], ([o, c, r], index) => {
          expected[index] = x[o! * block + r! * width + c!]!;
        });
        checkWithinUlps(runtimes, "stridedTranspose", expected, 0, (builder, runtime, out) =>
          builder.stridedTranspose({
            out,
            in: upload(runtime, x),
            outer: [i, j, k],
            rows,
            width,
            inStrides,
            outStrides,
          }),
        );
      }),
      { numRuns: 40 },
    );
  });
});
