import { encodeColorPng } from "../image/gray-png.ts";
import type { LabelledImages } from "../image-source/labelled-images.ts";
import type { ImagePairs } from "./pairs.ts";

const COLUMNS = 6;
const ROWS = 6;
/** Pixels are enlarged by this, so that small images can be seen. */
const ZOOM = 2;
const GAP = 6;
const TEXT_HEIGHT = 7;

/** Letters of five columns; in each of seven rows a bit for each column. */
const LETTERS: Readonly<Record<string, readonly number[]>> = {
  a: [0, 0, 14, 1, 15, 17, 15],
  d: [1, 1, 13, 19, 17, 17, 15],
  e: [0, 0, 14, 17, 31, 16, 14],
  f: [6, 9, 8, 28, 8, 8, 8],
  i: [4, 0, 12, 4, 4, 4, 14],
  m: [0, 0, 26, 21, 21, 17, 17],
  n: [0, 0, 22, 25, 17, 17, 17],
  r: [0, 0, 22, 25, 16, 16, 16],
  s: [0, 0, 15, 16, 14, 1, 30],
  t: [8, 8, 28, 8, 8, 9, 6],
};

type Color = readonly [number, number, number];
/** Blue and orange can be told apart by the color-blind; the words say it as well. */
const SAME: Color = [0, 90, 181];
const DIFFERENT: Color = [220, 80, 0];

/** A picture (PNG) of the first pairs, each with the word "same" or "different" under it. */
export function previewSheet(images: LabelledImages, { pairs, labels }: ImagePairs): Uint8Array {
  const shown = Math.min(labels.length, COLUMNS * ROWS);
  const cellWidth = (2 * images.width + 2) * ZOOM + GAP;
  const cellHeight = images.height * ZOOM + TEXT_HEIGHT + 3 * GAP;
  const height = Math.ceil(shown / COLUMNS) * cellHeight + GAP;
  const width = Math.min(shown, COLUMNS) * cellWidth + GAP;
  const pixels = new Uint8Array(height * width * 3).fill(255);
  const set = (y: number, x: number, color: Color) => {
    if (y < height && x < width) pixels.set(color, (y * width + x) * 3);
  };
  for (let i = 0; i < shown; i++) {
    const top = GAP + Math.floor(i / COLUMNS) * cellHeight;
    const left = GAP + (i % COLUMNS) * cellWidth;
    drawImage(images, pairs[2 * i]!, top, left, set);
    drawImage(images, pairs[2 * i + 1]!, top, left + (images.width + 2) * ZOOM, set);
    const isSame = labels[i] === 1;
    const textTop = top + images.height * ZOOM + GAP;
    drawText(isSame ? "same" : "different", textTop, left, isSame ? SAME : DIFFERENT, set);
  }
  return encodeColorPng({ size: [height, width], pixels });
}

type SetPixel = (y: number, x: number, color: Color) => void;

function drawImage(
  images: LabelledImages,
  index: number,
  top: number,
  left: number,
  set: SetPixel,
): void {
  const plane = images.height * images.width;
  const value = (channel: number, pixel: number) =>
    images.pixels[
      (index * images.channels + Math.min(channel, images.channels - 1)) * plane + pixel
    ]!;
  for (let y = 0; y < images.height * ZOOM; y++) {
    for (let x = 0; x < images.width * ZOOM; x++) {
      const pixel = Math.floor(y / ZOOM) * images.width + Math.floor(x / ZOOM);
      set(top + y, left + x, [value(0, pixel), value(1, pixel), value(2, pixel)]);
    }
  }
}

function drawText(text: string, top: number, left: number, color: Color, set: SetPixel): void {
  [...text].forEach((letter, place) => {
    LETTERS[letter]!.forEach((bits, row) => {
      for (let column = 0; column < 5; column++) {
        if ((bits >> (4 - column)) & 1) set(top + row, left + place * 6 + column, color);
      }
    });
  });
}
