import { defineConfig } from "vitest/config";
import { sharedVitestConfig } from "../vitest.shared.ts";

/** Examples compute for seconds: on a busy machine for minutes. */
const timeout = 300_000;

export default defineConfig({
  ...sharedVitestConfig,
  test: { ...sharedVitestConfig.test, testTimeout: timeout, hookTimeout: timeout },
});
