import { generatePathfinderImages, pathfinderRawFlags } from "@implicit-rank/datasets";
import { listFlags, parseFlags } from "@implicit-rank/experiment-kit";
import type { CommandDefinition } from "../command.ts";
import { seedAlias } from "../flags/seed-alias.ts";
import { INTERRUPTED, interruptible } from "../output/interruptible.ts";
import { createProgressLine, type ProgressLine } from "../output/progress-line.ts";
import { programName } from "../output/program-name.ts";
import { shellWord } from "../output/shell-word.ts";

export const dataPathfinderRaw: CommandDefinition = {
  description:
    "Makes pathfinder images: two snakes of paddles, shorter ones that distract, and two markers that are at the ends of one snake or not. A folder of PNG files for each path length. The same command goes on where an interrupted one stopped.",
  flagGroups: [{ title: "Images", flags: listFlags(pathfinderRawFlags) }],
  aliases: seedAlias,
  examples: [
    "implicit-rank data pathfinder-raw --num_samples 20000 --path_lengths 3 5 7 9 --seed 1",
  ],
  async run({ flags, output }) {
    const parsed = parseFlags(pathfinderRawFlags, flags);
    const lines = new Map<number, ProgressLine>();
    const made = await interruptible((signal) =>
      generatePathfinderImages(parsed, {
        signal,
        onProgress({ pathLength, done, total }) {
          const line =
            lines.get(pathLength) ?? createProgressLine(output, `images of length ${pathLength}`);
          lines.set(pathLength, line);
          line.update(done, total);
        },
      }),
    ).finally(() => [...lines.values()].at(-1)?.end());
    if (made === undefined) {
      output.note("interrupted: the same command goes on where this one stopped");
      return INTERRUPTED;
    }
    const { folders, seed } = made;
    const kept = made.kept > 0 ? `, ${made.kept} were there already` : "";
    const next = `${programName()} data pathfinder --dataset_path ${shellWord(parsed.output_dir)} --num_train_samples ${Math.ceil(parsed.num_samples / 2)} --num_test_samples ${Math.floor(parsed.num_samples / 2)}`;
    output.result(
      {
        folders,
        seed,
        images: made.made + made.kept,
        made: made.made,
        kept: made.kept,
        next: [next],
      },
      [...folders, `  ${made.made} images made${kept}, seed ${seed}`, `Next: ${next}`],
      folders.join("\n"),
    );
    return 0;
  },
};
