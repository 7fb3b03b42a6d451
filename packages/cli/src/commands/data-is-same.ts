import { generateIsSameDataset, isSameFlags } from "@implicit-rank/datasets";
import { listFlags, parseFlags } from "@implicit-rank/experiment-kit";
import type { CommandDefinition } from "../command.ts";
import { seedAlias } from "../flags/seed-alias.ts";
import { INTERRUPTED, interruptible } from "../output/interruptible.ts";
import { createProgressLine } from "../output/progress-line.ts";

export const dataIsSame: CommandDefinition = {
  description:
    "Draws pairs of images that are of the same class or not. Pairs are stored as numbers; a training puts the images side by side at the distance that it is given.",
  flagGroups: [{ title: "Pairs", flags: listFlags(isSameFlags) }],
  aliases: seedAlias,
  examples: [
    "implicit-rank data is-same --train --source_dir data/cifar10 --seed 1",
    "implicit-rank data is-same --source mnist --download --preview",
  ],
  async run({ flags, output }) {
    const parsed = parseFlags(isSameFlags, flags);
    const progress = createProgressLine(output, "bytes");
    const made = await interruptible((signal) =>
      generateIsSameDataset(parsed, {
        signal,
        onProgress: (_file, done, total) => {
          if (total !== undefined) progress.update(done, total);
        },
      }),
    ).finally(() => progress.end());
    if (made === undefined) {
      output.note("interrupted: the same command goes on with the download where this one stopped");
      return INTERRUPTED;
    }
    const { path, previewPath, samples, positives, seed } = made;
    output.result(
      {
        path,
        ...(previewPath === undefined ? {} : { preview_path: previewPath }),
        samples,
        positives,
        seed,
      },
      [
        path,
        `  ${samples} pairs, ${positives} of the same class, seed ${seed}`,
        ...(previewPath === undefined ? [] : [`  preview: ${previewPath}`]),
      ],
      path,
    );
    return 0;
  },
};
