import { z } from "zod";
import { outputFlags } from "../flags.ts";
import { IMAGE_SOURCES } from "../image-source/labelled-images.ts";

/** The flags of `data is-same`. */
export const isSameFlags = z.object({
  train: z
    .boolean()
    .default(false)
    .describe("pairs from the train split of the source, else from the test split"),
  num_samples: z
    .int("must be an integer")
    .default(-1)
    .describe("number of pairs; below 0: as many as the split has images"),
  source: z
    .enum(IMAGE_SOURCES, "must be cifar10, mnist or folder")
    .default("cifar10")
    .describe(
      "labelled images: CIFAR-10, MNIST, or a folder of PNG files in a folder for each class",
    ),
  source_dir: z
    .string()
    .default("")
    .describe("folder of the images; empty: data/ and the source's name"),
  download: z
    .boolean()
    .default(false)
    .describe("get the source's files first if they are not there"),
  preview: z
    .boolean()
    .default(false)
    .describe("also write a picture of some pairs with their labels"),
  output_dir: outputFlags.output_dir("data/is_same"),
  custom_file_name: outputFlags.custom_file_name(),
  random_seed: outputFlags.random_seed(),
});

/**
 * The flags of `data is-same`, all given.
 *
 * @interface
 */
export type IsSameFlags = z.output<typeof isSameFlags>;
/**
 * The flags of `data is-same`; those with defaults may be left out.
 *
 * @interface
 */
export type IsSameOptions = z.input<typeof isSameFlags>;

/** The folder that the source's files are in. */
export function sourceFolder(flags: IsSameFlags): string {
  return flags.source_dir === "" ? `data/${flags.source}` : flags.source_dir;
}
