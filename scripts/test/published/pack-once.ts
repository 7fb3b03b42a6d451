import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { TestProject } from "vitest/node";
import { packPackages, type PackedPackage } from "../../publishing/published-packages.ts";
import { startLocalRegistry } from "./local-registry.ts";

declare module "vitest" {
  export interface ProvidedContext {
    packedPackages: readonly PackedPackage[];
    /** Settings of npm that make it fetch these packages from a local registry. */
    registrySettings: Readonly<Record<string, string>>;
  }
}

/** Packs the packages once for all files of tests, and serves them as a registry would. */
export async function setup(project: TestProject): Promise<() => Promise<void>> {
  // A blank in the name, as users have them.
  const folder = await realpath(await mkdtemp(join(tmpdir(), "implicit-rank packages ")));
  const packed = await packPackages(folder);
  const registry = await startLocalRegistry(packed);
  project.provide("packedPackages", packed);
  project.provide("registrySettings", registry.settings);
  return async () => {
    await registry.close();
    await rm(folder, { recursive: true, force: true });
  };
}
