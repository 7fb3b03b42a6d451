import { glob, mkdir, readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Block } from "../document/read-document.ts";
import { refusal } from "./check-command-line.ts";
import type { CommandLines } from "./command-lines.ts";
import { difference } from "./compare-output.ts";
import { checkInstalled, installedPackages } from "./installs.ts";
import { runPython } from "./python.ts";
import { moduleName, moduleText } from "./modules.ts";
import { shortenedCode } from "./shortened-code.ts";
import { runShell, type ShellResult } from "./shell.ts";

export interface PageOptions {
  /** The scratch folder of the page. */
  readonly folder: string;
  readonly commandLines: CommandLines;
}

type Output = { readonly text: string } | "not run" | undefined;

/** What has happened on a page so far. */
interface Page extends PageOptions {
  readonly blocks: readonly Block[];
  /** Of the block before; "not run" if that was exempt. */
  output: Output;
}

/** Runs the blocks of a page from top to bottom; @throws Error that names the first one that is wrong. */
export async function runPage(blocks: readonly Block[], options: PageOptions): Promise<void> {
  const page: Page = { ...options, blocks, output: undefined };
  for (const block of blocks) {
    try {
      await runBlock(block, page);
    } catch (error) {
      throw new Error(`${block.place}: ${(error as Error).message}`, { cause: error });
    }
  }
}

async function runBlock(block: Block, page: Page): Promise<void> {
  const { language, markers } = block;
  const kind = kinds[language];
  if (kind === undefined)
    throw new Error(`a block of "${language}": name one of ${Object.keys(kinds).join(", ")}`);
  if (markers.file !== undefined) return saveFile(block, markers.file, page);
  await kind(block, page);
}

const kinds: Readonly<Record<string, (block: Block, page: Page) => Promise<void>>> = {
  sh: runCommands,
  text: compareText,
  ts: runModule,
  js: runModule,
  json: checkJson,
  python: runPythonBlock,
};

async function saveFile(block: Block, name: string, page: Page): Promise<void> {
  const { folder } = page;
  if (block.language === "json") await runBefore(block, page);
  await mkdir(dirname(join(folder, name)), { recursive: true });
  await writeFile(
    join(folder, name),
    block.language === "json" ? block.code : moduleText(block, []),
  );
}

async function runCommands(block: Block, page: Page): Promise<void> {
  const { code, markers } = block;
  page.output = undefined;
  await runBefore(block, page);
  const packages = installedPackages(code);
  if (packages !== undefined) return checkInstalled(packages);
  if (markers.notRun !== undefined) {
    page.output = "not run";
    return check(code, page);
  }
  const { commandLines, folder } = page;
  const result = await runShell(shortenedCode(block), {
    folder,
    strict: true,
    environment: commandLines.environment(markers.interruptAt === undefined ? "run" : "process"),
    ...(markers.interruptAt === undefined ? {} : { interruptAt: markers.interruptAt }),
  });
  const expected = markers.interruptAt === undefined ? [markers.exitCode] : [0, 130];
  expectExit(result, expected);
  page.output = { text: result.output };
  if (markers.shortened.length > 0) await check(code, page);
}

function expectExit({ code, output }: ShellResult, expected: readonly number[]): void {
  if (!expected.includes(code))
    throw new Error(`ended with exit code ${code}, not ${expected.join(" or ")}:\n${output}`);
}

/** The command lines as they are written, parsed only, in a shell that has next to no other programs. */
async function check(code: string, { commandLines, folder }: Page): Promise<void> {
  const environment = commandLines.environment("check");
  const { output } = await runShell(code, { folder, environment, strict: false });
  const refused = output.split("\n").filter((line) => line.startsWith(refusal));
  if (refused.length > 0) throw new Error(refused.join("\n"));
}

/** What the commands of the marker print, or undefined if there are none. */
async function runBefore(
  { markers }: Block,
  { commandLines, folder }: Page,
): Promise<string | undefined> {
  if (markers.before === undefined) return undefined;
  const environment = commandLines.environment("run");
  const result = await runShell(markers.before, { folder, environment, strict: true });
  expectExit(result, [0]);
  return result.output;
}

async function compareText(block: Block, page: Page): Promise<void> {
  const { code, markers } = block;
  if (markers.notRun !== undefined) return;
  const before = await runBefore(block, page);
  const output = before === undefined ? page.output : { text: before };
  if (output === "not run") return;
  if (output === undefined) throw new Error("is the output of nothing; say of what, or why not");
  const wrong = difference(code, output.text);
  if (wrong !== undefined)
    throw new Error(`is not what was printed:\n${wrong}\n\nall of it:\n${output.text}`);
}

async function runModule(block: Block, page: Page): Promise<void> {
  page.output = undefined;
  if (block.markers.notRun !== undefined || block.markers.namesOf !== undefined) {
    page.output = "not run";
    return;
  }
  const name = moduleName(block);
  const { folder, commandLines } = page;
  await writeFile(join(folder, name), moduleText(block, page.blocks));
  const environment = commandLines.environment("run");
  const result = await runShell(`node ${name}`, { folder, environment, strict: true });
  expectExit(result, [block.markers.exitCode]);
  page.output = { text: result.output };
}

async function checkJson(block: Block, page: Page): Promise<void> {
  const { code, markers } = block;
  await runBefore(block, page);
  const shown = JSON.parse(code) as unknown;
  if (markers.keysOf === undefined) return;
  const path = await onlyFile(markers.keysOf, page);
  const text = await readFile(path, "utf8");
  const real = JSON.parse(path.endsWith(".jsonl") ? text.split("\n")[0]! : text) as unknown;
  const missing = keysBeside(shown, real, "");
  if (missing.length > 0) throw new Error(`${path} has no ${missing.join(", ")}`);
}

/** Paths of the keys in `shown` that `real` lacks. */
function keysBeside(shown: unknown, real: unknown, path: string): readonly string[] {
  if (typeof shown !== "object" || shown === null || Array.isArray(shown)) return [];
  const known = new Map(Object.entries(real ?? {}));
  return Object.entries(shown).flatMap(([key, value]) =>
    known.has(key) ? keysBeside(value, known.get(key), `${path}${key}.`) : [`${path}${key}`],
  );
}

async function onlyFile(pattern: string, { folder }: Page): Promise<string> {
  const found: string[] = [];
  for await (const path of glob(pattern, { cwd: folder })) found.push(join(folder, path));
  if (found.length !== 1) throw new Error(`${pattern}: ${found.length} files have this name`);
  return found[0]!;
}

async function runPythonBlock(block: Block, page: Page): Promise<void> {
  page.output = undefined;
  const { folder } = page;
  const output = await runPython(block, page.blocks, folder);
  page.output = output === undefined ? "not run" : { text: output };
}
