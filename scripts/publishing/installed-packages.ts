import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { readPublishedManifests, root, scope } from "./published-packages.ts";

/** An entry of package-lock.json, as far as it is read. */
interface LockEntry {
  readonly version?: string;
  readonly license?: string;
  readonly resolved?: string;
  readonly link?: boolean;
  readonly hasInstallScript?: boolean;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

export interface InstalledPackage {
  readonly name: string;
  readonly version: string;
  /** As its package.json has it. */
  readonly license: string;
  readonly hasInstallScript: boolean;
}

type Lock = Readonly<Record<string, LockEntry>>;

async function readLock(): Promise<Lock> {
  const text = await readFile(join(root, "package-lock.json"), "utf8");
  return (JSON.parse(text) as { packages: Lock }).packages;
}

/** All packages that development installs. */
export async function everythingInstalled(): Promise<InstalledPackage[]> {
  const lock = await readLock();
  const places = Object.keys(lock).filter((place) => place.includes("node_modules/"));
  return places.filter((place) => !lock[place]!.link).map((place) => packageAt(lock, place));
}

/**
 * What comes with our packages where they are installed: their dependencies, peers that are not optional, and
 * so on; with the names of ours that need them, without the scope.
 */
export async function installedWithOurs(): Promise<Map<InstalledPackage, string[]>> {
  const lock = await readLock();
  const needed = new Map<string, string[]>();
  for (const { name } of await readPublishedManifests()) {
    const short = name.slice(scope.length);
    for (const place of placesNeededBy(lock, `packages/${short}`))
      needed.set(place, [...(needed.get(place) ?? []), short]);
  }
  return new Map([...needed].map(([place, by]) => [packageAt(lock, place), by]));
}

function placesNeededBy(lock: Lock, start: string): string[] {
  const found = new Set<string>();
  const visit = (place: string): void => {
    if (found.has(place)) return;
    found.add(place);
    const { dependencies, optionalDependencies } = lock[place]!;
    const names = Object.keys({ ...dependencies, ...optionalDependencies });
    for (const name of [...names, ...requiredPeers(lock[place]!)]) {
      visit(placeOf(lock, place, name));
    }
  };
  visit(start);
  return [...found].filter((place) => place.includes("node_modules/"));
}

function requiredPeers({ peerDependencies, peerDependenciesMeta }: LockEntry): string[] {
  const names = Object.keys(peerDependencies ?? {});
  return names.filter((name) => peerDependenciesMeta?.[name]?.optional !== true);
}

/** Where a package finds another: beside its own dependencies or in a folder above. */
function placeOf(lock: Lock, from: string, name: string): string {
  for (let folder = from; ; folder = folder.slice(0, Math.max(0, folder.lastIndexOf("/")))) {
    const place = join(folder, "node_modules", name).replaceAll("\\", "/");
    const entry = lock[place];
    if (entry?.link) return entry.resolved!;
    if (entry !== undefined) return place;
    if (folder === "")
      throw new Error(`package-lock.json: ${from} needs ${name}, which is missing`);
  }
}

function packageAt(lock: Lock, place: string): InstalledPackage {
  const { version = "", license = "", hasInstallScript = false } = lock[place]!;
  const name = place.slice(place.lastIndexOf("node_modules/") + "node_modules/".length);
  return { name, version, license, hasInstallScript };
}
