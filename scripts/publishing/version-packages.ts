// npm run version: turns the files of .changeset/ into a new version of all packages and into an entry of
// CHANGELOG.md. Without such files, gives the version that the packages have its entry, if it has none yet.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isReleased, withRelease, type Change } from "./changelog.ts";
import { run } from "./npm.ts";
import { root, scope } from "./published-packages.ts";

const folder = process.argv[2] ?? root;
const program = join(root, "node_modules", "@changesets", "cli", "bin.js");

const changes = await readChanges();
if (changes.length > 0) await changeset(["version"]);
const version = await packageVersion();
const path = join(folder, "CHANGELOG.md");
const changelog = await readFile(path, "utf8");
if (isReleased(changelog, version)) {
  console.log(`${version} is in CHANGELOG.md already, and .changeset/ has nothing new.`);
} else {
  const date = new Date().toISOString().slice(0, 10);
  await writeFile(path, withRelease(changelog, version, date, changes));
  console.log(`${version}: see CHANGELOG.md and the package.json of each package.`);
}

async function readChanges(): Promise<Change[]> {
  const scratch = await mkdtemp(join(tmpdir(), "implicit-rank versions "));
  try {
    const file = join(scratch, "status.json");
    await changeset(["status", "--output", file]);
    const { changesets }: Status = JSON.parse(await readFile(file, "utf8"));
    return changesets.map(({ releases, summary }) => ({
      packages: releases.map(({ name }) => name.slice(scope.length)),
      summary,
    }));
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

interface Status {
  readonly changesets: readonly {
    readonly releases: readonly { readonly name: string }[];
    readonly summary: string;
  }[];
}

async function changeset(args: readonly string[]): Promise<void> {
  await run(process.execPath, [program, ...args], { cwd: folder });
}

/** The one that all packages have. */
async function packageVersion(): Promise<string> {
  const text = await readFile(join(folder, "packages", "random", "package.json"), "utf8");
  return (JSON.parse(text) as { version: string }).version;
}
