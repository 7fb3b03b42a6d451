import { existsSync } from "node:fs";
import { join } from "node:path";
import { root } from "../document/find-documents.ts";

/** The packages of a block that is one `npm install`, which is not run; undefined for other blocks. */
export function installedPackages(code: string): readonly string[] | undefined {
  const command = code.trim().replaceAll("\\\n", " ");
  if (!/^npm (install|i) /.test(command) || command.includes("\n")) return undefined;
  return command
    .split(/\s+/)
    .slice(2)
    .filter((word) => !word.startsWith("-"));
}

/** @throws Error that names a package that is neither of this workspace nor installed in it */
export function checkInstalled(packages: readonly string[]): void {
  const missing = packages.filter((name) => !existsSync(join(root, "node_modules", name)));
  if (missing.length > 0)
    throw new Error(`${missing.join(", ")}: not of this workspace, nor installed in it`);
}
