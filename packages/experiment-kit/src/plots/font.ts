import { createRequire } from "node:module";

/** The font of all figures; its file comes with a package, so that PNGs do not depend on the machine. */
export const FONT_FAMILY = "DejaVu Sans";

/** In SVG, a viewer without it takes one of similar width. */
export const FONT_FALLBACKS = `${FONT_FAMILY}, Verdana, Arial, sans-serif`;

export function fontFile(): string {
  return createRequire(import.meta.url).resolve("dejavu-fonts-ttf/ttf/DejaVuSans.ttf");
}

/** A text's width in pixels, estimated generously: the letters of this font are 0.6 em wide on average. */
export function estimateTextWidth(text: string, fontSize: number): number {
  return text.length * 0.62 * fontSize;
}
