import type { PathfinderSettings } from "./raw-flags.ts";
import { discOffsets, paddleStencil, type Stencil } from "./stencil.ts";

/** Where the far end of the next paddle may lie, relative to its pivot. */
export interface Candidate {
  readonly dy: number;
  readonly dx: number;
  readonly orientation: number;
}

/**
 * All shapes for one margin. A snake's pivots are whole pixels, so there are only some fifty directions
 * in which it can go on, and seeds have whole degrees: each shape is drawn once.
 */
export interface Brush {
  readonly margin: number;
  readonly disc: readonly (readonly [dy: number, dx: number])[];
  readonly candidates: readonly Candidate[];
  paddle(orientation: number): Stencil;
}

export function createBrush(settings: PathfinderSettings, margin: number): Brush {
  const shape = {
    length: settings.paddle_length,
    thickness: settings.paddle_thickness,
    margin,
    scale: settings.antialias_scale,
  };
  const paddles = new Map<number, Stencil>();
  return {
    margin,
    disc: discOffsets(margin),
    candidates: circleCandidates(settings.paddle_length + margin),
    paddle(orientation) {
      const known = paddles.get(orientation) ?? paddleStencil(shape, orientation);
      paddles.set(orientation, known);
      return known;
    },
  };
}

/** The distinct pixels of a circle about a pixel, sampled once per pixel of arc and rounded down. */
function circleCandidates(radius: number): readonly Candidate[] {
  const found = new Map<string, Candidate>();
  const step = 1 / radius;
  for (let i = 0; i * step < 2 * Math.PI; i++) {
    const dy = Math.floor(radius * Math.sin(i * step));
    const dx = Math.floor(radius * Math.cos(i * step));
    found.set(`${dy},${dx}`, { dy, dx, orientation: Math.atan2(dy, dx) });
  }
  return [...found.values()];
}
