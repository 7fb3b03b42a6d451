import { existsSync, globSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { z } from "zod";

/** One thing that can be imported: a package, or a subpath of it. */
export interface PublicEntry {
  /** As in an import: `@implicit-rank/tensor-factorization/tfjs`. */
  readonly specifier: string;
  /** Without the scope: `tensor-factorization/tfjs`. */
  readonly name: string;
  readonly packageName: string;
  /** The source file behind it. */
  readonly source: string;
}

const manifest = z.object({
  name: z.string(),
  exports: z.record(z.string(), z.union([z.string(), z.object({ types: z.string() })])),
});

const repository = resolve(import.meta.dirname, "../..");

/** Everything that the packages export, read from their `exports`, so that nothing can be forgotten. */
export function publicEntries(): readonly PublicEntry[] {
  return globSync("packages/*/package.json", { cwd: repository })
    .toSorted()
    .flatMap((path) => entriesOf(join(repository, path)));
}

function entriesOf(manifestPath: string): readonly PublicEntry[] {
  const { name, exports } = manifest.parse(JSON.parse(readFileSync(manifestPath, "utf8")));
  return Object.entries(exports).flatMap(([subpath, target]) => {
    if (typeof target === "string") return [];
    const specifier = name + subpath.slice(1);
    const source = sourceOf(join(dirname(manifestPath), target.types));
    return [
      {
        specifier,
        name: specifier.split("/").slice(1).join("/"),
        packageName: name,
        source,
      },
    ];
  });
}

function sourceOf(declarations: string): string {
  const source = declarations.replace("/dist/", "/src/").replace(/\.d\.ts$/, ".ts");
  if (!existsSync(source)) throw new Error(`${declarations}: there is no source ${source}`);
  return source;
}
