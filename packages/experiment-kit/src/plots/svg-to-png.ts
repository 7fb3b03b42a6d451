import { Resvg } from "@resvg/resvg-js";
import { FONT_FAMILY, fontFile } from "./font.ts";

/** Renders an SVG document as PNG, `scale` pixels for each of its own (3: about 300 dpi at 96 px to the inch). */
export function svgToPng(svg: string, scale = 3): Uint8Array {
  const image = new Resvg(svg, {
    fitTo: { mode: "zoom", value: scale },
    background: "white",
    font: {
      loadSystemFonts: false,
      fontFiles: [fontFile()],
      defaultFontFamily: FONT_FAMILY,
      sansSerifFamily: FONT_FAMILY,
    },
  });
  return image.render().asPng();
}
