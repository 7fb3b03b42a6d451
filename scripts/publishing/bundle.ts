import { join } from "node:path";
import { build, type Rolldown } from "vite";
import { root } from "./published-packages.ts";

export interface Bundle {
  /** Everything that a page would load, minified. */
  readonly code: string;
  /** What is left to be imported from elsewhere. */
  readonly imports: readonly string[];
}

/** Bundles a module with Vite as an application would, without what `external` matches. */
export async function bundle(code: string, external: readonly RegExp[]): Promise<Bundle> {
  const entry = join(root, "scripts", "bundled-entry.js");
  const output = await build({
    configFile: false,
    logLevel: "error",
    root,
    plugins: [
      {
        name: "entry",
        enforce: "pre",
        resolveId: (id) => (id === entry ? id : undefined),
        load: (id) => (id === entry ? code : undefined),
      },
    ],
    build: {
      write: false,
      target: "es2023",
      copyPublicDir: false,
      rolldownOptions: {
        input: entry,
        preserveEntrySignatures: "strict",
        external: [/^node:/, ...external],
      },
    },
  });
  return loadedBy((output as Rolldown.RolldownOutput).output);
}

/** The entry and what it leads to; chunks of functions that were dropped are made but never loaded. */
function loadedBy(files: Rolldown.RolldownOutput["output"]): Bundle {
  const chunks = new Map(
    files.flatMap((file) => (file.type === "chunk" ? [[file.fileName, file] as const] : [])),
  );
  const loaded = new Set<string>();
  const load = (name: string): void => {
    if (loaded.has(name)) return;
    loaded.add(name);
    const chunk = chunks.get(name);
    for (const next of [...(chunk?.imports ?? []), ...(chunk?.dynamicImports ?? [])]) load(next);
  };
  load(files[0].fileName);
  const names = [...loaded].sort();
  return {
    code: names
      .map((name) => chunks.get(name)?.code ?? "")
      .join("")
      .trim(),
    imports: names.filter((name) => !chunks.has(name)),
  };
}
