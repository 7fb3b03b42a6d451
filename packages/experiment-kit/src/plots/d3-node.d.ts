declare module "d3-node" {
  import type { BaseType, Selection } from "d3";

  /** D3 on a server-side document; `d3` is the whole of D3. */
  export class D3Node {
    readonly d3: typeof import("d3");
    createSVG(
      width: number,
      height: number,
      attributes?: Record<string, string>,
    ): Selection<BaseType, unknown, null, undefined>;
    svgString(): string;
  }
}
