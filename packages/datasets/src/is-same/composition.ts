import { flagError } from "../error.ts";
import type { LabelledImages } from "../image-source/labelled-images.ts";

/** Order of the axes of an image: channels last (as tfjs has it) or first (as PyTorch has it). */
export type ImageLayout = "nhwc" | "nchw";

/** The canvas that two images are put on, side by side. */
export interface Canvas {
  readonly height: number;
  readonly width: number;
  /** Columns between the two images. */
  readonly distance: number;
  readonly layout: ImageLayout;
}

/** Where the two images of a pair lie. */
export interface PairPlaces {
  readonly top: number;
  readonly firstLeft: number;
  readonly secondLeft: number;
}

/**
 * top = ⌊H/2⌋ - ⌊h/2⌋, left of the first = ⌊W/2⌋ - w - ⌊distance/2⌋, left of the second = that + w + distance.
 * @throws DatasetError (exit code 2) if the images do not fit the canvas
 */
export function pairPlaces(
  { height, width, distance }: Omit<Canvas, "layout">,
  images: Pick<LabelledImages, "height" | "width">,
): PairPlaces {
  const top = Math.floor(height / 2) - Math.floor(images.height / 2);
  const firstLeft = Math.floor(width / 2) - images.width - Math.floor(distance / 2);
  const secondLeft = firstLeft + images.width + distance;
  if (!Number.isInteger(distance) || distance < 0) {
    throw flagError("distance", `must be an integer of at least 0 (got ${distance})`);
  }
  if (firstLeft < 0 || secondLeft + images.width > width) {
    const most = largestDistance(width, images.width);
    const remedy =
      most < 0 ? `make --input_width at least ${2 * images.width}` : `at most ${most} fit`;
    throw flagError(
      "distance",
      `${distance} is too large for two images of width ${images.width} on a canvas of width ${width}; ${remedy}`,
    );
  }
  if (top < 0 || top + images.height > height) {
    throw flagError(
      "input_height",
      `${height} is too small for images of height ${images.height}; use at least that`,
    );
  }
  return { top, firstLeft, secondLeft };
}

function largestDistance(width: number, imageWidth: number): number {
  let distance = width - 2 * imageWidth;
  const fits = (d: number) => {
    const left = Math.floor(width / 2) - imageWidth - Math.floor(d / 2);
    return left >= 0 && left + 2 * imageWidth + d <= width;
  };
  while (distance >= 0 && !fits(distance)) distance--;
  return distance;
}

/** A rectangle of an image, in pixels. */
export interface ImagePlace {
  readonly top: number;
  readonly left: number;
  readonly height: number;
  readonly width: number;
}

/** Writes composed pairs: zeros, and on them both images, normalized by channel. */
export interface PairComposer {
  /** Channels × height × width in the canvas's layout. */
  readonly sampleElements: number;
  readonly sampleShape: readonly [number, number, number];
  /** Where the first and the second image lie. */
  readonly places: readonly [ImagePlace, ImagePlace];
  /**
   * Writes the image of the pair of images `first` and `second` (their numbers) into `out` from `offset` on.
   */
  compose(first: number, second: number, out: Float32Array, offset: number): void;
}

/** @throws DatasetError (exit code 2) if the images do not fit the canvas */
export function createComposer(images: LabelledImages, canvas: Canvas): PairComposer {
  const { channels } = images;
  const { height, width, layout } = canvas;
  const { top, firstLeft, secondLeft } = pairPlaces(canvas, images);
  const table = normalizationTable(images);
  const plane = images.height * images.width;
  const [channelStride, rowStride, columnStride] =
    layout === "nchw" ? [height * width, width, 1] : [1, width * channels, channels];
  const place = (left: number): ImagePlace => {
    return { top, left, height: images.height, width: images.width };
  };
  const put = (image: number, left: number, out: Float32Array, offset: number) => {
    for (let c = 0; c < channels; c++) {
      const source = (image * channels + c) * plane;
      for (let y = 0; y < images.height; y++) {
        let target = offset + c * channelStride + (top + y) * rowStride + left * columnStride;
        for (let x = 0; x < images.width; x++) {
          out[target] = table[c * 256 + images.pixels[source + y * images.width + x]!]!;
          target += columnStride;
        }
      }
    }
  };
  return {
    sampleElements: channels * height * width,
    sampleShape: layout === "nchw" ? [channels, height, width] : [height, width, channels],
    places: [place(firstLeft), place(secondLeft)],
    compose(first, second, out, offset) {
      out.fill(0, offset, offset + channels * height * width);
      put(first, firstLeft, out, offset);
      put(second, secondLeft, out, offset);
    },
  };
}

/** (byte / 255 - mean) / std for each channel and byte. */
function normalizationTable({ channels, mean, std }: LabelledImages): Float32Array {
  const table = new Float32Array(channels * 256);
  for (let c = 0; c < channels; c++) {
    for (let byte = 0; byte < 256; byte++) {
      table[c * 256 + byte] = (byte / 255 - mean[c]!) / (std[c]! || 1);
    }
  }
  return table;
}
