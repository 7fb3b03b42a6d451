import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { decodeCurves, encodeCurves } from "../../src/report/curve-codec.ts";
import type { Curve } from "../../src/report/report-data.ts";
import { thinCurve } from "../../src/report/thin-curve.ts";

const anyCurve: fc.Arbitrary<Curve> = fc
  .array(
    fc.record({
      step: fc.integer({ min: 1, max: 100_000 }),
      value: fc.oneof(
        fc.double(),
        fc.constantFrom(0, -0, Number.NaN, Number.MAX_VALUE, -Number.MAX_VALUE, 5e-324),
      ),
    }),
    { maxLength: 60 },
  )
  .map((points) => {
    let epoch = -1;
    return {
      epochs: points.map(({ step }) => (epoch += step)),
      values: points.map(({ value }) => value),
    };
  });

describe("curve codec", () => {
  test("keeps epochs exactly and values to 8e-6 of their size", () => {
    fc.assert(
      fc.property(fc.array(anyCurve, { maxLength: 5 }), (curves) => {
        const decoded = decodeCurves(encodeCurves(curves));
        expect(decoded.length).toBe(curves.length);
        curves.forEach(({ epochs, values }, c) => {
          expect(Array.from(decoded[c]!.epochs)).toEqual(Array.from(epochs));
          Array.from(values).forEach((value, i) => {
            const back = decoded[c]!.values[i]!;
            if (!Number.isFinite(value)) expect(back).toBeNaN();
            // Below 2^-1022 a double has fewer digits to lose; the grid there is 2^-1038.
            else
              expect(Math.abs(back - value)).toBeLessThanOrEqual(
                Math.max(8e-6 * Math.abs(value), 2 ** -1038),
              );
          });
        });
      }),
    );
  });

  test("takes less than three bytes a point for a smooth curve", () => {
    const epochs = Array.from({ length: 1000 }, (_, i) => 25 * i + 24);
    const values = epochs.map((epoch) => 40 / (1 + Math.exp(-(epoch - 9000) / 800)));
    expect(encodeCurves([{ epochs, values }]).length).toBeLessThan(4 * 1000);
    const both = encodeCurves([
      { epochs, values },
      { epochs, values },
    ]);
    expect(both.length).toBeLessThan(6 * 1000);
  });

  test("refuses bytes that end early", () => {
    const bytes = encodeCurves([{ epochs: [1, 2, 3], values: [1, 2, 3] }]);
    for (let length = 0; length < bytes.length; length++)
      expect(() => decodeCurves(bytes.subarray(0, length))).toThrow(RangeError);
  });
});

describe("thinned curves", () => {
  test("keep first, last, lowest and highest, and every point they keep is one of the curve", () => {
    fc.assert(
      fc.property(
        fc.array(fc.double({ noNaN: true, noDefaultInfinity: true }), {
          minLength: 1,
          maxLength: 500,
        }),
        fc.integer({ min: 8, max: 100 }),
        (values, limit) => {
          const epochs = values.map((_, i) => 3 * i);
          const thin = thinCurve({ epochs, values }, limit);
          const kept = Array.from(thin.values);
          expect(kept.length).toBeLessThanOrEqual(Math.max(8, limit));
          expect(thin.epochs[0]).toBe(0);
          expect(thin.epochs[kept.length - 1]).toBe(epochs.at(-1));
          expect(Math.min(...kept)).toBe(Math.min(...values));
          expect(Math.max(...kept)).toBe(Math.max(...values));
          kept.forEach((value, i) => expect(value).toBe(values[thin.epochs[i]! / 3]));
          for (let i = 1; i < kept.length; i++)
            expect(thin.epochs[i]).toBeGreaterThan(thin.epochs[i - 1]!);
        },
      ),
    );
  });

  test("keep gaps", () => {
    const values = Array.from({ length: 1000 }, (_, i) => (i === 500 ? Number.NaN : i));
    const thin = thinCurve({ epochs: values.map((_, i) => i), values }, 40);
    expect(Array.from(thin.values).some(Number.isNaN)).toBe(true);
  });
});
