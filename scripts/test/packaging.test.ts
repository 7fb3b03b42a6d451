import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readFile, readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

const run = promisify(execFile);
const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const scope = "@implicit-rank/";
const generous = 180_000;

interface Manifest {
  readonly name: string;
  readonly private?: boolean;
  readonly exports: Readonly<Record<string, unknown>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly bin?: Readonly<Record<string, string>>;
}

const folders = await readdir(join(root, "packages"));
const manifests: Manifest[] = [];
for (const folder of folders) {
  manifests.push(
    JSON.parse(await readFile(join(root, "packages", folder, "package.json"), "utf8")),
  );
}
const published = manifests.filter((manifest) => !manifest.private);

let scratch = "";
const tarballs = new Map<string, { path: string; files: string[] }>();

beforeAll(async () => {
  scratch = await mkdtemp(join(tmpdir(), "implicit-rank packaging "));
  const names = published.flatMap((manifest) => ["-w", manifest.name]);
  const { stdout } = await npm(root, ["pack", ...names, "--json", "--pack-destination", scratch]);
  for (const packed of JSON.parse(stdout)) {
    const files = packed.files.map((file: { path: string }) => file.path);
    tarballs.set(packed.name, { path: join(scratch, packed.filename), files });
  }
}, generous);

afterAll(async () => {
  await rm(scratch, { recursive: true, force: true });
});

describe.each(published)("$name", (manifest) => {
  test("holds its README, its license and everything that it exports, and no sources", () => {
    const { files } = tarballs.get(manifest.name)!;
    const exported = targetsOf(manifest.exports).concat(targetsOf(manifest.bin ?? {}));
    expect(files).toEqual(expect.arrayContaining(["README.md", "LICENSE", "package.json"]));
    expect(files).toEqual(expect.arrayContaining(exported.filter((file) => !file.includes("*"))));
    const unexpected = /^(src|test|assembly|node_modules)\/|\.tsbuildinfo$|(^|\/)test-results\//;
    expect(files.filter((file) => unexpected.test(file))).toEqual([]);
  });

  test("passes publint", async () => {
    const { path } = tarballs.get(manifest.name)!;
    const tarball = await readFile(path);
    const pack = { tarball: new Uint8Array(tarball).buffer };
    const { messages, pkg } = await publint({ pack, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
  });

  test(
    "installs alone in an empty project, imports and type-checks",
    { timeout: generous },
    async () => {
      const project = await emptyProject(manifest.name);
      await install(project, closureOf([manifest.name]));
      await importAll(project, [manifest.name]);
      await typeCheck(project, [manifest.name]);

      const peers = Object.entries(manifest.peerDependencies ?? {});
      const subpaths = Object.keys(manifest.exports).filter(isModule);
      // A package with one module has been imported without its peers, which it then loads when asked to.
      if (peers.length > 0 && subpaths.length > 1) {
        const ours = peers.map(([name]) => name).filter((name) => name.startsWith(scope));
        const theirs = peers.filter(([name]) => !name.startsWith(scope));
        const tarballsOfOurs = closureOf([manifest.name, ...ours]);
        await install(project, [
          ...tarballsOfOurs,
          ...theirs.map(([name, range]) => `${name}@${range}`),
        ]);
      }
      const specifiers = subpaths.map((subpath) => manifest.name + subpath.slice(1));
      await importAll(project, specifiers);
      await typeCheck(project, specifiers);
      if (manifest.bin) await expectBinsToAnswer(project, manifest.bin);
    },
  );
});

/** The tarballs of some of our packages and of all of ours that they depend on. */
function closureOf(names: readonly string[]): string[] {
  const found = new Set<string>();
  const add = (name: string): void => {
    if (found.has(name)) return;
    found.add(name);
    const dependencies = manifests.find((manifest) => manifest.name === name)?.dependencies ?? {};
    Object.keys(dependencies)
      .filter((dependency) => dependency.startsWith(scope))
      .forEach(add);
  };
  names.forEach(add);
  return [...found].map((name) => tarballs.get(name)!.path);
}

async function emptyProject(name: string): Promise<string> {
  const folder = join(scratch, name.slice(scope.length));
  await mkdir(folder);
  const manifest = { name: "consumer", private: true, type: "module" };
  await writeFile(join(folder, "package.json"), JSON.stringify(manifest));
  return folder;
}

async function install(project: string, specifiers: readonly string[]): Promise<void> {
  await npm(project, ["install", "--no-audit", "--no-fund", "--prefer-offline", ...specifiers]);
}

async function importAll(project: string, specifiers: readonly string[]): Promise<void> {
  const script = `
    for (const specifier of ${JSON.stringify(specifiers)}) {
      const names = Object.keys(await import(specifier));
      if (names.length === 0) throw new Error(specifier + " exports nothing");
    }`;
  await writeFile(join(project, "consumer.mjs"), script);
  for (const node of await nodesToTry()) await run(node, ["consumer.mjs"], { cwd: project });
}

async function typeCheck(project: string, specifiers: readonly string[]): Promise<void> {
  const lines = specifiers.flatMap((specifier, index) => [
    `import * as library${index} from "${specifier}";`,
    `export const names${index}: readonly (keyof typeof library${index})[] = [];`,
    `// @ts-expect-error: types that are missing would be any, which has every member`,
    `library${index}.thereIsNoSuchExport;`,
  ]);
  await writeFile(join(project, "consumer.ts"), lines.join("\n"));
  const compilerOptions = {
    target: "ES2023",
    lib: ["ES2023"],
    module: "NodeNext",
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    typeRoots: [join(root, "node_modules", "@types")],
    types: ["node"],
  };
  const config = { compilerOptions, files: ["consumer.ts"] };
  await writeFile(join(project, "tsconfig.json"), JSON.stringify(config));
  const tsc = join(root, "node_modules", "typescript", "bin", "tsc");
  await run(process.execPath, [tsc, "-p", project]).catch((error) => {
    throw new Error(error.stdout, { cause: error });
  });
}

async function expectBinsToAnswer(project: string, bins: Readonly<Record<string, string>>) {
  for (const name of Object.keys(bins)) {
    const { stdout } = await npm(project, ["exec", "--offline", "--", name, "--help"]);
    expect(stdout).toMatch(new RegExp(`^Usage: ${name}`));
  }
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

/** Runs npm as a user would: without what an enclosing `npm test` says of this workspace. */
function npm(cwd: string, args: readonly string[]) {
  const ofWorkspace =
    /^npm_(package|lifecycle|command)|^npm_config_(local_prefix|workspace)|^INIT_CWD$/;
  const env = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !ofWorkspace.test(name)),
  );
  const options = { cwd, env, maxBuffer: 64 * 1024 * 1024 };
  const npmCli = process.env["npm_execpath"];
  return npmCli?.endsWith(".js")
    ? run(process.execPath, [npmCli, ...args], options)
    : run("npm", [...args], { ...options, shell: process.platform === "win32" });
}

function isModule(subpath: string): boolean {
  return !subpath.endsWith(".json") && !subpath.includes("*") && !subpath.endsWith(".wasm");
}

/** The files that an `exports` or `bin` field names. */
function targetsOf(field: unknown): string[] {
  if (typeof field === "string") return [field.replace(/^\.\//, "")];
  return field === null ? [] : Object.values(field as object).flatMap(targetsOf);
}
