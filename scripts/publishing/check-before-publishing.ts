// prepublishOnly of each package: npm publish goes on only if what it would publish is complete.
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { exportedFiles } from "./exported-files.ts";

const manifest = JSON.parse(await readFile("package.json", "utf8"));
const missing = exportedFiles(manifest).filter((file) => !existsSync(file));
if (missing.length > 0) refuse(`${missing.join(", ")}: missing; run npm run build`);
if (manifest.repository === undefined)
  refuse("package.json, repository: missing; packages are published by the workflow release.yml");

function refuse(reason: string): never {
  console.error(`${manifest.name}: not published: ${reason} (see docs/publishing.md)`);
  process.exit(1);
}
