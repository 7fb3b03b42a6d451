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
