export const SET_FORMAT = "implicit-rank pathfinder dataset";
export const SET_FORMAT_VERSION = 1;
/** Height and width of the images in a set. */
export const SET_SIDE = 150;
