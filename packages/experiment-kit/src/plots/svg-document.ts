import type { D3Node } from "d3-node";

/** What XML cannot hold. */
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

/** A text in which signs that XML cannot hold (most control characters) are replaced. */
export function xmlText(text: string): string {
  return text.replaceAll(FORBIDDEN, "\ufffd");
}

/** A drawing as XML; d3-node writes HTML, whose names of signs XML does not know. */
export function svgDocument(node: D3Node): string {
  return xmlText(node.svgString()).replaceAll("&nbsp;", "\u00a0");
}
