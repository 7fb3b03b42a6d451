import { mkdirSync, writeFileSync } from "node:fs";
import type { ViteUserConfig } from "vitest/config";
import type { Reporter, TestCase, TestModule } from "vitest/node";

/** Vitest's JSON report leaves out why a test was skipped (`context.skip(reason)`). */
const skipReasons: Reporter = {
  onTestRunEnd(modules: readonly TestModule[]) {
    const reasons: Record<string, string> = {};
    for (const module of modules) {
      for (const test of module.children.allTests("skipped")) {
        const result = test.result();
        if (result.state === "skipped" && result.note !== undefined) {
          reasons[fullNameOf(test)] = result.note;
        }
      }
    }
    mkdirSync("test-results", { recursive: true });
    writeFileSync("test-results/skips.json", JSON.stringify(reasons, null, 2));
  },
};

/** As the JSON report writes it. */
function fullNameOf(test: TestCase): string {
  const names = [test.name];
  for (let { parent } = test; parent.type === "suite"; { parent } = parent) {
    names.unshift(parent.name);
  }
  return names.join(" ");
}

/** What every package's Vitest run has in common; `test-results/` is read by `scripts/test.mjs`. */
export const sharedVitestConfig: ViteUserConfig = {
  test: {
    include: ["test/**/*.test.ts"],
    reporters: ["default", ["json", { outputFile: "test-results/vitest.json" }], skipReasons],
    testTimeout: 30_000,
    hookTimeout: 30_000,
    pool: "forks",
    maxWorkers: 2,
  },
};
