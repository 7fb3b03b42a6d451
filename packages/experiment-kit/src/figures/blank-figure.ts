import type { SvgPage } from "../plots/svg-page.ts";
import type { Group } from "../plots/d3-types.ts";
import { roundPixels } from "../plots/draw-curve.ts";
import { FONT_FALLBACKS } from "../plots/font.ts";

export interface BlankFigure {
  readonly svg: Group;
  /** In points, 72 to the inch. */
  readonly width: number;
  readonly height: number;
}

/** A white page of the layout's size in points, with a title for those who cannot see it. */
export function blankFigure(
  page: SvgPage,
  layout: { readonly width: number; readonly height: number },
  title: string,
): BlankFigure {
  const width = roundPixels(layout.width);
  const height = roundPixels(layout.height);
  const svg = page.createSvg(width, height, {
    viewBox: `0 0 ${width} ${height}`,
    role: "img",
    "font-family": FONT_FALLBACKS,
  });
  svg.attr("width", `${width}pt`).attr("height", `${height}pt`);
  svg.append("title").text(title);
  svg.append("rect").attr("width", width).attr("height", height).attr("fill", "white");
  return { svg, width, height };
}
