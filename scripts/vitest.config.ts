import { defineConfig, mergeConfig } from "vitest/config";
import { sharedVitestConfig } from "../vitest.shared.ts";

export default defineConfig(
  mergeConfig(sharedVitestConfig, { test: { globalSetup: "test/published/pack-once.ts" } }),
);
