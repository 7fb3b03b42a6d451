export const SET_FORMAT = "implicit-rank pathfinder dataset";
export const SET_FORMAT_VERSION = 1;
/** Height and width of the images in a set, unless asked for otherwise. */
export const DEFAULT_IMAGE_SIZE = 150;
