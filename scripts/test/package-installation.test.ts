import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, inject, test } from "vitest";
import { npm } from "../publishing/npm.ts";
import { moduleSpecifiers, type Manifest } from "../publishing/published-packages.ts";
import {
  emptyProject,
  importAll,
  install,
  patient,
  runModules,
} from "./published/consumer-project.ts";
import { asJavaScript, readExample } from "./published/readme-example.ts";
import { importsOf, inBrowser, inNode, typeCheck, type Setup } from "./published/type-check.ts";

const manifests = inject("packedPackages").map(({ manifest }) => manifest);

describe.each(manifests)("$name", { timeout: patient }, (manifest) => {
  test("installs alone, imports and type-checks, and so does the example of its README", async () => {
    const project = await emptyProject();
    await install(project, [manifest.name]);
    const { packages, modules } = await readExample(manifest);
    const more = [...packages, ...peersOf(manifest)].filter((name) => name !== manifest.name);
    if (more.length > 0) {
      // Its main module must be of use without them.
      await importAll(project, [manifest.name]);
      await expectTypes(project, importsOf([manifest.name]), [inNode]);
      await install(project, more);
    }
    const specifiers = moduleSpecifiers(manifest);
    await importAll(project, specifiers);
    const all = new Map([...importsOf(specifiers), ...modules]);
    await expectTypes(project, all, [inNode, inBrowser]);
    await runModules(project, asJavaScript(modules));
    await expectCommands(project, manifest);
  });
});

/** The peers that its modules need, with their ranges; one module alone loads them only when asked to. */
function peersOf(manifest: Manifest): string[] {
  if (moduleSpecifiers(manifest).length === 1) return [];
  const peers = Object.entries(manifest.peerDependencies ?? {});
  return peers.map(([name, range]) => `${name}@${range}`);
}

async function expectTypes(
  project: string,
  modules: ReadonlyMap<string, string>,
  setups: readonly Setup[],
): Promise<void> {
  for (const setup of setups) {
    const complaints = await typeCheck(project, modules, setup);
    const known = setup === inNode ? await complaintsAboutTfjs(project) : [];
    expect(complaints.filter((complaint) => !known.includes(complaint))).toEqual([]);
  }
}

/** tfjs-core, which is not ours, names types of the browser that a program for Node lacks. */
async function complaintsAboutTfjs(project: string): Promise<readonly string[]> {
  const tfjs = "@tensorflow/tfjs-core";
  if (!existsSync(join(project, "node_modules", tfjs))) return [];
  aboutTfjs ??= await typeCheck(
    project,
    new Map([["tfjs.ts", `export * from "${tfjs}";`]]),
    inNode,
  );
  return aboutTfjs;
}
let aboutTfjs: readonly string[] | undefined;

async function expectCommands(project: string, manifest: Manifest): Promise<void> {
  for (const name of Object.keys(manifest.bin ?? {})) {
    const { stdout } = await npm(project, ["exec", "--offline", "--", name, "--help"]);
    expect(stdout).toMatch(new RegExp(`^Usage: ${name}`));
  }
}
