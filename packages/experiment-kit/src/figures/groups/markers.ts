/** The shape of a marker as SVG path data about the origin, of the size of matplotlib's default (6 points). */
export interface MarkerShape {
  readonly path: string;
  /** Otherwise lines only. */
  readonly isFilled: boolean;
}

/** Half of the size in points. */
const RADIUS = 3;

type Point = readonly [x: number, y: number];

/** y goes up. */
function polygon(points: readonly Point[], scale = RADIUS): string {
  const at = points.map(([x, y]) => `${rounded(scale * x)},${rounded(-scale * y)}`);
  return `M${at.join("L")}Z`;
}

/** Regular, a corner on top; with an inner radius, a star. */
function regular(corners: number, inner?: number, turn = 0): readonly Point[] {
  const count = inner === undefined ? corners : 2 * corners;
  return Array.from({ length: count }, (_, i) => {
    const radius = inner !== undefined && i % 2 === 1 ? inner : 1;
    const angle = turn + (2 * Math.PI * i) / count;
    return [radius * Math.sin(angle), radius * Math.cos(angle)];
  });
}

const rotate = (points: readonly Point[], quarters: number): readonly Point[] =>
  points.map((point) => {
    let [x, y] = point;
    for (let i = 0; i < quarters; i++) [x, y] = [y, -x];
    return [x, y];
  });

/** Lines from the origin. */
const rays = (ends: readonly Point[]): string =>
  ends.map(([x, y]) => `M0,0L${rounded(RADIUS * x)},${rounded(-RADIUS * y)}`).join("");

function circle(radius: number): string {
  const arc = `a${radius},${radius} 0 1,0`;
  return `M${-radius},0${arc} ${2 * radius},0${arc} ${-2 * radius},0Z`;
}

const rounded = (value: number): number => Math.round(value * 1000) / 1000 || 0;

const TRIANGLE: readonly Point[] = [
  [0, 1],
  [1, -1],
  [-1, -1],
];
const SQUARE: readonly Point[] = [
  [-1, -1],
  [-1, 1],
  [1, 1],
  [1, -1],
];
const DIAMOND = regular(4);
const UP_AND_SIDES: readonly Point[] = [
  [0, -1],
  [0.8, 0.5],
  [-0.8, 0.5],
];
const CROSS: readonly Point[] = [
  [0, 1],
  [1, 0],
  [0, -1],
  [-1, 0],
];
const THIRD = 1 / 3;
const PLUS: readonly Point[] = [
  [-THIRD, -1],
  [THIRD, -1],
  [THIRD, -THIRD],
  [1, -THIRD],
  [1, THIRD],
  [THIRD, THIRD],
  [THIRD, 1],
  [-THIRD, 1],
  [-THIRD, THIRD],
  [-1, THIRD],
  [-1, -THIRD],
  [-THIRD, -THIRD],
];
const EX: readonly Point[] = [
  [-1, 0.5],
  [-0.5, 1],
  [0, 0.5],
  [0.5, 1],
  [1, 0.5],
  [0.5, 0],
  [1, -0.5],
  [0.5, -1],
  [0, -0.5],
  [-0.5, -1],
  [-1, -0.5],
  [-0.5, 0],
];

const filled = (path: string): MarkerShape => ({ path, isFilled: true });
const lines = (path: string): MarkerShape => ({ path, isFilled: false });

/** By the signs of matplotlib; `None` is no marker. */
const shapes: Readonly<Record<string, MarkerShape | undefined>> = {
  o: filled(circle(RADIUS)),
  s: filled(polygon(SQUARE)),
  "^": filled(polygon(TRIANGLE)),
  v: filled(polygon(rotate(TRIANGLE, 2))),
  "<": filled(polygon(rotate(TRIANGLE, 3))),
  ">": filled(polygon(rotate(TRIANGLE, 1))),
  D: filled(polygon(DIAMOND, RADIUS * Math.SQRT2)),
  d: filled(
    polygon(
      DIAMOND.map(([x, y]) => [0.6 * x, y] as const),
      RADIUS * Math.SQRT2,
    ),
  ),
  p: filled(polygon(regular(5))),
  h: filled(polygon(regular(6))),
  H: filled(polygon(regular(6, undefined, Math.PI / 6))),
  "8": filled(polygon(regular(8, undefined, Math.PI / 8))),
  "*": filled(polygon(regular(5, 0.381966), 1.25 * RADIUS)),
  P: filled(polygon(PLUS)),
  X: filled(polygon(EX)),
  "+": lines(rays(CROSS)),
  x: lines(rays(regular(4, undefined, Math.PI / 4).map(([x, y]) => scaled(x, y, Math.SQRT2)))),
  "|": lines(rays([CROSS[0]!, CROSS[2]!])),
  _: lines(rays([CROSS[1]!, CROSS[3]!])),
  "1": lines(rays(UP_AND_SIDES)),
  "2": lines(rays(rotate(UP_AND_SIDES, 2))),
  "3": lines(rays(rotate(UP_AND_SIDES, 1))),
  "4": lines(rays(rotate(UP_AND_SIDES, 3))),
  ".": filled(circle(RADIUS / 2)),
  ",": filled(circle(0.4)),
  None: undefined,
};

function scaled(x: number, y: number, factor: number): Point {
  return [factor * x, factor * y];
}

export const markerNames: readonly string[] = Object.keys(shapes).sort();

/** Cycled; told apart also without colors. */
export const DEFAULT_MARKERS = ["o", "s", "^", "d", "v", "X", "h", "<", "*", "p"];

/** Undefined for no marker. */
export function markerShape(name: string): MarkerShape | undefined {
  return shapes[name];
}
