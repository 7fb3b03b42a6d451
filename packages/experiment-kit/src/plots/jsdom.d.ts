declare module "jsdom" {
  import type { BaseType } from "d3";

  /** A page outside a browser; all that is used of it. */
  export class JSDOM {
    readonly window: { readonly document: { readonly body: BaseType & { innerHTML: string } } };
  }
}
