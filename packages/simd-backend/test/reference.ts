import { expect } from "vitest";

/** A float64 value with the sum of the magnitudes of the terms it is made of. */
export interface Reference {
  readonly values: Float64Array;
  readonly magnitudes: Float64Array;
}

/** Rounding unit of float32. */
const UNIT = 2 ** -24;

/**
 * Any order of summing `terms` products in float32 is off by at most about terms · 2^-24 times the sum of
 * their magnitudes (Higham, Accuracy and Stability, §3.1); a few units more are for the products themselves
 * and for scaling.
 */
export function expectClose(
  actual: Float32Array | Float64Array,
  { values, magnitudes }: Reference,
  terms: number,
  context: string,
): void {
  expect(actual.length, context).toBe(values.length);
  for (let i = 0; i < values.length; i++) {
    const bound = (terms + 10) * UNIT * magnitudes[i]! + 1e-37;
    if (!(Math.abs(actual[i]! - values[i]!) <= bound)) {
      expect.fail(`${context}: entry ${i} is ${actual[i]}, not ${values[i]} ± ${bound}`);
    }
  }
}

/** Sums terms per output entry. */
export function accumulate(
  length: number,
  visit: (add: (position: number, term: number) => void) => void,
): Reference {
  const values = new Float64Array(length);
  const magnitudes = new Float64Array(length);
  visit((position, term) => {
    values[position]! += term;
    magnitudes[position]! += Math.abs(term);
  });
  return { values, magnitudes };
}

/** Uniform numbers in [-1, 1) that depend on the seed alone (a multiplicative congruential generator). */
export function numbers(seed: number): () => number {
  let state = (seed % 2147483646) + 1;
  return () => {
    state = (state * 48271) % 2147483647;
    return (state / 2147483647) * 2 - 1;
  };
}

export function uniform(next: () => number, length: number): Float32Array {
  return Float32Array.from({ length }, next);
}

export function integers(next: () => number, length: number, bound: number): Int32Array {
  return Int32Array.from({ length }, () => Math.floor(((next() + 1) / 2) * bound));
}

/** Compressed lists: `entries` items dealt to `rows` rows, some of them empty. */
export function compressedLists(
  next: () => number,
  rows: number,
  entries: number,
): { start: Int32Array; list: Int32Array } {
  const owner = integers(next, entries, rows);
  const list = Int32Array.from({ length: entries }, (_, i) => i).sort(
    (a, b) => owner[a]! - owner[b]! || a - b,
  );
  const start = new Int32Array(rows + 1);
  for (const row of owner) start[row + 1]!++;
  for (let row = 0; row < rows; row++) start[row + 1]! += start[row]!;
  return { start, list };
}
