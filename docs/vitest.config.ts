import { defineConfig } from "vitest/config";
import { sharedVitestConfig } from "../vitest.shared.ts";

/** Two pages are run at a time, since their commands keep a core busy each. */
export default defineConfig({
  ...sharedVitestConfig,
  test: { ...sharedVitestConfig.test, maxConcurrency: 2 },
});
