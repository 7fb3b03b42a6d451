// npm run licenses: writes docs/licenses.md from package-lock.json.
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { format, resolveConfig } from "prettier";
import { licensedPackages, licensesPage } from "./licenses.ts";
import { root } from "./published-packages.ts";

const path = join(root, "docs", "licenses.md");
const page = licensesPage(await licensedPackages());
await writeFile(path, await format(page, { ...(await resolveConfig(path)), filepath: path }));
console.log("docs/licenses.md");
