import { glob, readFile } from "node:fs/promises";
import { join } from "node:path";
import { root } from "./find-documents.ts";
import { type Block, parseDocument } from "./read-document.ts";

/** The fenced blocks in the docstrings of the packages, which the API reference shows, by source file. */
export async function readDocstrings(): Promise<ReadonlyMap<string, readonly Block[]>> {
  const found = new Map<string, readonly Block[]>();
  for await (const path of glob("packages/*/src/**/*.ts", { cwd: root })) {
    const source = await readFile(join(root, path), "utf8");
    const blocks = [...source.matchAll(/\/\*\*[^]*?\*\//g)]
      .filter(([comment]) => comment.includes("```"))
      .flatMap(([comment]) => parseDocument(textOf(comment), path).blocks);
    if (blocks.length > 0) found.set(path, blocks);
  }
  return found;
}

function textOf(comment: string): string {
  return comment
    .slice(3, -2)
    .split("\n")
    .map((line) => line.replace(/^ *\* ?/, ""))
    .join("\n");
}
