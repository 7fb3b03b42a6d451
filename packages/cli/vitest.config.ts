import { defineConfig, mergeConfig } from "vitest/config";
import { sharedVitestConfig } from "../../vitest.shared.ts";

/** Most tests start the program several times, which takes seconds each on a machine that is busy. */
export default mergeConfig(sharedVitestConfig, defineConfig({ test: { testTimeout: 120_000 } }));
