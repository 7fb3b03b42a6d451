// npm run sizes: measures the packages as they are built and writes the tables of docs/packages.md.
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { bundleLimits, bundleSizeOf, sizeOf, type BundleSize } from "./package-sizes.ts";
import { packPackages, root } from "./published-packages.ts";
import { withSizes } from "./size-tables.ts";

const path = join(root, "docs", "packages.md");
const folder = await mkdtemp(join(tmpdir(), "implicit-rank sizes "));
try {
  const packed = await packPackages(folder);
  const packages = new Map(packed.map((found) => [found.manifest.name, sizeOf(found)]));
  const bundles = new Map<string, BundleSize>();
  for (const module of Object.keys(bundleLimits)) bundles.set(module, await bundleSizeOf(module));
  await writeFile(path, withSizes(await readFile(path, "utf8"), packages, bundles));
  console.log("docs/packages.md");
} finally {
  await rm(folder, { recursive: true, force: true });
}
