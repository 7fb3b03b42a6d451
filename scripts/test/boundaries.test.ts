import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ESLint } from "eslint";
import { expect, test } from "vitest";

const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const eslint = new ESLint({ cwd: root });

async function rulesBrokenBy(code: string, file: string): Promise<(string | null)[]> {
  const [result] = await eslint.lintText(code, { filePath: join(root, file) });
  return result!.messages.map((message) => message.ruleId);
}

test.each([
  ["random", "cli", "packages/random/src/index.ts"],
  ["array-files", "random", "packages/array-files/src/index.ts"],
  ["simd-backend", "random", "packages/simd-backend/src/index.ts"],
  ["experiment-kit", "tensor-factorization", "packages/experiment-kit/src/index.ts"],
  ["datasets", "tensor-factorization", "packages/datasets/src/index.ts"],
  ["tensor-factorization", "datasets", "packages/tensor-factorization/src/experiment/index.ts"],
  ["locality-bias", "datasets", "packages/locality-bias/src/experiment/index.ts"],
  ["locality-bias", "simd-backend", "packages/locality-bias/src/index.ts"],
])("%s may not import %s", async (_, imported, file) => {
  const code = `export * from "@implicit-rank/${imported}";\n`;
  expect(await rulesBrokenBy(code, file)).toEqual(["@nx/enforce-module-boundaries"]);
});

test("a package may not reach into another one's sources", async () => {
  const code = `export * from "../../random/src/index.ts";\n`;
  expect(await rulesBrokenBy(code, "packages/cli/src/index.ts")).toContain(
    "@nx/enforce-module-boundaries",
  );
});

test.each([
  ["cli", "datasets", "packages/cli/src/index.ts"],
  ["datasets", "random", "packages/datasets/src/index.ts"],
  [
    "tensor-factorization",
    "experiment-kit",
    "packages/tensor-factorization/src/experiment/index.ts",
  ],
])("%s may import %s", async (_, imported, file) => {
  expect(await rulesBrokenBy(`export * from "@implicit-rank/${imported}";\n`, file)).toEqual([]);
});

test("only the experiment folder of tensor-factorization may import experiment-kit", async () => {
  const code = `export * from "@implicit-rank/experiment-kit";\n`;
  const file = "packages/tensor-factorization/src/index.ts";
  expect(await rulesBrokenBy(code, file)).toEqual(["no-restricted-imports"]);
});
