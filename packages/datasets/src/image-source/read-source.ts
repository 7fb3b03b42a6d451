import { readCifar10 } from "./cifar10.ts";
import { readImageFolder } from "./image-folder.ts";
import type { ImageSourceName, ImageSplit, LabelledImages } from "./labelled-images.ts";
import { readMnist } from "./mnist.ts";

/** Where images come from: a kind of source and the folder that holds it. */
export interface ImageSource {
  readonly source: ImageSourceName;
  readonly folder: string;
  readonly split: ImageSplit;
}

/** Reads all images of a source into memory. Throws DatasetError. */
export function readImages({ source, folder, split }: ImageSource): Promise<LabelledImages> {
  if (source === "cifar10") return readCifar10(folder, split);
  return source === "mnist" ? readMnist(folder, split) : readImageFolder(folder, split);
}
