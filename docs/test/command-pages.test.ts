import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { commands } from "@implicit-rank/cli";
import { expect, test } from "vitest";
import { root } from "./document/find-documents.ts";
import { pageOf, withFlagTables } from "./flags/flag-tables.ts";

const folder = join(root, "docs", "commands");

test("every command has a page, and every page a command", async () => {
  const pages = (await readdir(folder)).filter((name) => name.endsWith(".md"));
  expect(pages.sort()).toEqual(commands.map((entry) => pageOf(entry)).sort());
});

test.each(commands)(
  "the flags of $path are those of the program (else: node docs/test/flags/write-flag-tables.ts)",
  async (entry) => {
    const page = await readFile(join(folder, pageOf(entry)), "utf8");
    expect(page).toBe(await withFlagTables(page, entry));
  },
);
