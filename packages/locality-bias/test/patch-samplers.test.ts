import { createRandom } from "@implicit-rank/random";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  checkPathfinderPatches,
  isSamePatches,
  LocalityBiasError,
  type Patch,
  type PathfinderPatchOptions,
  pathfinderPatches,
} from "../src/index.ts";

/** Cells between two patches: the larger gap, over rows and over columns; negative if they overlap. */
function gap(a: Patch, b: Patch): number {
  const rows = Math.max(a.top, b.top) - Math.min(a.top + a.height, b.top + b.height);
  const columns = Math.max(a.left, b.left) - Math.min(a.left + a.width, b.left + b.width);
  return Math.max(rows, columns);
}

/** Every admissible place of b by trying all. */
function admissible(a: Patch, options: PathfinderPatchOptions): string[] {
  const { height, width, size, distance, adjacentOnly } = options;
  const found: string[] = [];
  for (let top = 0; top + size <= height; top++) {
    for (let left = 0; left + size <= width; left++) {
      const between = gap(a, { top, left, height: size, width: size });
      if (adjacentOnly ? between === distance : between >= distance) found.push(`${top},${left}`);
    }
  }
  return found;
}

const fittingOptions = fc
  .record({
    height: fc.integer({ min: 1, max: 14 }),
    width: fc.integer({ min: 1, max: 14 }),
    size: fc.integer({ min: 1, max: 4 }),
    distance: fc.integer({ min: 0, max: 4 }),
    adjacentOnly: fc.boolean(),
  })
  .filter((options) => {
    try {
      checkPathfinderPatches(options);
      return true;
    } catch {
      return false;
    }
  });

describe("patches of pathfinder", () => {
  test("lie in the image, apart or adjacent as asked", () => {
    fc.assert(
      fc.property(fittingOptions, fc.nat(), (options, seed) => {
        const { height, width, size, distance, adjacentOnly } = options;
        const { a, b } = pathfinderPatches(options, createRandom(seed));
        for (const { top, left } of [a, b]) {
          expect(top >= 0 && left >= 0 && top + size <= height && left + size <= width).toBe(true);
        }
        expect([a.height, a.width, b.height, b.width]).toEqual([size, size, size, size]);
        expect(gap(a, b)).toBeGreaterThanOrEqual(distance);
        if (adjacentOnly) expect(gap(a, b)).toBe(distance);
      }),
    );
  });

  test.each([
    { height: 7, width: 9, size: 2, distance: 1, adjacentOnly: false },
    { height: 7, width: 9, size: 2, distance: 1, adjacentOnly: true },
    { height: 3, width: 8, size: 2, distance: 0, adjacentOnly: false },
    { height: 6, width: 6, size: 2, distance: 0, adjacentOnly: true },
  ])("are uniform over all pairs given the first: %o", (options) => {
    const random = createRandom(7);
    const places = new Map<string, Map<string, number>>();
    const draws = 60_000;
    for (let draw = 0; draw < draws; draw++) {
      const { a, b } = pathfinderPatches(options, random);
      const key = `${a.top},${a.left}`;
      const seconds = places.get(key) ?? new Map<string, number>();
      places.set(key, seconds);
      const second = `${b.top},${b.left}`;
      seconds.set(second, (seconds.get(second) ?? 0) + 1);
    }
    const { height, width, size } = options;
    const firsts = (height - size + 1) * (width - size + 1);
    expect(places.size).toBe(firsts);
    for (const [key, seconds] of places) {
      const [top, left] = key.split(",").map(Number);
      const wanted = admissible({ top, left, height: size, width: size }, options);
      expect([...seconds.keys()].sort()).toEqual(wanted.sort());
      // Counts of about draws / firsts / wanted.length, with a deviation of its root: five are enough
      // for all of some thousand counts.
      const mean = draws / firsts / wanted.length;
      for (const count of seconds.values()) {
        expect(Math.abs(count - mean)).toBeLessThan(5.5 * Math.sqrt(mean) + 3);
      }
    }
  });

  test("are refused exactly where some first patch leaves no room for a second", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 0, max: 5 }),
        fc.boolean(),
        (height, width, size, distance, adjacentOnly) => {
          const options = { height, width, size, distance, adjacentOnly };
          let everyFirstHasRoom = size <= height && size <= width;
          for (let top = 0; top + size <= height; top++) {
            for (let left = 0; left + size <= width; left++) {
              const a = { top, left, height: size, width: size };
              if (admissible(a, options).length === 0) everyFirstHasRoom = false;
            }
          }
          const check = () => checkPathfinderPatches(options);
          if (everyFirstHasRoom) expect(check).not.toThrow();
          else expect(check).toThrow(LocalityBiasError);
        },
      ),
      { numRuns: 300 },
    );
  });

  test("errors name the flag and the remedy", () => {
    const options = { height: 10, width: 10, size: 3, distance: 5, adjacentOnly: false };
    expect(() => pathfinderPatches(options, createRandom(1))).toThrow(
      "--reg_patch_size: not every place in images of 10×10 leaves room for two patches of 3×3 with 5 between them; use smaller patches or a smaller --reg_distance",
    );
    expect(() => checkPathfinderPatches({ ...options, size: 2.5 })).toThrow(
      "--reg_patch_size: is 2.5; give a positive integer",
    );
    expect(() => checkPathfinderPatches({ ...options, distance: -1 })).toThrow(
      "--reg_distance: is -1; give an integer of 0 or more",
    );
  });
});

test("patches of is-same: either image is the first one, half of the time", () => {
  const left = { top: 2, left: 0, height: 4, width: 4 };
  const right = { top: 2, left: 9, height: 4, width: 4 };
  const random = createRandom(3);
  let lefts = 0;
  for (let draw = 0; draw < 4000; draw++) {
    const { a, b } = isSamePatches([left, right], random);
    expect([a, b]).toEqual(a === left ? [left, right] : [right, left]);
    if (a === left) lefts += 1;
  }
  // Deviation 32.
  expect(Math.abs(lefts - 2000)).toBeLessThan(160);
});

test("the same seed draws the same patches", () => {
  const options = { height: 20, width: 30, size: 3, distance: 2, adjacentOnly: false };
  const draw = () => {
    const random = createRandom(11);
    return Array.from({ length: 20 }, () => pathfinderPatches(options, random));
  };
  expect(draw()).toEqual(draw());
});
