import { spawnSync } from "node:child_process";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { Block } from "../document/read-document.ts";
import { moduleText } from "./modules.ts";

const pythons = ["python3", "/usr/bin/python3"];

const found = new Map<string, string | undefined>();

/** The first Python that imports all of these modules; undefined where none does. */
function findPython(modules: readonly string[]): string | undefined {
  const code = modules.map((name) => `import ${name}`).join("\n");
  if (!found.has(code))
    found.set(
      code,
      pythons.find((python) => spawnSync(python, ["-c", code]).status === 0),
    );
  return found.get(code);
}

/** Why a block of Python cannot be run here, or undefined if it can. */
export function whyNotRun(block: Block): string | undefined {
  const modules = modulesOf(block.code);
  if (findPython(modules) !== undefined) return undefined;
  return `no Python here has ${modules.join(", ")}; ${findPython([]) ? "its syntax was checked" : "nor is there any Python"}`;
}

const modulesOf = (code: string): readonly string[] =>
  [...code.matchAll(/^(?:import|from) (.+?)(?: import .*)?$/gm)]
    .flatMap(([, names]) => names!.split(","))
    .map((name) => name.trim().split(/[. ]/)[0]!);

/**
 * Runs a block of Python where its modules are, else checks its syntax.
 *
 * @returns what was printed, or undefined if it was not run
 */
export async function runPython(
  block: Block,
  page: readonly Block[],
  folder: string,
): Promise<string | undefined> {
  const code = moduleText(block, page);
  const name = `${block.place.replaceAll(/[^\w]+/g, "_")}.py`;
  await writeFile(join(folder, name), code);
  const python = block.markers.notRun === undefined ? findPython(modulesOf(code)) : undefined;
  const syntax = "import ast, sys; ast.parse(open(sys.argv[1]).read())";
  const args = python === undefined ? ["-c", syntax, name] : [name];
  const interpreter = python ?? findPython([]);
  if (interpreter === undefined) return undefined;
  const { status, stdout, stderr } = spawnSync(interpreter, args, {
    cwd: folder,
    encoding: "utf8",
  });
  if (status !== 0) throw new Error(`${interpreter} ended with ${String(status)}:\n${stderr}`);
  return python === undefined ? undefined : stdout;
}
