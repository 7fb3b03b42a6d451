import { defineConfig } from "vitepress";
import { sidebars, topBar } from "./navigation.ts";
import { repositoryLinks } from "./repository-links.ts";
import { pageOf } from "./site-paths.ts";
import { plainForSearch, searchText } from "./search-text.ts";
import { withoutComments } from "./without-comments.ts";

/** Where the site lies on its host: `DOCS_BASE=/implicit-rank/` for the pages of a repository. */
const base = process.env["DOCS_BASE"] ?? "/";

/** A mark of its own, so that a browser need not ask for one. */
const icon =
  "data:image/svg+xml," +
  encodeURIComponent(
    '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><path d="M3 29C14 29 10 5 29 5M3 29c16 0 13-14 26-14M3 29c20 0 15-6 26-6" fill="none" stroke="#0072B2" stroke-width="3"/></svg>',
  );

export default defineConfig({
  base: base as `/${string}/`,
  lang: "en-US",
  title: "implicit-rank",
  description: "The implicit low-rank regularization of gradient descent, on an ordinary CPU",
  head: [["link", { rel: "icon", href: icon }]],

  // Documents, READMEs and the changelog are pages where they stand.
  srcDir: "..",
  srcExclude: [
    "!(docs|packages|examples)/**/*",
    "README.md",
    "docs/{test,test-results,reference,pictures}/**",
    "packages/*/!(README.md)",
    "packages/*/!(README.md)/**",
    "examples/*/**",
  ],
  rewrites: (file) => pageOf(file) ?? file,

  markdown: {
    math: true,
    theme: { light: "github-light-default", dark: "github-dark-default" },
    config: (markdown) => {
      repositoryLinks(markdown);
      withoutComments(markdown);
      plainForSearch(markdown);
    },
  },
  themeConfig: {
    nav: topBar(),
    sidebar: sidebars(),
    outline: { level: [2, 3] },
    search: { provider: "local", options: { _render: searchText } },
    externalLinkIcon: true,
  },
});
