import fc from "fast-check";
import { describe, test } from "vitest";
import type { PoolGeometry } from "../src/index.ts";
import { seeds } from "./check.ts";
import { numbers, uniform } from "./reference.ts";
import { testRuntimes, upload } from "./runtimes.ts";
import { checkWithinUlps } from "./ulps.ts";

const runtimes = testRuntimes();

const small = fc.integer({ min: 1, max: 4 });
const geometries: fc.Arbitrary<PoolGeometry> = fc
  .record({
    batch: fc.integer({ min: 1, max: 3 }),
    inHeight: fc.integer({ min: 1, max: 9 }),
    inWidth: fc.integer({ min: 1, max: 9 }),
    channels: fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom(16, 37, 64)),
    filterHeight: small,
    filterWidth: small,
    strideHeight: small,
    strideWidth: small,
    padTop: fc.integer({ min: 0, max: 4 }),
    padLeft: fc.integer({ min: 0, max: 4 }),
    padBottom: fc.integer({ min: 0, max: 4 }),
    padRight: fc.integer({ min: 0, max: 4 }),
  })
  .map(({ padBottom, padRight, ...rest }) => ({
    ...rest,
    outHeight: outLength(
      rest.inHeight,
      rest.padTop + padBottom,
      rest.filterHeight,
      rest.strideHeight,
    ),
    outWidth: outLength(rest.inWidth, rest.padLeft + padRight, rest.filterWidth, rest.strideWidth),
  }))
  .filter(({ outHeight, outWidth }) => outHeight > 0 && outWidth > 0);

function outLength(length: number, pad: number, filter: number, stride: number): number {
  return Math.floor((length + pad - filter) / stride) + 1;
}

/** Calls `visit` with each output entry and the input entries of its window, in row-major order. */
function forEachWindow(g: PoolGeometry, visit: (out: number, window: number[]) => void): void {
  let out = 0;
  for (let b = 0; b < g.batch; b++)
    for (let y = 0; y < g.outHeight; y++)
      for (let x = 0; x < g.outWidth; x++)
        for (let channel = 0; channel < g.channels; channel++, out++) {
          const window: number[] = [];
          for (let i = 0; i < g.filterHeight; i++)
            for (let j = 0; j < g.filterWidth; j++) {
              const row = y * g.strideHeight - g.padTop + i;
              const column = x * g.strideWidth - g.padLeft + j;
              if (row < 0 || row >= g.inHeight || column < 0 || column >= g.inWidth) continue;
              window.push(((b * g.inHeight + row) * g.inWidth + column) * g.channels + channel);
            }
          visit(out, window);
        }
}

/** The first maximum that is not NaN; -1 when there is none above -∞. */
function placeOfMaximum(window: readonly number[], x: Float32Array): number {
  let [best, place] = [-Infinity, -1];
  for (const position of window) {
    if (x[position]! > best) [best, place] = [x[position]!, position];
  }
  return place;
}

const inLength = (g: PoolGeometry) => g.batch * g.inHeight * g.inWidth * g.channels;
const outEntries = (g: PoolGeometry) => g.batch * g.outHeight * g.outWidth * g.channels;

/** Few different values, so that there are ties, and now and then NaN or an infinity. */
function images(next: () => number, length: number): Float32Array {
  return Float32Array.from({ length }, () => {
    const kind = Math.floor((next() + 1) * 50);
    if (kind === 0) return NaN;
    if (kind === 1) return -Infinity;
    return Math.round(next() * 4);
  });
}

const runs = { numRuns: 60 };

describe("maximum pooling", () => {
  test("maxPool, its gradient and its gather agree on the first maximum", () => {
    fc.assert(
      fc.property(geometries, seeds, (g, seed) => {
        const next = numbers(seed);
        const x = images(next, inLength(g));
        const values = uniform(next, x.length);
        // Multiples of 1/8 add up without rounding.
        const dy = Float32Array.from({ length: outEntries(g) }, () => Math.round(next() * 8) / 8);
        const pooled = new Float32Array(dy.length);
        const gathered = new Float32Array(dy.length);
        const dx = new Float32Array(x.length);
        forEachWindow(g, (out, window) => {
          const place = placeOfMaximum(window, x);
          pooled[out] = place < 0 ? -Infinity : x[place]!;
          gathered[out] = place < 0 ? 0 : values[place]!;
          if (place >= 0) dx[place]! += dy[out]!;
        });
        checkWithinUlps(runtimes, "maxPool", pooled, 0, (builder, runtime, out) =>
          builder.maxPool({ ...g, out, x: upload(runtime, x) }),
        );
        checkWithinUlps(runtimes, "maxPoolGather", gathered, 0, (builder, runtime, out) =>
          builder.maxPoolGather({
            ...g,
            out,
            x: upload(runtime, x),
            values: upload(runtime, values),
          }),
        );
        checkWithinUlps(runtimes, "maxPoolGradient", dx, 0, (builder, runtime, out) =>
          builder.maxPoolGradient({ ...g, out, x: upload(runtime, x), dy: upload(runtime, dy) }),
        );
      }),
      runs,
    );
  });
});

describe("average pooling", () => {
  test("averagePool divides by the pixels inside, its gradient as tfjs has it by the filter", () => {
    fc.assert(
      fc.property(geometries, seeds, (g, seed) => {
        const next = numbers(seed);
        const x = uniform(next, inLength(g));
        const dy = uniform(next, outEntries(g));
        const pooled = new Float32Array(dy.length);
        const dx = new Float64Array(x.length);
        forEachWindow(g, (out, window) => {
          pooled[out] = window.reduce((sum, position) => sum + x[position]!, 0) / window.length;
          for (const position of window) dx[position]! += dy[out]!;
        });
        checkWithinUlps(runtimes, "averagePool", pooled, 0, (builder, runtime, out) =>
          builder.averagePool({ ...g, out, x: upload(runtime, x) }),
        );
        const factor = 1 / (g.filterHeight * g.filterWidth);
        const expected = Float32Array.from(dx, (sum) => sum * factor);
        checkWithinUlps(runtimes, "averagePoolGradient", expected, 0, (builder, runtime, out) =>
          builder.averagePoolGradient({ ...g, out, dy: upload(runtime, dy) }),
        );
      }),
      runs,
    );
  });
});
