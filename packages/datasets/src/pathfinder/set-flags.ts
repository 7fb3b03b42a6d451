import { z } from "zod";
import { count, outputFlags } from "../flags.ts";
import { DEFAULT_IMAGE_SIZE } from "./set-format.ts";

/** The flags of `data pathfinder`. */
export const pathfinderSetFlags = z.object({
  dataset_path: z
    .string()
    .min(1, "must name a folder")
    .describe("folder of the raw images of one path length, or of several such folders"),
  output_dir: outputFlags.output_dir("data/pathfinder"),
  num_train_samples: count(1).describe("number of training images"),
  num_test_samples: count(1).describe("number of test images, none of them a training image"),
  image_size: count(8)
    .max(4096, "must be at most 4096")
    .default(DEFAULT_IMAGE_SIZE)
    .describe("height and width that the images are reduced to, in pixels"),
  balance_classes: z
    .boolean()
    .default(false)
    .describe("take the same number of images of both classes in each split (else as they come)"),
  random_seed: z
    .int("must be an integer")
    .min(-1, "must be -1 or at least 0")
    .default(42)
    .describe("seed of the split; -1: a random one, which is recorded"),
});

/**
 * The flags of `data pathfinder`, all given.
 *
 * @interface
 */
export type PathfinderSetFlags = z.output<typeof pathfinderSetFlags>;
/**
 * The flags of `data pathfinder`; those with defaults may be left out.
 *
 * @interface
 */
export type PathfinderSetOptions = z.input<typeof pathfinderSetFlags>;
