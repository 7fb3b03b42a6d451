import { expect } from "vitest";

/**
 * Expects actual ≈ expected with the largest deviation at most `relative` times the largest expected
 * value, or times `termSize` if that is more: float32 rounding of a sum is relative to its terms, not
 * to what is left after cancellation.
 */
export function expectClose(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  relative: number,
  termSize = 0,
): void {
  expect(actual.length).toBe(expected.length);
  let scale = termSize;
  let deviation = 0;
  for (let i = 0; i < expected.length; i++) {
    scale = Math.max(scale, Math.abs(expected[i]));
    const difference = Math.abs(actual[i] - expected[i]);
    deviation = difference > deviation || Number.isNaN(difference) ? difference : deviation;
  }
  expect(deviation).toBeLessThanOrEqual(relative * Math.max(scale, Number.MIN_VALUE));
}
