import { Resvg } from "@resvg/resvg-js";
import type { ResvgRenderOptions } from "@resvg/resvg-js";
import { FONT_FAMILY, fontFiles } from "./font.ts";

/** Renders an SVG document as PNG, `scale` pixels for each of its own (3: about 300 dpi at 96 px to the inch). */
export function svgToPng(svg: string, scale = 3): Uint8Array {
  const image = new Resvg(svg, {
    fitTo: { mode: "zoom", value: scale },
    background: "white",
    font: fontOptions(),
  });
  return image.render().asPng();
}

/** Only the fonts that come with this package, whatever the machine has. */
export function fontOptions(): ResvgRenderOptions["font"] & object {
  return {
    loadSystemFonts: false,
    fontFiles: fontFiles(),
    defaultFontFamily: FONT_FAMILY,
    sansSerifFamily: FONT_FAMILY,
  };
}
