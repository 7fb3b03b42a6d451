import type { Random } from "@implicit-rank/random";
import { DatasetError } from "../error.ts";
import type { LabelledImages } from "../image-source/labelled-images.ts";

/** Pairs of image numbers (n × 2) and whether both are of one class (1) or not (0). */
export interface ImagePairs {
  readonly pairs: Int32Array;
  readonly labels: Uint8Array;
}

/**
 * Draws pairs, each with probability 1/2 of one class: a uniform class and two different uniform images
 * of it, or a uniform class, a uniform image of it and a uniform image of all other classes.
 * @throws DatasetError (exit code 1) unless there are two classes and two images of each
 */
export function drawPairs(
  images: Pick<LabelledImages, "labels" | "classes" | "count">,
  samples: number,
  random: Random,
): ImagePairs {
  const { sorted, start } = groupByClass(images);
  const classes = start.length - 1;
  const pairs = new Int32Array(2 * samples);
  const labels = new Uint8Array(samples);
  for (let i = 0; i < samples; i++) {
    const same = random.int(2);
    const chosen = random.int(classes);
    const [begin, end] = [start[chosen]!, start[chosen + 1]!];
    const first = begin + random.int(end - begin);
    const second =
      same === 1
        ? skipOver(begin + random.int(end - begin - 1), first, 1)
        : skipOver(random.int(images.count - (end - begin)), begin, end - begin);
    pairs[2 * i] = sorted[first]!;
    pairs[2 * i + 1] = sorted[second]!;
    labels[i] = same;
  }
  return { pairs, labels };
}

/** A number drawn from what is left when `length` numbers from `begin` on are taken out. */
function skipOver(drawn: number, begin: number, length: number): number {
  return drawn < begin ? drawn : drawn + length;
}

/** Image numbers by class; those of class c lie from start[c] to start[c + 1]. */
function groupByClass({
  labels,
  classes,
  count,
}: Pick<LabelledImages, "labels" | "classes" | "count">) {
  const groups = classes.map((_, label) => [...labels.keys()].filter((i) => labels[i] === label));
  const small = groups.findIndex((group) => group.length < 2);
  if (small >= 0 || groups.length < 2) {
    const what =
      small < 0
        ? "has one class"
        : `has ${groups[small]!.length} images of class ${classes[small]}`;
    throw new DatasetError(
      `--source: the split of ${count} images ${what}; two classes with two images each are needed`,
      1,
    );
  }
  const start = [0];
  for (const group of groups) start.push(start.at(-1)! + group.length);
  return { sorted: Int32Array.from(groups.flat()), start };
}
