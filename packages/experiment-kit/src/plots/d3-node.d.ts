declare module "d3-node" {
  import type * as d3 from "d3";

  /** D3 on a server-side document; `d3` is the whole of D3. */
  export class D3Node {
    readonly d3: typeof d3;
    createSVG(
      width: number,
      height: number,
      attributes?: Record<string, string>,
    ): d3.Selection<d3.BaseType, unknown, null, undefined>;
    svgString(): string;
  }
}
