import { existsSync, globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { pageOf, repository, siteLink } from "../../.vitepress/site-paths.ts";
import { dist, isExternal, readSite, targetOf } from "./built-site.ts";

const site = readSite();
const pages = new Map(site.map((page) => [page.path, page]));

test("every link leads to a page of the site, and to an anchor that is there", () => {
  const broken = site.flatMap(({ path, links }) =>
    links
      .filter((href) => !isExternal(href))
      .filter((href) => {
        const { file, anchor } = targetOf(href, path);
        const page = pages.get(file);
        return page === undefined
          ? !existsSync(join(dist, file))
          : anchor !== "" && !page.anchors.has(anchor);
      })
      .map((href) => `${path}: ${href}`),
  );
  expect(broken).toEqual([]);
});

test("every image, script and style is part of the site, and nothing comes from elsewhere", () => {
  const missing = site.flatMap(({ path, resources }) =>
    resources
      .filter((href) => !href.startsWith("data:"))
      .filter((href) => isExternal(href) || !existsSync(join(dist, targetOf(href, path).file)))
      .map((href) => `${path}: ${href}`),
  );
  expect(missing).toEqual([]);

  const styles = globSync("**/*.css", { cwd: dist }).map((path) =>
    readFileSync(join(dist, path), "utf8"),
  );
  expect(styles.length).toBeGreaterThan(0);
  for (const style of styles) expect(style).not.toMatch(/@import|url\(["']?(https?:)?\/\//);
});

test("images say in words what they show", () => {
  const silent = globSync("**/*.html", { cwd: dist }).filter((path) =>
    /<img(?![^>]*\balt="[^"]{8,}")[^>]*>/.test(readFileSync(join(dist, path), "utf8")),
  );
  expect(silent).toEqual([]);
});

describe("the bars at the side", () => {
  const listed = new Set(
    ["theory.html", "api/random.html", "decisions/0010-random-numbers.html"].flatMap((path) =>
      pages.get(path)!.sidebar.map((href) => targetOf(href, path).file),
    ),
  );

  test("have every page but the first", () => {
    const unlisted = [...pages.keys()].filter((path) => !listed.has(path));
    expect(unlisted.toSorted()).toEqual(["404.html", "index.html"]);
  });

  test("every document, README, example and the changelog is a page", () => {
    const files = globSync(
      [
        "docs/*.md",
        "docs/{commands,decisions,results}/*.md",
        "packages/*/README.md",
        "CHANGELOG.md",
        "examples/*.ts",
      ],
      { cwd: repository, exclude: ["docs/index.md", "examples/*.config.ts"] },
    );
    expect(files.length).toBeGreaterThan(40);
    const missing = files.filter((file) => !listed.has(pageOf(file)!.replace(/\.md$/, ".html")));
    expect(missing).toEqual([]);
  });
});

test("formulas are set, not shown as they are written", () => {
  const { text } = pages.get("theory.html")!;
  expect(text).toContain("Rank grows one step at a time");
  for (const path of ["theory.html", "maths.html"])
    expect(pages.get(path)!.text).not.toMatch(/\\(frac|sigma|sum|prod|lVert)\b/);
});

test("the search knows words of the documents and of the reference", () => {
  const index = globSync("assets/**/*localSearchIndex*.js", { cwd: dist })
    .map((path) => readFileSync(join(dist, path), "utf8"))
    .join("");
  for (const word of ["matricization", "checkerboard", "safetensors", "createmodetree"])
    expect(index).toContain(word);
});

describe("links of the repository", () => {
  test.each([
    ["../packages/cli", "docs/runs.md", "/packages/cli.html"],
    ["packages/cli/README.md#flags", "README.md", "/packages/cli.html#flags"],
    ["../../docs/data-files.md", "packages/datasets/README.md", "/data-files.html"],
    ["../examples/mode-tree.ts", "docs/theory.md", "/examples/mode-tree.html"],
    ["results/benchmarks.md", "docs/engines.md", "/results/benchmarks.html"],
    ["../README.md", "docs/runs.md", "/"],
    ["docs/decisions/", "README.md", "/decisions/0010-random-numbers.html"],
    ["../CHANGELOG.md", "docs/runs.md", "/changelog.html"],
  ])("%s in %s is %s", (href, from, expected) => {
    expect(siteLink(href, from)).toBe(expected);
  });

  test("to what is not on the site are refused", () => {
    expect(() => siteLink("../nx.json", "docs/runs.md")).toThrow(
      'docs/runs.md: the link "../nx.json" leads to nothing that is on the site',
    );
  });
});
