import { existsSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import newest from "typescript";
import oldest from "typescript-oldest";
import { root, scope } from "../../publishing/published-packages.ts";

/** A compiler and its settings, as consumers have them. */
export interface Setup {
  readonly compiler: typeof newest;
  readonly options: newest.CompilerOptions;
  /** Files of the compiler and types of Node, which all programs share. */
  readonly files: Map<string, newest.SourceFile | undefined>;
  /** Declarations of others, by place within a project, that have been found right in one. */
  readonly right: Set<string>;
}

const strict: newest.CompilerOptions = {
  target: newest.ScriptTarget.ES2022,
  strict: true,
  noEmit: true,
  allowImportingTsExtensions: true,
  skipLibCheck: false,
};

/** A program for Node, without the types of a browser, and the compiler of this repository. */
export const inNode: Setup = {
  compiler: newest,
  options: {
    ...strict,
    lib: ["lib.es2023.d.ts"],
    module: newest.ModuleKind.NodeNext,
    types: ["node"],
  },
  files: new Map(),
  right: new Set(),
};

/** A page made by a bundler, without the types of Node, and the oldest compiler that we promise. */
export const inBrowser: Setup = {
  compiler: oldest as unknown as typeof newest,
  options: {
    ...strict,
    lib: ["lib.es2023.d.ts", "lib.dom.d.ts"],
    module: newest.ModuleKind.Preserve,
    moduleResolution: newest.ModuleResolutionKind.Bundler,
    types: [],
  },
  files: new Map(),
  right: new Set(),
};

/** A module that imports others and notices when their types are missing, that is, are `any`. */
export function importsOf(specifiers: readonly string[]): Map<string, string> {
  const lines = specifiers.flatMap((specifier, index) => [
    `import * as library${index} from "${specifier}";`,
    `export const names${index}: readonly (keyof typeof library${index})[] = [];`,
    `// @ts-expect-error: types that are missing would be any, which has every member`,
    `library${index}.thereIsNoSuchExport;`,
  ]);
  return new Map([["imports.ts", lines.join("\n")]]);
}

/**
 * What a compiler says against modules in a project and all declarations that they lead to, each with the
 * place of the file within the project.
 */
export async function typeCheck(
  project: string,
  modules: ReadonlyMap<string, string>,
  setup: Setup,
): Promise<string[]> {
  for (const [name, code] of modules) await writeFile(join(project, name), code);
  const { compiler } = setup;
  const program = compiler.createProgram({
    rootNames: [...modules.keys()].map((name) => join(project, name)),
    options: optionsIn(project, setup),
    host: hostOf(setup),
  });
  const complaints = [...program.getOptionsDiagnostics(), ...program.getGlobalDiagnostics()];
  for (const file of program.getSourceFiles()) {
    const place = file.fileName.slice(project.length + 1);
    if (!file.fileName.startsWith(project) || setup.right.has(place)) continue;
    const found = [
      ...program.getSyntacticDiagnostics(file),
      ...program.getSemanticDiagnostics(file),
    ];
    complaints.push(...found);
    const isOfOthers = place.startsWith("node_modules/") && !place.includes(scope);
    if (isOfOthers && found.length === 0) setup.right.add(place);
  }
  return complaints.map(({ file, code, messageText }) => {
    const place = file?.fileName.slice(project.length + 1) ?? "settings";
    return `${place}: TS${code} ${compiler.flattenDiagnosticMessageText(messageText, "\n")}`;
  });
}

/** tfjs-core needs the types of `long`, which it brings, named since TypeScript 6. */
function optionsIn(project: string, { options }: Setup): newest.CompilerOptions {
  const hasLong = existsSync(join(project, "node_modules/@types/long"));
  return {
    ...options,
    types: [...options.types!, ...(hasLong ? ["long"] : [])],
    typeRoots: [project, root].map((folder) => join(folder, "node_modules", "@types")),
  };
}

function hostOf({ compiler, options, files }: Setup): newest.CompilerHost {
  const host = compiler.createCompilerHost(options);
  const outside = join(root, "node_modules");
  return {
    ...host,
    getSourceFile(fileName, ...rest) {
      if (!fileName.startsWith(outside)) return host.getSourceFile(fileName, ...rest);
      if (!files.has(fileName)) files.set(fileName, host.getSourceFile(fileName, ...rest));
      return files.get(fileName);
    },
  };
}
