// Writes the tables of flags in docs/commands/*.md: node docs/test/flags/write-flag-tables.ts
import { readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { commands } from "@implicit-rank/cli";
import { root } from "../document/find-documents.ts";
import { pageOf, withFlagTables } from "./flag-tables.ts";

for (const entry of commands) {
  const path = join(root, "docs", "commands", pageOf(entry));
  await writeFile(path, await withFlagTables(await readFile(path, "utf8"), entry));
}
