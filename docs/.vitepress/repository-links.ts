import { posix, relative } from "node:path";
import type { MarkdownRenderer } from "vitepress";
import { repository, siteLink } from "./site-paths.ts";

/** Lets links that are written for readers of the repository lead to the pages of the site. */
export function repositoryLinks(markdown: MarkdownRenderer): void {
  markdown.core.ruler.push("repository-links", (state) => {
    const env = state.env as { path: string; realPath?: string };
    const from = relative(repository, env.realPath ?? env.path).replaceAll("\\", "/");
    for (const token of state.tokens.flatMap(({ children }) => children ?? [])) {
      const href = token.type === "link_open" ? token.attrGet("href") : null;
      if (href === null || !isRelative(href)) continue;
      token.attrSet("href", siteLink(href, posix.normalize(from)));
    }
  });
}

function isRelative(href: string): boolean {
  return !/^([a-z][a-z+.-]*:|\/|#)/i.test(href);
}
