import type { ViteUserConfig } from "vitest/config";

/** What every package's Vitest run has in common; `test-results/` is read by `scripts/test.mjs`. */
export const sharedVitestConfig: ViteUserConfig = {
  test: {
    include: ["test/**/*.test.ts"],
    reporters: ["default", ["json", { outputFile: "test-results/vitest.json" }]],
    testTimeout: 30_000,
    pool: "forks",
    maxWorkers: 2,
  },
};
