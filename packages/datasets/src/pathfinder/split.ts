import type { Random } from "@implicit-rank/random";
import { flagError } from "../error.ts";

/** Numbers of the images in each split, ascending; no number is in both. */
export interface Split {
  readonly train: Int32Array;
  readonly test: Int32Array;
}

/** Two disjoint uniform samples of 0 … available - 1. Throws DatasetError if there are too few. */
export function uniformSplit(
  available: number,
  train: number,
  test: number,
  random: Random,
): Split {
  if (train + test > available) throw tooFew(available, train, test, "images");
  const drawn = random.sampleWithoutReplacement(available, train + test);
  return { train: drawn.slice(0, train).sort(), test: drawn.slice(train).sort() };
}

/** The same with half of each split from either class, of an odd number the greater half from class 1. */
export function balancedSplit(
  labels: Uint8Array,
  train: number,
  test: number,
  random: Random,
): Split {
  const parts = [0, 1].map((label) => {
    const members = [...labels.keys()].filter((index) => labels[index] === label);
    const half = (count: number) => (label === 1 ? Math.ceil(count / 2) : Math.floor(count / 2));
    const [trainShare, testShare] = [half(train), half(test)];
    if (trainShare + testShare > members.length) {
      throw tooFew(members.length, trainShare, testShare, `images of class ${label}`);
    }
    const split = uniformSplit(members.length, trainShare, testShare, random);
    const numbers = (part: Int32Array) => Array.from(part, (i) => members[i]!);
    return { train: numbers(split.train), test: numbers(split.test) };
  });
  const merge = (key: "train" | "test") =>
    Int32Array.from(parts.flatMap((part) => part[key])).sort();
  return { train: merge("train"), test: merge("test") };
}

function tooFew(available: number, train: number, test: number, what: string) {
  return flagError(
    "num_train_samples",
    `${train} + ${test} test ${what} asked for, but there are ${available}; ask for fewer or make more with "data pathfinder-raw"`,
  );
}
