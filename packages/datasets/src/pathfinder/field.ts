import type { Random } from "@implicit-rank/random";
import type { ImageSize } from "../image/resample.ts";
import type { Stencil } from "./stencil.ts";

/** A pixel counts as taken when more of it than this is blocked. */
const TAKEN_ABOVE = 0.3;
/** Two blocked shares that sum to this much or more cross. */
const CROSSING = 1.8;
/** Draws before all pixels are searched; both ways every free pixel is equally likely. */
const RANDOM_DRAWS = 64;

/**
 * The pixels of an image under construction and how much of each is blocked for further paddles.
 * Blocking can be undone back to a mark, for snakes that turn out not to fit.
 */
export class Field {
  readonly height: number;
  readonly width: number;
  readonly image: Float32Array;
  readonly blocked: Float32Array;
  #taken = 0;
  readonly #changedPixels: number[] = [];
  readonly #changedFrom: number[] = [];

  /** @param border pixels at the edge that are blocked from the start */
  constructor([height, width]: ImageSize, border: number) {
    this.height = height;
    this.width = width;
    this.image = new Float32Array(height * width);
    this.blocked = new Float32Array(height * width).fill(1);
    for (let y = border; y < height - border; y++) {
      this.blocked.fill(0, y * width + border, (y + 1) * width - border);
    }
    const inside = Math.max(0, height - 2 * border) * Math.max(0, width - 2 * border);
    this.#taken = height * width - inside;
  }

  /** Empties the image and unblocks all but the border. */
  clear(): void {
    this.image.fill(0);
    this.undoTo(0);
  }

  contains(y: number, x: number): boolean {
    return y >= 0 && y < this.height && x >= 0 && x < this.width;
  }

  freeShare(): number {
    return 1 - this.#taken / (this.height * this.width);
  }

  /** Adds a shape to the image by maximum. */
  draw(stencil: Stencil, y: number, x: number, contrast: number): void {
    const { dy, dx, ink } = stencil;
    for (let i = 0; i < ink.length; i++) {
      const [row, column] = [y + dy[i]!, x + dx[i]!];
      if (!this.contains(row, column)) continue;
      const pixel = row * this.width + column;
      this.image[pixel] = Math.max(this.image[pixel]!, ink[i]! * contrast);
    }
  }

  /** Blocks the pixels around a shape, by maximum. */
  block(stencil: Stencil, y: number, x: number): void {
    const { dy, dx, mask } = stencil;
    for (let i = 0; i < mask.length; i++) {
      const row = y + dy[i]!;
      const column = x + dx[i]!;
      if (!this.contains(row, column)) continue;
      const pixel = row * this.width + column;
      const before = this.blocked[pixel]!;
      if (mask[i]! <= before) continue;
      this.#changedPixels.push(pixel);
      this.#changedFrom.push(before);
      this.#set(pixel, mask[i]!);
    }
  }

  #set(pixel: number, value: number): void {
    const before = this.blocked[pixel]! > TAKEN_ABOVE ? 1 : 0;
    this.blocked[pixel] = value;
    this.#taken += (this.blocked[pixel] > TAKEN_ABOVE ? 1 : 0) - before;
  }

  /** A mark of what is blocked now, for `undoTo`. */
  mark(): number {
    return this.#changedPixels.length;
  }

  undoTo(mark: number): void {
    while (this.#changedPixels.length > mark) {
      this.#set(this.#changedPixels.pop()!, this.#changedFrom.pop()!);
    }
  }

  /** Whether a shape placed here would cross what is blocked. */
  crosses(stencil: Stencil, y: number, x: number): boolean {
    const { dy, dx, mask } = stencil;
    for (let i = 0; i < mask.length; i++) {
      const row = y + dy[i]!;
      const column = x + dx[i]!;
      if (!this.contains(row, column)) continue;
      if (this.blocked[row * this.width + column]! + mask[i]! >= CROSSING) return true;
    }
    return false;
  }

  /** The largest blocked share among the pixels at these offsets. */
  blockedAround(
    offsets: readonly (readonly [dy: number, dx: number])[],
    y: number,
    x: number,
  ): number {
    let most = 0;
    for (const [dy, dx] of offsets) {
      if (!this.contains(y + dy, x + dx)) continue;
      most = Math.max(most, this.blocked[(y + dy) * this.width + x + dx]!);
    }
    return most;
  }

  /**
   * A uniform pixel among those where the core of a shape fits: no pixel of it taken or within `border`
   * of the edge. Undefined if there is none.
   */
  drawFreePixel(
    stencil: Stencil,
    border: number,
    random: Random,
  ): [y: number, x: number] | undefined {
    const rows = this.height - 2 * border;
    const columns = this.width - 2 * border;
    if (rows <= 0 || columns <= 0) return undefined;
    for (let draw = 0; draw < RANDOM_DRAWS; draw++) {
      const y = border + random.int(rows);
      const x = border + random.int(columns);
      if (this.#fits(stencil, y, x, border)) return [y, x];
    }
    const free: number[] = [];
    for (let y = border; y < border + rows; y++) {
      for (let x = border; x < border + columns; x++) {
        if (this.#fits(stencil, y, x, border)) free.push(y * this.width + x);
      }
    }
    if (free.length === 0) return undefined;
    const pixel = free[random.int(free.length)]!;
    return [Math.floor(pixel / this.width), pixel % this.width];
  }

  #fits(stencil: Stencil, y: number, x: number, border: number): boolean {
    const { core, dy, dx } = stencil;
    if (this.blocked[y * this.width + x]! > TAKEN_ABOVE) return false;
    for (let i = 0; i < core.length; i++) {
      const row = y + dy[core[i]!]!;
      const column = x + dx[core[i]!]!;
      if (row < border || row >= this.height - border) return false;
      if (column < border || column >= this.width - border) return false;
      if (this.blocked[row * this.width + column]! > TAKEN_ABOVE) return false;
    }
    return true;
  }
}
