import { type Block, readDocument } from "@implicit-rank/docs/test/document/read-document.ts";
import { difference } from "@implicit-rank/docs/test/run/compare-output.ts";
import { runShell } from "@implicit-rank/docs/test/run/shell.ts";
import { mkdir, readdir, symlink, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { expect, inject, test } from "vitest";
import { npm, npmEnvironment } from "../publishing/npm.ts";
import { root } from "../publishing/published-packages.ts";
import { emptyFolder, patient } from "./published/consumer-project.ts";

test("npx runs the demo in an empty folder", { timeout: patient }, async () => {
  const folder = await emptyFolder();
  const settings = await newcomersSettings();
  const demo = await npm(folder, ["exec", "--yes", "--", "@implicit-rank/cli", "demo"], settings);
  expect(demo.stdout).toContain("The target has rank 3.");
  expect(demo.stdout).toContain("npx @implicit-rank/cli runs list outputs/demo");
  const made = await readdir(join(folder, "outputs", "demo"));
  expect(made).toEqual(expect.arrayContaining(["dynamics.png", "dynamics.svg", "report.html"]));
  expect(await readdir(folder)).toEqual(["outputs"]);
});

test.skipIf(process.platform === "win32")(
  "a newcomer follows the quick start word for word",
  { timeout: patient },
  async () => {
    const folder = await emptyFolder();
    const environment = npmEnvironment(await newcomersSettings());
    const { blocks } = await readDocument(join(root, "docs", "quick-start.md"), "quick start");
    let printed: string | undefined;
    for (const block of blocks) {
      const { file, notRun } = block.markers;
      if (file !== undefined) await writeFile(join(folder, file), block.code);
      else if (block.language === "text") expectPrinted(block, printed);
      else printed = notRun === undefined ? await type(block, folder, environment) : undefined;
    }
  },
);

/** Types the commands of a block, ends them where the page says so, and gives what they print. */
async function type(
  { code, language, markers, place }: Block,
  folder: string,
  environment: NodeJS.ProcessEnv,
): Promise<string> {
  expect(`${place}: ${language}`).toBe(`${place}: sh`);
  const { interruptAt } = markers;
  const options = { folder, environment, strict: true };
  const result = await runShell(
    code,
    interruptAt === undefined ? options : { ...options, interruptAt },
  );
  const expected = interruptAt === undefined ? [0] : [0, 130];
  expect(expected, `${place}\n${result.output}`).toContain(result.code);
  return result.output;
}

/** What the page shows must be what was printed, but for times and the like. */
function expectPrinted({ code, place }: Block, printed: string | undefined): void {
  if (printed === undefined) return;
  expect(difference(code, printed), `${place}, of\n${printed}`).toBeUndefined();
}

/**
 * Our packages from the local registry, all others as ever. npx keeps what it has installed; it gets a
 * folder of its own for it, lest it run what an earlier test has packed under the same version.
 */
async function newcomersSettings(): Promise<Readonly<Record<string, string>>> {
  const cache = await emptyFolder();
  const usual = (await npm(cache, ["config", "get", "cache"])).stdout.trim();
  await mkdir(join(usual, "_cacache"), { recursive: true });
  await symlink(join(usual, "_cacache"), join(cache, "_cacache"), "junction");
  return {
    ...inject("registrySettings"),
    npm_config_cache: cache,
    npm_config_prefer_offline: "true",
    npm_config_update_notifier: "false",
  };
}
