import { availableParallelism } from "node:os";
import { z } from "zod";
import { flagError } from "../error.ts";
import { count, outputFlags } from "../flags.ts";

const contrasts = () =>
  z
    .array(z.number("must be numbers").gt(0, "must be above 0").max(1, "must be at most 1"))
    .min(1, "must have at least one value")
    .default([1]);

/** The flags of `data pathfinder-raw`. */
export const pathfinderRawFlags = z.object({
  output_dir: outputFlags.output_dir("data/pathfinder/raw"),
  num_samples: count(1).describe("number of images for each path length"),
  path_lengths: z
    .array(count(1))
    .min(1, "must have at least one value")
    .default([3, 5, 7, 9])
    .describe("paddles in each target snake; one folder for each length"),
  window_size: z
    .array(count(16))
    .length(2, "must be two values, height and width")
    .default([300, 300])
    .describe("height and width of an image, in pixels"),
  padding: count(1).default(22).describe("border that target snakes keep free, in pixels"),
  continuity: z
    .number("must be a number")
    .gt(0, "must be above 0")
    .default(1.8)
    .describe("how strongly a snake prefers to go straight on"),
  antialias_scale: count(1).default(2).describe("scale at which shapes are drawn before reduction"),
  snake_contrast_list: contrasts().describe("brightnesses that snakes are drawn from"),
  marker_radius: count(1).default(3).describe("radius of the two markers, in pixels"),
  max_distractor_contour_retrial: count(0)
    .default(4)
    .describe("how often a distractor snake is tried again before it is left out"),
  use_single_paddles: z.boolean().default(false).describe("add single paddles as distractors"),
  seed_distance: count(1)
    .default(27)
    .describe("distance between the origins of the two target snakes"),
  paddle_length: count(1).default(5).describe("length of a paddle, in pixels"),
  paddle_thickness: count(1).default(2).describe("thickness of a paddle, in pixels"),
  paddle_contrast_list: contrasts().describe("brightnesses of paddles within a snake"),
  paddle_margin_list: z
    .array(count(1))
    .min(1, "must have at least one value")
    .default([3])
    .describe("margins that are drawn from: half the gap between paddles, in pixels"),
  max_paddle_retrial: count(0).default(2).describe("how often a paddle is tried again"),
  random_seed: outputFlags.random_seed(),
  workers: count(1)
    .max(256, "must be at most 256")
    .default(availableParallelism())
    .describe("worker threads; the images do not depend on it"),
});

/**
 * The flags of `data pathfinder-raw`, all given.
 *
 * @interface
 */
export type PathfinderRawFlags = z.output<typeof pathfinderRawFlags>;
/**
 * The flags of `data pathfinder-raw`; those with defaults may be left out.
 *
 * @interface
 */
export type PathfinderRawOptions = z.input<typeof pathfinderRawFlags>;

/** What determines an image, besides seed and number: everything but the folder and how much is made. */
export type PathfinderSettings = Omit<
  PathfinderRawFlags,
  "output_dir" | "num_samples" | "path_lengths" | "random_seed" | "workers"
>;

/** @throws DatasetError (exit code 2) if no target snake can ever be placed */
export function checkPathfinderSettings(settings: PathfinderSettings): void {
  const [height, width] = settings.window_size as [number, number];
  const border = Math.max(2 * settings.seed_distance, settings.padding);
  if (2 * border >= Math.min(height, width)) {
    throw flagError(
      "window_size",
      `${height} × ${width} pixels leave no room inside a border of ${border} (padding, twice the seed_distance); use a larger window`,
    );
  }
}
