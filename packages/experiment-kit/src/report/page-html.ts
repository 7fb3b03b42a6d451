import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";

/** The page's program and style sheet, bundled from `page/` when the package is built. */
export interface PageAssets {
  readonly script: string;
  readonly style: string;
}

/** What a page is made of besides its program. */
export interface PageParts {
  readonly title: string;
  /** Base64 of deflated content, or empty on a live page. */
  readonly data: string;
  readonly mode: "report" | "live";
}

let assets: Promise<PageAssets> | undefined;

export function readPageAssets(): Promise<PageAssets> {
  // The same place seen from src/report and from dist/report.
  const read = (name: string): Promise<string> =>
    readFile(new URL(`../../dist/report/${name}`, import.meta.url), "utf8");
  assets ??= Promise.all([read("page.js"), read("page.css")]).then(([script, style]) => ({
    // The parser must not see an end of the element inside it.
    script: script.replaceAll(/<(?=\/script|!--)/gi, String.raw`\x3c`).trim(),
    style: style.trim(),
  }));
  return assets;
}

/**
 * The page as one HTML text. It loads nothing: its policy allows only the embedded program and style
 * (by their hashes) and, on a live page, a connection to its own server.
 */
export function pageHtml({ script, style }: PageAssets, parts: PageParts): string {
  const { title, data, mode } = parts;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${contentPolicy({ script, style }, mode)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<link rel="icon" href="data:,">
<title>${escapeHtml(title)}</title>
<style>${style}</style>
</head>
<body>
<noscript>This page draws its charts with JavaScript, which is switched off.</noscript>
<div id="page" data-mode="${mode}"></div>
<script type="application/octet-stream" id="data">${data}</script>
<script>${script}</script>
</body>
</html>
`;
}

/** The Content-Security-Policy of a page. */
export function contentPolicy({ script, style }: PageAssets, mode: PageParts["mode"]): string {
  return [
    "default-src 'none'",
    `script-src '${hashOf(script)}'`,
    `style-src '${hashOf(style)}'`,
    "img-src data:",
    ...(mode === "live" ? ["connect-src 'self'"] : []),
    "base-uri 'none'",
    "form-action 'none'",
  ].join("; ");
}

/** Text for an element or a quoted attribute. */
export function escapeHtml(text: string): string {
  return text.replaceAll(/[&<>"']/g, (character) => `&#${character.charCodeAt(0)};`);
}

function hashOf(text: string): string {
  return `sha256-${createHash("sha256").update(text).digest("base64")}`;
}
