import { createResampler, LANCZOS } from "../image/resample.ts";

/** The pixels that a shape covers, as offsets from the pixel it is placed at. */
export interface Stencil {
  readonly dy: Int32Array;
  readonly dx: Int32Array;
  /** Brightness of each pixel. */
  readonly ink: Float32Array;
  /** How much of each pixel the shape keeps others from, 0 … 1. */
  readonly mask: Float32Array;
  /** Indices of the pixels that it takes in full. */
  readonly core: Int32Array;
}

export interface PaddleShape {
  readonly length: number;
  readonly thickness: number;
  readonly margin: number;
  readonly scale: number;
}

/** `start` moved by `distance` along `orientation` (radians from the x axis towards +y), rounded up. */
export function translate(
  start: readonly [y: number, x: number],
  orientation: number,
  distance: number,
): [y: number, x: number] {
  return [
    Math.ceil(start[0] + distance * Math.sin(orientation)),
    Math.ceil(start[1] + distance * Math.cos(orientation)),
  ];
}

/** Offsets within a disc: y² + x² ≤ radius². */
export function discOffsets(radius: number): readonly (readonly [dy: number, dx: number])[] {
  const offsets: [number, number][] = [];
  for (let dy = -radius; dy <= radius; dy++) {
    for (let dx = -radius; dx <= radius; dx++) {
      if (dy * dy + dx * dx <= radius * radius) offsets.push([dy, dx]);
    }
  }
  return offsets;
}

/**
 * A paddle that starts at the center and points along `orientation`: a thick line drawn at `scale` and
 * reduced with Lanczos. Its mask is the line dilated by a disc of radius margin · scale, reduced likewise.
 */
export function paddleStencil(shape: PaddleShape, orientation: number): Stencil {
  const reach = shape.length + shape.thickness + shape.margin;
  const side = 2 * reach * shape.scale + 1;
  const line = drawLine(side, shape, orientation);
  const dilated = dilate(line, side, shape.margin * shape.scale);
  const small = 2 * reach + 1;
  const reduce = createResampler([side, side], [small, small], LANCZOS);
  const ink = reduce.floats(Float32Array.from(line));
  const mask = reduce.bytes(dilated.map((value) => 255 * value));
  return toStencil(
    small,
    ink,
    Float32Array.from(mask, (value) => value / 255),
  );
}

/** A filled circle, reduced likewise from `scale`; it blocks nothing. */
export function markerStencil(radius: number, scale: number): Stencil {
  const reach = radius + 3;
  const side = (2 * reach + 1) * scale;
  const center = reach * scale;
  const circle = new Uint8Array(side * side);
  for (let y = 0; y < side; y++) {
    for (let x = 0; x < side; x++) {
      const inside = (y - center) ** 2 + (x - center) ** 2 <= (radius * scale) ** 2;
      circle[y * side + x] = inside ? 255 : 0;
    }
  }
  const small = 2 * reach + 1;
  const ink = createResampler([side, side], [small, small], LANCZOS).bytes(circle);
  return toStencil(
    small,
    Float32Array.from(ink, (v) => v / 255),
    new Float32Array(small * small),
  );
}

/** One where the line from the center covers a pixel, both ends included: the pixels that PIL draws. */
export function drawLine(side: number, shape: PaddleShape, orientation: number): Uint8Array {
  const center = (side - 1) / 2;
  const [headY, headX] = translate([center, center], orientation, shape.length * shape.scale);
  const corners = lineCorners(center, headY, headX, shape.thickness * shape.scale);
  const image = new Uint8Array(side * side);
  for (let y = 0; y < side; y++) {
    let [left, right] = [Infinity, -Infinity];
    corners.forEach(([y0, x0], i) => {
      const [y1, x1] = corners[(i + 1) % corners.length]!;
      if (y < Math.min(y0, y1) || y > Math.max(y0, y1)) return;
      const crossings = y0 === y1 ? [x0, x1] : [x0 + ((x1 - x0) * (y - y0)) / (y1 - y0)];
      left = Math.min(left, ...crossings);
      right = Math.max(right, ...crossings);
    });
    const [from, to] = [halvesAway(left), halvesTowardsZero(right)];
    for (let x = Math.max(0, from); x <= Math.min(side - 1, to); x++) image[y * side + x] = 1;
  }
  return image;
}

/**
 * The corners of a thick line in whole pixels: half of (width - 1) to either side, of an even width the
 * greater half to one of them.
 */
function lineCorners(center: number, headY: number, headX: number, width: number) {
  const [lineY, lineX] = [headY - center, headX - center];
  const length = Math.hypot(lineY, lineX);
  const half = (width - 1) / 2;
  const [less, more] = [halvesTowardsZero(half) / length, halvesAway(half) / length];
  const [lessX, moreX] = [halvesTowardsZero(less * lineY), halvesTowardsZero(more * lineY)];
  const [lessY, moreY] = [halvesAway(less * lineX), halvesAway(more * lineX)];
  return [
    [center + moreY, center - lessX],
    [headY + moreY, headX - lessX],
    [headY - lessY, headX + moreX],
    [center - lessY, center + moreX],
  ] as const;
}

/** Nearest integer; halves away from zero. */
function halvesAway(value: number): number {
  return Math.sign(value) * Math.floor(Math.abs(value) + 0.5);
}

/** Nearest integer; halves towards zero. */
function halvesTowardsZero(value: number): number {
  return Math.sign(value) * Math.ceil(Math.abs(value) - 0.5);
}

function dilate(image: Uint8Array, side: number, radius: number): Uint8Array {
  const disc = discOffsets(radius);
  const out = new Uint8Array(image.length);
  image.forEach((value, i) => {
    if (value === 0) return;
    const [y, x] = [Math.floor(i / side), i % side];
    for (const [dy, dx] of disc) {
      const [row, column] = [y + dy, x + dx];
      if (row >= 0 && row < side && column >= 0 && column < side) out[row * side + column] = 1;
    }
  });
  return out;
}

function toStencil(side: number, ink: Float32Array, mask: Float32Array): Stencil {
  const reach = (side - 1) / 2;
  const kept = [...ink.keys()].filter((i) => ink[i]! > 0 || mask[i]! > 0);
  const core = kept.flatMap((i, index) => (mask[i] === 1 ? [index] : []));
  return {
    dy: Int32Array.from(kept, (i) => Math.floor(i / side) - reach),
    dx: Int32Array.from(kept, (i) => (i % side) - reach),
    ink: Float32Array.from(kept, (i) => ink[i]!),
    mask: Float32Array.from(kept, (i) => mask[i]!),
    core: Int32Array.from(core),
  };
}
