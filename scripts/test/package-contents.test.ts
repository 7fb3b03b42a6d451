import { checkPackage, createPackageFromTarballData } from "@arethetypeswrong/core";
import { readFile } from "node:fs/promises";
import { publint } from "publint";
import { formatMessage } from "publint/utils";
import { describe, expect, inject, test } from "vitest";
import { exportedFiles } from "../publishing/exported-files.ts";
import { moduleSubpaths } from "../publishing/published-packages.ts";

/** Consumers that are left out on purpose: those that cannot import ESM, which is all that there is. */
const unsupported = ["node10", "node16-cjs"];

describe.each(inject("packedPackages"))("$manifest.name", ({ manifest, tarball, files }) => {
  test("holds its README, its license and everything that it exports, and no sources", () => {
    expect(files).toEqual(expect.arrayContaining(["README.md", "LICENSE", "package.json"]));
    expect(files).toEqual(expect.arrayContaining(exportedFiles(manifest)));
    const unexpected =
      /^(src|test|assembly|node_modules)\/|\.(tsbuildinfo|map)$|(^|\/)test-results\//;
    expect(files.filter((file) => unexpected.test(file))).toEqual([]);
  });

  test("passes publint", async () => {
    const pack = { tarball: new Uint8Array(await readFile(tarball)).buffer };
    const { messages, pkg } = await publint({ pack, strict: true });
    expect(messages.map((message) => formatMessage(message, pkg))).toEqual([]);
  });

  test("passes arethetypeswrong, for consumers that import ESM", async () => {
    const found = createPackageFromTarballData(new Uint8Array(await readFile(tarball)));
    const result = await checkPackage(found);
    if (!result.types) throw new Error("has no types");
    expect(Object.keys(result.entrypoints)).toEqual(
      expect.arrayContaining(moduleSubpaths(manifest)),
    );
    const problems = result.problems.filter(
      (problem) => !("resolutionKind" in problem && unsupported.includes(problem.resolutionKind)),
    );
    expect(problems).toEqual([]);
  });

  test("runs no script when it is installed", () => {
    const atInstall = ["preinstall", "install", "postinstall", "prepare", "prepublish"];
    const scripts = Object.keys(manifest.scripts ?? {});
    expect(scripts.filter((name) => atInstall.includes(name))).toEqual([]);
    expect(files).not.toContain("binding.gyp");
  });
});
