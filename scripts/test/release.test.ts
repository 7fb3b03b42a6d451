import { cp, mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { isReleased, withRelease } from "../publishing/changelog.ts";
import { run } from "../publishing/npm.ts";
import { readPublishedManifests, root, scope } from "../publishing/published-packages.ts";
import { emptyFolder, patient } from "./published/consumer-project.ts";

const manifests = await readPublishedManifests();
const versionPackages = join(root, "scripts", "publishing", "version-packages.ts");

describe("npm run version", { timeout: patient }, () => {
  test("raises all packages together and moves the changes into the changelog", async () => {
    const workspace = await copyOfWorkspace();
    await writeFile(
      join(workspace, ".changeset", "round-dice.md"),
      `---\n"@implicit-rank/random": minor\n---\n\nDice with any number of sides.\n`,
    );
    await run(process.execPath, [versionPackages, workspace]);

    const version = nextMinor(manifests[0]!.version);
    for (const { name } of manifests) {
      const manifest = await readManifest(workspace, `packages/${name.slice(scope.length)}`);
      expect(manifest.version).toBe(version);
      for (const [dependency, range] of Object.entries(manifest.dependencies ?? {}))
        if (dependency.startsWith(scope)) expect(range).toBe(`^${version}`);
    }
    const examples = await readManifest(workspace, "examples");
    expect(examples.version).toBe((await readManifest(root, "examples")).version);
    expect(examples.dependencies["@implicit-rank/random"]).toBe(`^${version}`);
    const changelog = await readFile(join(workspace, "CHANGELOG.md"), "utf8");
    expect(changelog).toContain(`\n## ${version} - `);
    expect(changelog).toContain("- `random`: Dice with any number of sides.\n");
    expect(await readdir(join(workspace, ".changeset"))).toEqual(["README.md", "config.json"]);
  });

  test("without changesets gives the version that there is its heading, once", async () => {
    const workspace = await copyOfWorkspace();
    const path = join(workspace, "CHANGELOG.md");
    await writeFile(path, "# Changelog\n\n## Unreleased\n\n### Added\n\n- everything\n");
    const first = await run(process.execPath, [versionPackages, workspace]);
    const { version } = manifests[0]!;
    expect(first.stdout).toMatch(new RegExp(`^${version}: see CHANGELOG`));
    const changelog = await readFile(path, "utf8");
    expect(isReleased(changelog, version)).toBe(true);
    const second = await run(process.execPath, [versionPackages, workspace]);
    expect(second.stdout).toContain("has nothing new");
    expect(await readFile(path, "utf8")).toBe(changelog);
  });
});

test("a release takes over what was unreleased, and leaves earlier ones alone", () => {
  const before =
    "# Changelog\n\n## Unreleased\n\n### Added\n\n- b\n\n## 0.1.0 - 2026-01-01\n\n- a\n";
  const changes = [{ packages: ["cli", "random"], summary: "one\ntwo\n" }];
  expect(withRelease(before, "0.2.0", "2026-02-01", changes)).toBe(
    "# Changelog\n\n## Unreleased\n\n## 0.2.0 - 2026-02-01\n\n### Added\n\n- b\n\n" +
      "### Changed\n\n- `cli`, `random`: one\n  two\n\n## 0.1.0 - 2026-01-01\n\n- a\n",
  );
  expect(() => withRelease("# Changelog\n", "0.2.0", "2026-02-01", [])).toThrow("Unreleased");
});

test("changesets knows all published packages, as one group", async () => {
  const config = JSON.parse(await readFile(join(root, ".changeset", "config.json"), "utf8"));
  expect(config.fixed).toEqual([manifests.map(({ name }) => name).sort()]);
  expect(new Set(manifests.map(({ version }) => version)).size).toBe(1);
});

test("all packages are published in public and with a proof of origin", () => {
  for (const { publishConfig } of manifests)
    expect(publishConfig).toEqual({ access: "public", provenance: true });
});

describe("before it is published", { timeout: patient }, () => {
  const check = join(root, "scripts", "publishing", "check-before-publishing.ts");

  test("a package must name its repository, which the workflow writes into it", async () => {
    const workspace = await copyOfWorkspace();
    const folder = join(workspace, "packages", "random");
    await cp(join(root, "packages", "random", "dist"), join(folder, "dist"), { recursive: true });
    const refused = await run(process.execPath, [check], { cwd: folder }).catch((error) => error);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("repository") });

    const setRepository = join(root, "scripts", "publishing", "set-repository.ts");
    const env = {
      ...process.env,
      GITHUB_SERVER_URL: "https://git.example",
      GITHUB_REPOSITORY: "someone/somewhere",
    };
    await run(process.execPath, [setRepository, workspace], { env });
    expect((await readManifest(workspace, "packages/cli")).repository).toEqual({
      type: "git",
      url: "git+https://git.example/someone/somewhere.git",
      directory: "packages/cli",
    });
    await run(process.execPath, [check], { cwd: folder });
  });

  test("a package must be built", async () => {
    const workspace = await copyOfWorkspace();
    const folder = join(workspace, "packages", "random");
    const refused = await run(process.execPath, [check], { cwd: folder }).catch((error) => error);
    expect(refused).toMatchObject({ code: 1, stderr: expect.stringContaining("npm run build") });
  });
});

/** What versions are read from and written to, as a repository of its own. */
async function copyOfWorkspace(): Promise<string> {
  const folder = await emptyFolder();
  const packages = manifests.map(({ name }) => `packages/${name.slice(scope.length)}`);
  for (const part of [...packages, "docs", "examples", "reliability"]) {
    await mkdir(join(folder, part), { recursive: true });
    await cp(join(root, part, "package.json"), join(folder, part, "package.json"));
  }
  for (const file of ["package.json", "package-lock.json", "CHANGELOG.md"])
    await cp(join(root, file), join(folder, file));
  await mkdir(join(folder, ".changeset"));
  for (const file of ["config.json", "README.md"])
    await cp(join(root, ".changeset", file), join(folder, ".changeset", file));
  const git = (...args: string[]) => run("git", args, { cwd: folder });
  await git("init", "--quiet", "--initial-branch=main");
  await git("add", "--all");
  const author = ["-c", "user.name=nobody", "-c", "user.email=nobody@example.invalid"];
  await git(...author, "commit", "--quiet", "--message", "as it is");
  return folder;
}

async function readManifest(folder: string, part: string) {
  return JSON.parse(await readFile(join(folder, part, "package.json"), "utf8"));
}

function nextMinor(version: string): string {
  const [major, minor] = version.split(".");
  return `${major}.${Number(minor) + 1}.0`;
}
