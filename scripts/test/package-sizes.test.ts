import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, inject, test } from "vitest";
import { bundleLimits, bundleSizeOf, packageLimits, sizeOf } from "../publishing/package-sizes.ts";
import { root } from "../publishing/published-packages.ts";
import { kilobytes, readSizes } from "../publishing/size-tables.ts";

const packed = inject("packedPackages");
const shown = readSizes(await readFile(join(root, "docs", "packages.md"), "utf8"));

test("the limits and the page name all packages and nothing else", () => {
  const names = packed.map(({ manifest }) => manifest.name).sort();
  expect(Object.keys(packageLimits).sort()).toEqual(names);
  expect([...shown.packages.keys()].sort()).toEqual(names);
  expect([...shown.bundles.keys()]).toEqual(Object.keys(bundleLimits));
});

test.each(packed)("$manifest.name is within its limits", (found) => {
  const { name } = found.manifest;
  const limit = packageLimits[name]!;
  const { packed, unpacked, files } = sizeOf(found);
  expect(packed).toBeLessThanOrEqual(limit.packed);
  expect(unpacked).toBeLessThanOrEqual(limit.unpacked);
  expect(files).toBeLessThanOrEqual(limit.files);
});

test.each(Object.entries(bundleLimits))(
  "a bundle of %s is within %i bytes",
  async (name, limit) => {
    const { minified } = await bundleSizeOf(name);
    expect(minified).toBeLessThanOrEqual(limit);
  },
);

test("the page shows sizes that are still about right: else run npm run sizes", () => {
  for (const { manifest, unpacked } of packed) {
    const page = shown.packages.get(manifest.name)![1]!;
    const now = Number(kilobytes(unpacked));
    expect(Math.abs(page - now) / now, `${manifest.name}: ${page}, now ${now}`).toBeLessThan(0.2);
  }
});
