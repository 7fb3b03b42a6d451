import { execFile } from "node:child_process";
import { mkdir, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import type { Block } from "../document/read-document.ts";
import { moduleName, moduleText } from "./modules.ts";

/** As strict as a consumer's compiler may be; unused names are part of examples. */
const config = {
  compilerOptions: {
    target: "ES2023",
    module: "NodeNext",
    strict: true,
    allowJs: true,
    checkJs: true,
    noEmit: true,
    allowImportingTsExtensions: true,
    skipLibCheck: true,
    types: ["node"],
  },
  include: ["**/*"],
};

/**
 * Type-checks the blocks of TypeScript and JavaScript of all pages in one program.
 *
 * @param folder an empty folder from which the packages can be found
 * @returns what the compiler says, with the place of the block instead of the file; empty if all is well
 */
export async function typeCheck(
  pages: ReadonlyMap<string, readonly Block[]>,
  folder: string,
): Promise<readonly string[]> {
  const places = new Map<string, string>();
  for (const [page, blocks] of pages) {
    const place = join(folder, page.replaceAll("/", "_"));
    for (const block of blocks.filter(({ language }) => language === "ts" || language === "js")) {
      const path = join(place, moduleName(block));
      await mkdir(dirname(path), { recursive: true });
      // A block without imports and exports is a module all the same.
      await writeFile(path, `${moduleText(block, blocks)}\nexport {};\n`);
      places.set(path, block.place);
    }
  }
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config));
  const lines = await compile(folder);
  return lines.map((line) => {
    const path = /^(.+?)\(\d+,\d+\): /.exec(line)?.[1];
    const place = path === undefined ? undefined : places.get(join(folder, path));
    return place === undefined ? line : line.replace(path!, place);
  });
}

const compiler = createRequire(import.meta.url).resolve("typescript/bin/tsc");

function compile(folder: string): Promise<readonly string[]> {
  return new Promise((resolve) => {
    const args = [compiler, "-p", "tsconfig.json", "--pretty", "false"];
    execFile(process.execPath, args, { cwd: folder }, (_error, stdout) =>
      resolve(stdout.split("\n").filter((line) => line !== "")),
    );
  });
}
