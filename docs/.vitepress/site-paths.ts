import { existsSync, readdirSync, statSync } from "node:fs";
import { join, posix, resolve } from "node:path";

export const repository = resolve(import.meta.dirname, "../..");

/**
 * The page of a file of the repository, as a path below the root of the site: the one rule by which
 * files that stay where they are become pages, and links between them links between pages.
 *
 * @param file relative to the root of the repository, with forward slashes.
 * @returns undefined for what has no page.
 */
export function pageOf(file: string): string | undefined {
  if (file === "README.md" || file === "") return "index.md";
  if (file === "CHANGELOG.md") return "changelog.md";
  const [area, ...rest] = file.split("/");
  const path = rest.join("/");
  if (area === "docs" && path.endsWith(".md")) return path;
  if (area === "packages" && /^[^/]+\/README\.md$/.test(path)) return `packages/${rest[0]!}.md`;
  if (area === "examples") return path === "README.md" ? "examples/index.md" : examplePage(path);
  return undefined;
}

/** `mode-tree.ts` is on the page `mode-tree`, the files of a folder are on the folder's page. */
function examplePage(path: string): string {
  const [first] = path.split("/");
  return `examples/${first!.replace(/\.ts$/, "").replaceAll(".", "-")}.md`;
}

/**
 * Where a link of the repository leads on the site.
 *
 * @param href as it is written: `../packages/cli#flags`.
 * @param from the file it is written in, relative to the root of the repository.
 * @throws Error if there is no such file, or no page for it.
 */
export function siteLink(href: string, from: string): string {
  const [path = "", anchor] = href.split("#");
  const target = indexOf(posix.join(posix.dirname(from), decodeURI(path)).replace(/\/$/, ""));
  const page = pageOf(target);
  if (page === undefined)
    throw new Error(`${from}: the link "${href}" leads to nothing that is on the site`);
  const address = page.replace(/(^|\/)index\.md$/, "$1").replace(/\.md$/, ".html");
  return `/${address}${anchor === undefined ? "" : `#${anchor}`}`;
}

/** A link to a folder means the text that introduces it, or else its first one. */
function indexOf(target: string): string {
  const path = join(repository, target);
  if (!existsSync(path) || !statSync(path).isDirectory()) return target;
  const texts = readdirSync(path).filter((name) => name.endsWith(".md"));
  const text =
    ["README.md", "index.md"].find((name) => texts.includes(name)) ?? texts.toSorted()[0];
  return text === undefined ? target : posix.join(target, text);
}
