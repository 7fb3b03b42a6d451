import type { BaseType } from "d3";
import * as d3 from "d3";
import { JSDOM } from "jsdom";
import type { D3, Group } from "./d3-types.ts";

/** D3 on a document outside a browser. */
export interface SvgPage {
  readonly d3: D3;
  /** Begins the drawing, in pixels. */
  createSvg(width: number, height: number, attributes: Readonly<Record<string, string>>): Group;
  /** The drawing as HTML. */
  svgString(): string;
}

export function createSvgPage(): SvgPage {
  const { body } = new JSDOM().window.document;
  return {
    d3,
    createSvg(width, height, attributes) {
      const svg = d3
        .select<BaseType, unknown>(body)
        .append("svg")
        .attr("xmlns", "http://www.w3.org/2000/svg");
      svg.attr("width", width).attr("height", height);
      for (const [name, value] of Object.entries(attributes)) svg.attr(name, value);
      return svg;
    },
    svgString: () => body.innerHTML,
  };
}
