/**
 * A picture of pathfinder images: path lengths 3, 5, 7 and 9 from left to right, markers on one path above,
 * on different ones below. Writes docs/results/pathfinder.png.
 *
 *   node benchmarks/pathfinder-sheet.ts
 */
import { writeFileSync } from "node:fs";
import { createSynthesizer, encodeGrayPng, pathfinderRawFlags } from "@implicit-rank/datasets";

const LENGTHS = [3, 5, 7, 9];
const SIDE = 300;
const GAP = 4;
const SEED = 1;

const synthesizer = createSynthesizer(pathfinderRawFlags.parse({ num_samples: 1 }));

/** The first image with this label. */
function firstWith(label: number, length: number): Uint8Array {
  for (let index = 0; ; index++) {
    const image = synthesizer.image(SEED, length, index);
    if (image.label === label) return image.pixels;
  }
}

const width = LENGTHS.length * (SIDE + GAP) - GAP;
const sheet = new Uint8Array((2 * SIDE + GAP) * width).fill(255);
for (const [column, length] of LENGTHS.entries()) {
  for (const [row, label] of [1, 0].entries()) {
    const pixels = firstWith(label, length);
    for (let y = 0; y < SIDE; y++) {
      const start = (row * (SIDE + GAP) + y) * width + column * (SIDE + GAP);
      sheet.set(pixels.subarray(y * SIDE, (y + 1) * SIDE), start);
    }
  }
}
const png = encodeGrayPng({ size: [2 * SIDE + GAP, width], pixels: sheet });
writeFileSync(new URL("../docs/results/pathfinder.png", import.meta.url), png);
