import { describe, expect, it } from "vitest";
import { logTicks, powersBetween } from "../src/plots/axis-ticks.ts";
import { axisLimits, logLimits } from "../src/plots/y-scale.ts";

describe("logarithmic axes of extreme values", () => {
  it("end at positive finite limits though the ratio of the values overflows", () => {
    for (const [low, high] of [
      [1e-300, 1e300],
      [5e-324, 1],
      [1, Number.MAX_VALUE],
    ] as const) {
      for (const [bottom, top] of [logLimits(low, high, 0.05), axisLimits([low, high], "log")]) {
        expect(bottom).toBeGreaterThan(0);
        expect(Number.isFinite(top)).toBe(true);
        const ticks = logTicks([bottom, top]);
        expect(ticks.length).toBeGreaterThan(1);
        expect(ticks.length).toBeLessThan(10);
        expect(ticks.every((tick) => tick >= bottom && tick <= top)).toBe(true);
      }
    }
  });

  it("keep the share of room around ordinary values", () => {
    const [low, high] = logLimits(1e-4, 1e2, 0.05);
    expect(low).toBeCloseTo(1e-4 / 10 ** 0.3, 12);
    expect(high).toBeCloseTo(1e2 * 10 ** 0.3, 9);
  });

  it("have no ticks where they would never end", () => {
    expect(powersBetween(0, 1)).toEqual([]);
    expect(powersBetween(1, Infinity)).toEqual([]);
    expect(logTicks([0, Infinity])).toEqual([]);
  });
});
