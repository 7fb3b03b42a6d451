import { readdir } from "node:fs/promises";
import { join } from "node:path";
import { DatasetError } from "../error.ts";
import { decodeColorPng } from "../image/gray-png.ts";
import { channelMoments, type ImageSplit, type LabelledImages } from "./labelled-images.ts";
import { damagedSource, readSource } from "./source-file.ts";

/**
 * Images from a folder of your own: `SPLIT/CLASS/*.png` (or `CLASS/*.png` for both splits), all of one
 * size, read as RGB. Classes are numbered by name. Mean and deviation are those of the images read.
 * @throws DatasetError: exit code 2 if there are no images, 1 if one is damaged or of another size
 */
export async function readImageFolder(folder: string, split: ImageSplit): Promise<LabelledImages> {
  const top = await subfolders(folder);
  const root = top.includes(split) ? join(folder, split) : folder;
  const classes = (await subfolders(root)).filter((name) => !name.startsWith("."));
  const files: { readonly file: string; readonly label: number }[] = [];
  for (const [label, name] of classes.entries()) {
    const names = await readdir(join(root, name));
    const images = names.filter((image) => image.toLowerCase().endsWith(".png")).sort();
    files.push(...images.map((image) => ({ file: join(root, name, image), label })));
  }
  if (files.length === 0 || classes.length < 2 || classes.length > 256) {
    throw new DatasetError(
      `${root}: has no images of two or more classes; put PNG files into a folder for each class`,
      2,
    );
  }
  return loadImages(files, classes);
}

async function subfolders(folder: string): Promise<string[]> {
  try {
    const entries = await readdir(folder, { withFileTypes: true });
    return entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])).sort();
  } catch (error) {
    throw new DatasetError(`${folder}: is no folder that can be read; check the path`, 2, {
      cause: error,
    });
  }
}

async function loadImages(
  files: readonly { readonly file: string; readonly label: number }[],
  classes: readonly string[],
): Promise<LabelledImages> {
  const first = decodeColorPng(await readSource(files[0]!.file), files[0]!.file);
  const [height, width] = first.size;
  const plane = height * width;
  const pixels = new Uint8Array(files.length * 3 * plane);
  for (const [index, { file }] of files.entries()) {
    const image = decodeColorPng(await readSource(file), file);
    if (image.size[0] !== height || image.size[1] !== width) {
      throw damagedSource(
        file,
        `is ${image.size.join(" × ")}, but ${files[0]!.file} is ${height} × ${width}`,
      );
    }
    for (let i = 0; i < plane; i++) {
      for (let c = 0; c < 3; c++) pixels[(index * 3 + c) * plane + i] = image.pixels[3 * i + c]!;
    }
  }
  const { mean, std } = channelMoments(pixels, 3, plane);
  const labels = Uint8Array.from(files, ({ label }) => label);
  return { channels: 3, height, width, count: files.length, pixels, labels, classes, mean, std };
}
