import type { Manifest } from "./published-packages.ts";

/** The files that the fields `exports` and `bin` of a package name, without those of patterns. */
export function exportedFiles(manifest: Pick<Manifest, "exports" | "bin">): string[] {
  const targets = [...targetsOf(manifest.exports), ...targetsOf(manifest.bin ?? {})];
  return targets.filter((file) => !file.includes("*"));
}

function targetsOf(field: unknown): string[] {
  if (typeof field === "string") return [field.replace(/^\.\//, "")];
  return field === null ? [] : Object.values(field as object).flatMap(targetsOf);
}
