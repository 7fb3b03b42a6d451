import { readdir } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { fileURLToPath } from "node:url";

/** The root of the repository. */
export const root = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));

/** Made from sources, whose examples are checked where they stand. */
const generated = /^docs\/(api|reference|node_modules|\.vitepress)\//;

/** All pages whose blocks are run, relative to the root, in alphabetical order. */
export async function findDocuments(): Promise<readonly string[]> {
  const packages = await readdir(join(root, "packages"));
  const pages = [
    "README.md",
    "CHANGELOG.md",
    ...packages.map((name) => `packages/${name}/README.md`),
    ...(await markdownBelow(join(root, "docs"))),
  ];
  return pages.filter((page) => !generated.test(page)).sort();
}

async function markdownBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile() && entry.name.endsWith(".md"))
    .map((entry) => relative(root, join(entry.parentPath, entry.name)).replaceAll("\\", "/"))
    .filter((page) => !page.includes("node_modules/"));
}
