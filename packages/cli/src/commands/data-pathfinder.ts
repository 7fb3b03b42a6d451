import { generatePathfinderSets, pathfinderSetFlags } from "@implicit-rank/datasets";
import { listFlags, parseFlags } from "@implicit-rank/experiment-kit";
import { z } from "zod";
import type { CommandDefinition } from "../command.ts";
import { seedAlias } from "../flags/seed-alias.ts";
import { createProgressLine, type ProgressLine } from "../output/progress-line.ts";
import { formatNumber } from "../output/quantities.ts";

const setFlags = pathfinderSetFlags.extend({
  force: z.boolean().default(false).describe("replace sets that exist"),
});

export const dataPathfinder: CommandDefinition = {
  description:
    "Makes train and test sets of raw pathfinder images, ours or those of the Python scripts: disjoint random samples, reduced in size.",
  flagGroups: [{ title: "Sets", flags: listFlags(setFlags) }],
  aliases: seedAlias,
  examples: [
    "implicit-rank data pathfinder --dataset_path data/pathfinder/raw/curv_contour_length_9 --num_train_samples 10000 --num_test_samples 10000",
  ],
  async run({ flags, output }) {
    const { force, ...parsed } = parseFlags(setFlags, flags);
    const lines = new Map<number, ProgressLine>();
    const sets = await generatePathfinderSets(parsed, {
      overwrite: force,
      onProgress({ pathLength, done, total }) {
        const line =
          lines.get(pathLength) ?? createProgressLine(output, `images of length ${pathLength}`);
        lines.set(pathLength, line);
        line.update(done, total);
      },
    }).finally(() => [...lines.values()].at(-1)?.end());
    const value = sets.map((set) => ({
      path: set.path,
      path_length: set.pathLength,
      train_mean: set.trainMean,
      train_std: set.trainStd,
      positives: set.positives,
    }));
    const { num_train_samples: train, num_test_samples: test } = parsed;
    const described = sets.flatMap(({ path, trainMean, trainStd, positives }) => [
      path,
      `  ${train} training and ${test} test images, of which ${positives.train} and ${positives.test} have both markers on one path`,
      `  training pixels: mean ${formatNumber(trainMean)}, deviation ${formatNumber(trainStd)}`,
    ]);
    output.result({ sets: value }, described, sets.map(({ path }) => path).join("\n"));
    return 0;
  },
};
