/** Small images of one size with a class each, all in memory. */
export interface LabelledImages {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
  readonly count: number;
  /** Count × channels × height × width bytes. */
  readonly pixels: Uint8Array;
  readonly labels: Uint8Array;
  readonly classes: readonly string[];
  /** Of pixels in [0, 1], for normalization: the train split's mean and deviation of each channel. */
  readonly mean: readonly number[];
  readonly std: readonly number[];
}

export const IMAGE_SOURCES = ["cifar10", "mnist", "folder"] as const;
/**
 * The public data sets that images of pairs may come from.
 *
 * @useDeclaredType
 */
export type ImageSourceName = (typeof IMAGE_SOURCES)[number];
/** The two parts of a public data set. */
export type ImageSplit = "train" | "test";

/** Mean and deviation (over all pixels, biased) of each channel, of pixels in [0, 1]. */
export function channelMoments(
  pixels: Uint8Array,
  channels: number,
  plane: number,
): { mean: number[]; std: number[] } {
  const sums = new Float64Array(channels);
  const squares = new Float64Array(channels);
  for (let start = 0; start < pixels.length; start += plane) {
    const channel = (start / plane) % channels;
    for (let i = start; i < start + plane; i++) {
      sums[channel]! += pixels[i]!;
      squares[channel]! += pixels[i]! ** 2;
    }
  }
  const count = pixels.length / channels;
  const mean = Array.from(sums, (sum) => sum / count / 255);
  const std = Array.from(
    squares,
    (square, c) => Math.sqrt(Math.max(0, square / count - (sums[c]! / count) ** 2)) / 255,
  );
  return { mean, std };
}
