import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { encodeGrayPng } from "@implicit-rank/datasets";

/** Flags of data sets that are made and trained on in no time. */
export const matrixFlags = "--num_rows 6 --num_cols 5 --rank 2 --num_samples 30 --seed 7";
export const tensorFlags = "--order 3 --mode_dim_size 4 --num_samples 64 --seed 7";
export const rawFlags =
  "--num_samples 12 --path_lengths 3 --window_size 60 60 --padding 6 --seed_distance 9 --seed 1 --workers 1";
export const setFlags = "--num_train_samples 8 --num_test_samples 4 --image_size 16 --seed 1";

/** Three classes of five images of 6 × 6 pixels, a folder each. */
export async function makeImageFolder(folder: string): Promise<void> {
  for (const [name, period] of [
    ["flat", 7],
    ["coarse", 3],
    ["fine", 2],
  ] as const) {
    await mkdir(join(folder, name), { recursive: true });
    for (let i = 0; i < 5; i++) {
      const pixels = Uint8Array.from({ length: 36 }, (_, p) => ((p + i) % period) * 30 + 5 * i);
      await writeFile(join(folder, name, `${i}.png`), encodeGrayPng({ size: [6, 6], pixels }));
    }
  }
}
