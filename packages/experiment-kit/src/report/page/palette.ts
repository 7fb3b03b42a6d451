/**
 * After Okabe and Ito's palette for the color-blind, with the pale colors darkened until each has a
 * contrast of at least 3 to its page.
 */
export const ON_LIGHT = [
  "#0b67b2",
  "#c94f08",
  "#00795c",
  "#ad4f86",
  "#8a6500",
  "#3b87bd",
  "#50555e",
];
export const ON_DARK = [
  "#58aee8",
  "#ff8f52",
  "#35c79f",
  "#e796c3",
  "#e3b545",
  "#a3d8fa",
  "#c5c9d1",
];
