import { globSync, readFileSync } from "node:fs";
import { join, posix, resolve } from "node:path";
import { parse } from "node-html-parser";

export const dist = resolve(import.meta.dirname, "../../.vitepress/dist");

/** Where the site thinks it lies on its host: what `DOCS_BASE` was when it was built. */
export const base = process.env["DOCS_BASE"] ?? "/";

/** A page of the built site: what it refers to, and what can be referred to in it. */
export interface SitePage {
  /** Below the root of the site: `results/benchmarks.html`. */
  readonly path: string;
  readonly links: readonly string[];
  /** What a browser loads by itself: images, scripts, styles, fonts. */
  readonly resources: readonly string[];
  readonly anchors: ReadonlySet<string>;
  /** Links of the bar at the side. */
  readonly sidebar: readonly string[];
  readonly text: string;
}

const loaded = "img, script, link, source, video, audio, iframe, embed, object, image";

export function readSite(): readonly SitePage[] {
  return globSync("**/*.html", { cwd: dist }).toSorted().map(readPage);
}

function readPage(path: string): SitePage {
  const root = parse(readFileSync(join(dist, path), "utf8"));
  const attributes = (selector: string, name: string): string[] =>
    root.querySelectorAll(selector).flatMap((element) => element.getAttribute(name) ?? []);
  return {
    path,
    links: attributes("a", "href"),
    resources: ["src", "href", "data", "xlink:href"]
      .flatMap((name) => attributes(loaded, name))
      .concat(attributes("img, source", "srcset")),
    anchors: new Set(attributes("[id]", "id")),
    sidebar: attributes(".VPSidebar a", "href"),
    text: root.querySelector("main")?.textContent ?? "",
  };
}

/** The file of the site and the anchor in it that a reference of a page means. */
export function targetOf(href: string, from: string): { file: string; anchor: string } {
  const { pathname, hash } = new URL(href, `http://site${base}${from}`);
  const file = posix.relative(base, decodeURIComponent(pathname));
  const folder = pathname.endsWith("/");
  return {
    file: folder ? posix.join(file, "index.html") : file,
    anchor: decodeURIComponent(hash.slice(1)),
  };
}

/** Whether a reference leaves the site. */
export function isExternal(href: string): boolean {
  return /^([a-z][a-z+.-]*:)?\/\//i.test(href) || /^(mailto|tel):/.test(href);
}
