import { existsSync } from "node:fs";
import { mkdtemp, realpath, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { inject, onTestFinished } from "vitest";
import { npm, run } from "../../publishing/npm.ts";

/** Time for what hangs to be ended; nothing that works takes that long, however slow the machine. */
export const patient = 1_200_000;

/** A folder with nothing in it, which goes away after the test. */
export async function emptyFolder(): Promise<string> {
  const folder = await realpath(await mkdtemp(join(tmpdir(), "implicit-rank consumer ")));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  return folder;
}

/** A new project, as `npm init` and `"type": "module"` make one. */
export async function emptyProject(): Promise<string> {
  const folder = await emptyFolder();
  const manifest = { name: "consumer", private: true, type: "module" };
  await writeFile(join(folder, "package.json"), JSON.stringify(manifest));
  return folder;
}

/** Installs as a user does, with our packages from the local registry. */
export async function install(project: string, specifiers: readonly string[]): Promise<void> {
  const args = ["install", "--no-audit", "--no-fund", "--prefer-offline", ...specifiers];
  await npm(project, args, inject("registrySettings"));
}

/** Imports modules with each Node that there is. */
export async function importAll(project: string, specifiers: readonly string[]): Promise<void> {
  const script = `
    for (const specifier of ${JSON.stringify(specifiers)}) {
      const names = Object.keys(await import(specifier));
      if (names.length === 0) throw new Error(specifier + " exports nothing");
    }`;
  await writeFile(join(project, "import-all.mjs"), script);
  for (const node of await nodesToTry()) await run(node, ["import-all.mjs"], { cwd: project });
}

/** Runs the last of some modules with the Node of the machine, in the project itself. */
export async function runModules(
  project: string,
  modules: ReadonlyMap<string, string>,
): Promise<void> {
  for (const [name, code] of modules) await writeFile(join(project, name), code);
  const node = (await nodesToTry()).at(-1)!;
  await run(node, [[...modules.keys()].at(-1)!], { cwd: project });
}

/** The Node that runs this test and, where it is another one, the Node of the machine. */
async function nodesToTry(): Promise<string[]> {
  const nodes = [process.execPath];
  const folders = (process.env["PATH"] ?? "").split(delimiter);
  const outside = folders.filter((folder) => !folder.includes("node_modules"));
  const file = process.platform === "win32" ? "node.exe" : "node";
  const system = outside.map((folder) => join(folder, file)).find((path) => existsSync(path));
  if (system === undefined) return nodes;
  const { stdout } = await run(system, ["--version"]);
  const major = Number(/^v(\d+)/.exec(stdout)?.[1]);
  return major >= 20 && stdout.trim() !== process.version ? [...nodes, system] : nodes;
}
