import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { closingLine, collectReport, findProjects } from "../test-report.mjs";

let root = "";
beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), "implicit-rank report "));
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

const project = { name: "alpha", folder: "packages/alpha", targets: ["lint", "build", "test"] };
const ran = (target: string, status = 0) => ({
  projectName: "alpha",
  target,
  status,
  hash: target,
});
const output = (task: { target: string }) => `\u001b[31mwhat ${task.target} printed\u001b[0m`;

async function writeResults(testResults: unknown, skips: object = {}): Promise<void> {
  const folder = join(root, project.folder, "test-results");
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, "vitest.json"), JSON.stringify({ testResults }));
  await writeFile(join(folder, "skips.json"), JSON.stringify(skips));
}

function testFile(...statuses: string[]) {
  const assertionResults = statuses.map((status, index) => ({
    status,
    fullName: `case ${index}`,
    failureMessages: status === "failed" ? ["expected 1 to be 2"] : [],
  }));
  const status = statuses.includes("failed") ? "failed" : "passed";
  return { name: "a.test.ts", status, message: "", assertionResults };
}

test("counts a check for each target and each test, and names the skipped with their reasons", async () => {
  await writeResults([testFile("passed", "passed"), testFile("passed", "skipped")], {
    "case 1": "needs a terminal",
  });
  const report = collectReport(root, [project], [ran("lint"), ran("build"), ran("test")], output);
  expect(report.failures).toEqual([]);
  expect(report.skips).toEqual([{ title: "alpha case 1", reason: "needs a terminal" }]);
  expect(closingLine(report)).toBe("5 passed, 0 failed, 1 skipped");
});

test("a failed check shows what it printed, without colors", async () => {
  await writeResults([testFile("passed")]);
  const report = collectReport(
    root,
    [project],
    [ran("lint", 1), ran("build"), ran("test")],
    output,
  );
  expect(report.failures).toEqual([{ title: "alpha lint", details: "what lint printed" }]);
  expect(closingLine(report)).toBe("2 passed, 1 failed");
});

test("a failed test shows its message", async () => {
  await writeResults([testFile("passed", "failed")]);
  const tasks = [ran("lint"), ran("build"), ran("test", 1)];
  const report = collectReport(root, [project], tasks, output);
  expect(report.failures).toEqual([{ title: "alpha case 1", details: "expected 1 to be 2" }]);
  expect(closingLine(report)).toBe("3 passed, 1 failed");
});

test.each([
  [
    "a file that could not be loaded",
    [{ ...testFile(), status: "failed", message: "no such module" }],
    1,
  ],
  ["a run that ended with an error outside the tests", [testFile("passed")], 1],
  ["a run without a test", [], 0],
])("%s is a failure", async (_, files, status) => {
  await writeResults(files);
  const tasks = [ran("lint"), ran("build"), ran("test", status)];
  const report = collectReport(root, [project], tasks, output);
  expect(report.failures).toHaveLength(1);
  expect(report.failed).toBe(1);
});

test("a run without a result file, and a target that never ran, are failures", () => {
  const report = collectReport(root, [project], [ran("lint"), ran("test", 1)], output);
  expect(report.failures.map((failure) => failure.title)).toEqual([
    "alpha build",
    "alpha test ended with an error",
  ]);
  expect(closingLine(report)).toBe("1 passed, 2 failed");
});

test("finds the packages, the examples and the scripts of this workspace", () => {
  const workspace = join(import.meta.dirname, "..", "..");
  const projects = findProjects(workspace);
  expect(projects.map((found) => found.name)).toContain("@implicit-rank/cli");
  expect(projects.find((found) => found.name === "workspace")?.targets).toEqual([
    "lint",
    "typecheck",
    "test",
  ]);
});
