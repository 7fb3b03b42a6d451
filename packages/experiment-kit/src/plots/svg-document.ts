import type { SvgPage } from "./svg-page.ts";

/** What XML cannot hold. */
const FORBIDDEN = /[\u0000-\u0008\u000b\u000c\u000e-\u001f\ufffe\uffff]/g;

/** A text in which signs that XML cannot hold (most control characters) are replaced. */
export function xmlText(text: string): string {
  return text.replaceAll(FORBIDDEN, "\ufffd");
}

/** A drawing as XML; pages are written as HTML, whose names of signs XML does not know. */
export function svgDocument(page: SvgPage): string {
  return xmlText(page.svgString()).replaceAll("&nbsp;", "\u00a0");
}
