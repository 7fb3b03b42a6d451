import { createRequire } from "node:module";

/** The font of all figures; its file comes with a package, so that PNGs do not depend on the machine. */
export const FONT_FAMILY = "DejaVu Sans";

/** In SVG, a viewer without it takes one of similar width. */
export const FONT_FALLBACKS = `${FONT_FAMILY}, Verdana, Arial, sans-serif`;

/** For the letters of other alphabets (script, double-struck). */
export const MATH_FONTS = "DejaVu Math TeX Gyre, STIX Two Math, Cambria Math, serif";

/** The files of the upright, the slanted (mathematical letters) and the bold font, and one with script letters. */
export function fontFiles(): string[] {
  const { resolve } = createRequire(import.meta.url);
  return ["DejaVuSans", "DejaVuSans-Oblique", "DejaVuSans-Bold", "DejaVuMathTeXGyre"].map((name) =>
    resolve(`dejavu-fonts-ttf/ttf/${name}.ttf`),
  );
}

/** A text's width in pixels, estimated generously: the letters of this font are 0.6 em wide on average. */
export function estimateTextWidth(text: string, fontSize: number): number {
  return text.length * 0.62 * fontSize;
}
