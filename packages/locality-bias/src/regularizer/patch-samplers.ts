import type { Random } from "@implicit-rank/random";
import { LocalityBiasError } from "../errors.ts";
import type { Patch, PatchPair } from "./patch.ts";

/**
 * Patches of a pair of images: a is either one with probability 1/2, b the other.
 *
 * @param places the squares of the two images.
 */
export function isSamePatches(places: readonly [Patch, Patch], random: Random): PatchPair {
  const [first, second] = places;
  return random.int(2) === 0 ? { a: first, b: second } : { a: second, b: first };
}

/** The patches to draw: see `pathfinderPatches`. */
export interface PathfinderPatchOptions {
  /** Of the image. */
  readonly height: number;
  readonly width: number;
  /** Side of both patches: --reg_patch_size. */
  readonly size: number;
  /** Cells between the patches: --reg_distance. */
  readonly distance: number;
  /** Exactly at the distance, not at least: --reg_only_adjecent_patches. */
  readonly adjacentOnly: boolean;
}

/**
 * Two square patches: a uniform over all positions; b uniform over the positions at least `distance`
 * from a, or exactly at it.
 *
 * The distance of two patches is the larger of the gaps between their rows and between their columns, 0
 * where they touch; patches that overlap have none.
 *
 * @throws LocalityBiasError as `checkPathfinderPatches`.
 */
export function pathfinderPatches(options: PathfinderPatchOptions, random: Random): PatchPair {
  checkPathfinderPatches(options);
  const { height, width, size } = options;
  const a = square(random.int(height - size + 1), random.int(width - size + 1), size);
  const bands = admissibleBands(a, options);
  const positions = bands.reduce((sum, { rows, columns }) => sum + rows * columns, 0);
  let drawn = random.int(positions);
  for (const { top, left, rows, columns } of bands) {
    if (drawn < rows * columns) {
      const b = square(top + Math.floor(drawn / columns), left + (drawn % columns), size);
      return { a, b };
    }
    drawn -= rows * columns;
  }
  throw new Error("the bands hold fewer positions than were counted");
}

/** Top left corners: `rows` × `columns` of them from (top, left) on. */
interface Band {
  readonly top: number;
  readonly left: number;
  readonly rows: number;
  readonly columns: number;
}

/**
 * The corners at which b may lie, as disjoint rectangles. Corners nearer than `size + distance` to a's
 * in both directions are too near; those that are left form a frame about a, of which there are the
 * parts above and below, as wide as the frame, and the parts to the left and right of a.
 */
function admissibleBands(a: Patch, options: PathfinderPatchOptions): Band[] {
  const { height, width, size, distance, adjacentOnly } = options;
  const reach = size + distance;
  const outer = adjacentOnly ? reach : Number.POSITIVE_INFINITY;
  const vertical = interval(a.top, outer, height - size);
  const horizontal = interval(a.left, outer, width - size);
  const beside = interval(a.top, reach - 1, height - size);
  return [
    band(vertical.first, a.top - reach, horizontal.first, horizontal.last),
    band(a.top + reach, vertical.last, horizontal.first, horizontal.last),
    band(beside.first, beside.last, horizontal.first, a.left - reach),
    band(beside.first, beside.last, a.left + reach, horizontal.last),
  ];
}

/** The whole numbers within `reach` of `center` in 0 … last. */
function interval(center: number, reach: number, last: number) {
  return { first: Math.max(0, center - reach), last: Math.min(last, center + reach) };
}

function band(top: number, bottom: number, left: number, right: number): Band {
  return { top, left, rows: Math.max(0, bottom - top + 1), columns: Math.max(0, right - left + 1) };
}

const square = (top: number, left: number, size: number): Patch => ({
  top,
  left,
  height: size,
  width: size,
});

/**
 * Checks that b fits wherever a is drawn; a in the middle leaves the least room.
 *
 * @throws LocalityBiasError if it does not, or if a size is not a whole number.
 */
export function checkPathfinderPatches(options: PathfinderPatchOptions): void {
  const { height, width, size, distance } = options;
  if (!Number.isSafeInteger(size) || size < 1) {
    throw new LocalityBiasError(`--reg_patch_size: is ${size}; give a positive integer`);
  }
  if (!Number.isSafeInteger(distance) || distance < 0) {
    throw new LocalityBiasError(`--reg_distance: is ${distance}; give an integer of 0 or more`);
  }
  const room = Math.max(height, width) - size;
  if (size > Math.min(height, width) || Math.ceil(room / 2) < size + distance) {
    const patches = `two patches of ${size}×${size} with ${distance} between them`;
    throw new LocalityBiasError(
      `--reg_patch_size: not every place in images of ${height}×${width} leaves room for ${patches}; use smaller patches or a smaller --reg_distance`,
    );
  }
}
