import * as tf from "@tensorflow/tfjs-core";
import { LocalityBiasError } from "../errors.ts";
import type { Patch } from "./patch.ts";

/** The part of every image inside the patch. */
export function cutPatch(x: tf.Tensor4D, { top, left, height, width }: Patch): tf.Tensor4D {
  return tf.slice(x, [0, top, left, 0], [-1, height, width, -1]);
}

/**
 * The images with the patch taken from the next sample of the batch; the last takes the first one's.
 * A batch of one stays as it is.
 */
export function swapPatch(x: tf.Tensor4D, patch: Patch): tf.Tensor4D {
  const [samples, imageHeight, imageWidth, channels] = x.shape;
  const { top, left, height, width } = patch;
  const inside = cutPatch(x, patch);
  const next = tf.concat([
    tf.slice(inside, [1, 0, 0, 0], [samples - 1, height, width, channels]),
    tf.slice(inside, [0, 0, 0, 0], [1, height, width, channels]),
  ]);
  const columns = (first: number, count: number) =>
    tf.slice(x, [0, top, first, 0], [samples, height, count, channels]);
  const rows = (first: number, count: number) =>
    tf.slice(x, [0, first, 0, 0], [samples, count, imageWidth, channels]);
  const right = left + width;
  const bottom = top + height;
  const middle = tf.concat([columns(0, left), next, columns(right, imageWidth - right)], 2);
  return tf.concat([rows(0, top), middle, rows(bottom, imageHeight - bottom)], 1) as tf.Tensor4D;
}

/** @throws LocalityBiasError if the patch is empty or reaches out of the images. */
export function checkPatch(patch: Patch, x: tf.Tensor4D): void {
  const { top, left, height, width } = patch;
  const [, imageHeight, imageWidth] = x.shape;
  const whole = [top, left, height, width].every((value) => Number.isSafeInteger(value));
  const fits = top >= 0 && left >= 0 && top + height <= imageHeight && left + width <= imageWidth;
  if (!whole || height < 1 || width < 1 || !fits) {
    throw new LocalityBiasError(
      `patch: ${height}×${width} at row ${top}, column ${left} does not fit into images of ${imageHeight}×${imageWidth}; move it or make it smaller`,
    );
  }
}
