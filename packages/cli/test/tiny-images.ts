import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { encodeGrayPng } from "@implicit-rank/datasets";
import { runJson } from "./run-cli.ts";

/** Flags of networks that are trained in no time on 16 × 16 images. */
export const tinyNetwork = ["--model_width", "2", "--batch_size", "3", "--seed", "5"];

/** Makes a pathfinder set of 8 training and 4 test images of 16 × 16; returns its path. */
export async function makePathfinderSet(cwd: string): Promise<string> {
  const raw =
    "--num_samples 12 --path_lengths 3 --window_size 60 60 --padding 6 --seed_distance 9 --seed 1";
  await runJson(["data", "pathfinder-raw", ...raw.split(" ")], { cwd });
  const set =
    "--dataset_path data/pathfinder/raw --num_train_samples 8 --num_test_samples 4 --image_size 16";
  const { sets } = await runJson(["data", "pathfinder", ...set.split(" ")], { cwd });
  return join(cwd, sets[0].path);
}

/** Pairs of 6 × 6 images of three classes. */
export interface PairSets {
  readonly train: string;
  readonly test: string;
  readonly images: string;
}

export async function makePairSets(cwd: string): Promise<PairSets> {
  for (const [name, period] of [
    ["flat", 7],
    ["coarse", 3],
    ["fine", 2],
  ] as const) {
    const folder = join(cwd, "images", name);
    await mkdir(folder, { recursive: true });
    for (let i = 0; i < 5; i++) {
      const pixels = Uint8Array.from({ length: 36 }, (_, p) => ((p + i) % period) * 30 + 5 * i);
      await writeFile(join(folder, `${i}.png`), encodeGrayPng({ size: [6, 6], pixels }));
    }
  }
  const make = async (flags: readonly string[]): Promise<string> => {
    const source = ["--source", "folder", "--source_dir", "images", "--seed", "1"];
    const { path } = await runJson(["data", "is-same", ...source, ...flags], { cwd });
    return join(cwd, path);
  };
  return {
    train: await make(["--train", "--num_samples", "8", "--custom_file_name", "train"]),
    test: await make(["--num_samples", "4", "--custom_file_name", "test"]),
    images: join(cwd, "images"),
  };
}

/** The flags that name the pairs. */
export function pairFlags({ train, test, images }: PairSets): string[] {
  const canvas = ["--input_height", "10", "--input_width", "20"];
  return [
    "--train_dataset_path",
    train,
    "--test_dataset_path",
    test,
    "--source_dir",
    images,
    ...canvas,
  ];
}
