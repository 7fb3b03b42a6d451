import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { createModeTree, renderModeTree } from "../src/index.ts";

test.each([
  ["order 3 in pairs", 3, "checkerboard" as const],
  ["order 4 in pairs", 4, "checkerboard" as const],
  ["order 4, pattern half", 4, "half" as const],
])("the page on the maths draws the tree that the code builds: %s", (_, order, pattern) => {
  const page = readFileSync(new URL("../../../docs/maths.md", import.meta.url), "utf8");
  expect(page).toContain(renderModeTree(createModeTree(order, [2, 2], pattern)));
});
