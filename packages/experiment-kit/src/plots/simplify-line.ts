/** Points of a line in pixels. */
export interface Polyline {
  readonly x: readonly number[];
  readonly y: readonly number[];
}

/**
 * The same picture with fewer points: of all points in one column of `columnWidth` pixels only the
 * first, lowest, highest and last are kept (in their order), and of the rest those that differ from a
 * straight line by more than `tolerance` pixels. `x` must not decrease.
 */
export function simplifyLine(line: Polyline, columnWidth = 0.5, tolerance = 0.1): Polyline {
  return dropCollinear(keepColumnExtremes(line, columnWidth), tolerance);
}

function keepColumnExtremes({ x, y }: Polyline, columnWidth: number): Polyline {
  const kept: number[] = [];
  for (let first = 0; first < x.length;) {
    const column = Math.floor(x[first]! / columnWidth);
    let low = first;
    let high = first;
    let last = first;
    while (last + 1 < x.length && Math.floor(x[last + 1]! / columnWidth) === column) {
      last++;
      if (y[last]! < y[low]!) low = last;
      if (y[last]! > y[high]!) high = last;
    }
    kept.push(...new Set([first, Math.min(low, high), Math.max(low, high), last]));
    first = last + 1;
  }
  return { x: kept.map((i) => x[i]!), y: kept.map((i) => y[i]!) };
}

/** Ramer, Douglas and Peucker's algorithm, without recursion. */
function dropCollinear({ x, y }: Polyline, tolerance: number): Polyline {
  if (x.length < 3) return { x, y };
  const keep = new Uint8Array(x.length);
  keep[0] = keep[x.length - 1] = 1;
  const spans: [number, number][] = [[0, x.length - 1]];
  for (let span = spans.pop(); span !== undefined; span = spans.pop()) {
    const [first, last] = span;
    const farthest = farthestFromChord(x, y, first, last, tolerance);
    if (farthest < 0) continue;
    keep[farthest] = 1;
    spans.push([first, farthest], [farthest, last]);
  }
  return { x: x.filter((_, i) => keep[i] === 1), y: y.filter((_, i) => keep[i] === 1) };
}

function farthestFromChord(
  x: readonly number[],
  y: readonly number[],
  first: number,
  last: number,
  tolerance: number,
): number {
  const dx = x[last]! - x[first]!;
  const dy = y[last]! - y[first]!;
  const length = Math.hypot(dx, dy);
  let farthest = -1;
  let distance = tolerance;
  for (let i = first + 1; i < last; i++) {
    const px = x[i]! - x[first]!;
    const py = y[i]! - y[first]!;
    const away = length === 0 ? Math.hypot(px, py) : Math.abs(dx * py - dy * px) / length;
    if (away > distance) {
      distance = away;
      farthest = i;
    }
  }
  return farthest;
}
