import { readDocument } from "@implicit-rank/docs/test/document/read-document.ts";
import { installedPackages } from "@implicit-rank/docs/test/run/installs.ts";
import { shortenedCode } from "@implicit-rank/docs/test/run/shortened-code.ts";
import { join } from "node:path";
import ts from "typescript";
import { root, scope, type Manifest } from "../../publishing/published-packages.ts";

/** The first example of a package's README, as short as its marker says, and what to install for it. */
export interface ReadmeExample {
  readonly packages: readonly string[];
  /** Modules in TypeScript by file name; the one to run comes last. */
  readonly modules: ReadonlyMap<string, string>;
}

export async function readExample(manifest: Manifest): Promise<ReadmeExample> {
  const name = join("packages", manifest.name.slice(scope.length), "README.md");
  const { blocks } = await readDocument(join(root, name), name);
  const [packages] = blocks.flatMap(({ language, code }) =>
    language === "sh" ? [installedPackages(code) ?? []] : [],
  );
  const modules = new Map<string, string>();
  for (const block of blocks.filter(({ language }) => language === "ts")) {
    modules.set(block.markers.file ?? "example.mts", shortenedCode(block));
    if (block.markers.file === undefined) break;
  }
  if (packages === undefined || !modules.has("example.mts"))
    throw new Error(`${name}: must begin with what to install and an example`);
  return { packages, modules };
}

/** The example as it is written in JavaScript. */
export function asJavaScript(modules: ReadonlyMap<string, string>): Map<string, string> {
  const compilerOptions: ts.CompilerOptions = {
    target: ts.ScriptTarget.ES2022,
    module: ts.ModuleKind.ESNext,
    rewriteRelativeImportExtensions: true,
  };
  const translated = [...modules].map(([name, code]): [string, string] => [
    name.replace(/\.mts$/, ".mjs"),
    ts.transpileModule(code, { compilerOptions }).outputText,
  ]);
  return new Map(translated);
}
