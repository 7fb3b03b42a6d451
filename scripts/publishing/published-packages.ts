import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { npm } from "./npm.ts";

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
export const scope = "@implicit-rank/";

/** What is read of a package.json. */
export interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly private?: boolean;
  readonly license: string;
  readonly sideEffects?: boolean | readonly string[];
  readonly exports: Readonly<Record<string, unknown>>;
  readonly bin?: Readonly<Record<string, string>>;
  readonly scripts?: Readonly<Record<string, string>>;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
  readonly publishConfig?: Readonly<Record<string, unknown>>;
}

/** A package as `npm pack` makes it. */
export interface PackedPackage {
  readonly manifest: Manifest;
  readonly tarball: string;
  readonly integrity: string;
  readonly shasum: string;
  /** Bytes of the tarball and of what it holds. */
  readonly packed: number;
  readonly unpacked: number;
  readonly files: readonly string[];
}

/** The manifests of packages/, by name. */
export async function readManifests(): Promise<Manifest[]> {
  const folders = await readdir(join(root, "packages"));
  const manifests = folders.sort().map(async (folder) => {
    const text = await readFile(join(root, "packages", folder, "package.json"), "utf8");
    return JSON.parse(text) as Manifest;
  });
  return Promise.all(manifests);
}

/** Those that anyone may install. */
export async function readPublishedManifests(): Promise<Manifest[]> {
  return (await readManifests()).filter((manifest) => !manifest.private);
}

/** Packs everything that is published into a folder; what was built before is what is packed. */
export async function packPackages(destination: string): Promise<PackedPackage[]> {
  const manifests = await readPublishedManifests();
  const names = manifests.flatMap((manifest) => ["-w", manifest.name]);
  const args = ["pack", ...names, "--json", "--pack-destination", destination];
  const { stdout } = await npm(root, args);
  const reports: PackReport[] = JSON.parse(stdout);
  return reports.map((report) => ({
    manifest: manifests.find((manifest) => manifest.name === report.name)!,
    tarball: join(destination, report.filename),
    integrity: report.integrity,
    shasum: report.shasum,
    packed: report.size,
    unpacked: report.unpackedSize,
    files: report.files.map((file) => file.path),
  }));
}

interface PackReport {
  readonly name: string;
  readonly filename: string;
  readonly integrity: string;
  readonly shasum: string;
  readonly size: number;
  readonly unpackedSize: number;
  readonly files: readonly { readonly path: string }[];
}

/** The subpaths that are modules: `.`, `./tfjs` … */
export function moduleSubpaths(manifest: Manifest): string[] {
  return Object.keys(manifest.exports).filter(
    (subpath) => !subpath.endsWith(".json") && !subpath.includes("*"),
  );
}

/** What a consumer writes to import each of them. */
export function moduleSpecifiers(manifest: Manifest): string[] {
  return moduleSubpaths(manifest).map((subpath) => manifest.name + subpath.slice(1));
}
