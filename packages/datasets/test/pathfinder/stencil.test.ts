import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import {
  markerStencil,
  paddleStencil,
  type PaddleShape,
  type Stencil,
} from "../../src/pathfinder/stencil.ts";

interface PilPaddle extends PaddleShape {
  readonly degrees: number;
  readonly side: number;
  readonly ink: readonly number[];
  readonly mask: readonly number[];
}

// Made with PIL 13 and OpenCV 4.11: line, dilation by a disc, reduction with Lanczos.
const fixture = new URL("../fixtures/pil-paddles.json", import.meta.url);
const cases = JSON.parse(readFileSync(fixture, "utf8")) as readonly PilPaddle[];

/** A stencil as a square image. */
function unfold(stencil: Stencil, side: number, values: Float32Array): Float64Array {
  const image = new Float64Array(side * side);
  values.forEach((value, i) => {
    image[(stencil.dy[i]! + (side - 1) / 2) * side + stencil.dx[i]! + (side - 1) / 2] = value;
  });
  return image;
}

describe.each(cases)("a paddle of $length × $thickness, margin $margin, at $degrees°", (known) => {
  const stencil = paddleStencil(known, (known.degrees * Math.PI) / 180);

  it("has the ink that PIL draws", () => {
    const ink = unfold(stencil, known.side, stencil.ink);
    known.ink.forEach((value, i) => {
      // Stencils leave out pixels darker than black, which a maximum with the image never shows.
      expect(Math.abs(Math.max(0, ink[i]!) - Math.max(0, value))).toBeLessThan(2e-5);
    });
  });

  it("has the mask that OpenCV and PIL give, bit for bit", () => {
    const mask = unfold(stencil, known.side, stencil.mask);
    expect([...mask.map((value) => Math.round(255 * value))]).toEqual(known.mask);
  });
});

it("a marker is a disc of its radius that blocks nothing", () => {
  const marker = markerStencil(3, 2);
  const area = marker.ink.reduce((sum, ink) => sum + ink, 0);
  expect(Math.abs(area - Math.PI * 9)).toBeLessThan(1.5);
  expect(marker.mask.every((value) => value === 0)).toBe(true);
});
