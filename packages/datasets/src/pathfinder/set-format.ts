import { withChecksum } from "@implicit-rank/array-files";

export const SET_FORMAT = "implicit-rank pathfinder dataset";
export const SET_FORMAT_VERSION = 1;
/** Height and width of the images in a set, unless asked for otherwise. */
export const DEFAULT_IMAGE_SIZE = 150;
export const SET_METADATA_KEYS = [
  "format",
  "format_version",
  "path_length",
  "num_train_examples",
  "num_test_examples",
  "train_mean",
  "train_std",
  "provenance",
  "content_sha256",
];

/** What the metadata of a set say. */
export interface SetFacts {
  readonly pathLength: number;
  readonly counts: { readonly train: number; readonly test: number };
  /** Of the training images' gray values in [0, 1]; samples are normalized by them. */
  readonly mean: number;
  readonly std: number;
  readonly provenance: Readonly<Record<string, unknown>>;
  readonly contentHash: string;
}

/** The metadata of the file of a set. */
export function setMetadata(facts: SetFacts): Readonly<Record<string, string>> {
  return withChecksum({
    format: SET_FORMAT,
    format_version: String(SET_FORMAT_VERSION),
    path_length: String(facts.pathLength),
    num_train_examples: String(facts.counts.train),
    num_test_examples: String(facts.counts.test),
    train_mean: String(facts.mean),
    train_std: String(facts.std),
    provenance: JSON.stringify(facts.provenance),
    content_sha256: facts.contentHash,
  });
}
