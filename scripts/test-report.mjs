// Turns what nx and Vitest leave behind into counts, failures and skips. Lint, typecheck and build
// of a project count as one check each; every Vitest test counts as one.
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { stripVTControlCharacters } from "node:util";

/** @typedef {{ name: string; folder: string; targets: string[] }} Project */
/** @typedef {{ title: string; details: string }} Failure */
/** @typedef {{ title: string; reason: string }} Skip */
/** @typedef {{ project: string; target: string; passed: number; failed: number; skipped: number }} Row */
/** @typedef {{ rows: Row[]; failures: Failure[]; skips: Skip[]; passed: number; failed: number }} Report */
/** @typedef {{ projectName: string; target: string; hash?: string; status: number }} TaskRun */
/** @typedef {{ status: string; fullName: string; failureMessages: string[] }} TestRun */
/** @typedef {{ name: string; status: string; message: string; assertionResults: TestRun[] }} TestFile */

export const targetsToCheck = ["lint", "typecheck", "build", "test"];

/**
 * The projects of the workspace and which of the checked targets each has.
 *
 * @param {string} root
 * @returns {Project[]}
 */
export function findProjects(root) {
  const folders = readdirSync(join(root, "packages")).map((name) => join("packages", name));
  return [...folders, "docs", "examples", "reliability", "scripts"].flatMap((folder) => {
    const packageFile = join(root, folder, "package.json");
    const projectFile = join(root, folder, "project.json");
    const file = existsSync(packageFile) ? packageFile : projectFile;
    if (!existsSync(file)) return [];
    const { name, scripts, targets } = JSON.parse(readFileSync(file, "utf8"));
    const own = Object.keys(scripts ?? targets ?? {});
    return [{ name, folder, targets: targetsToCheck.filter((target) => own.includes(target)) }];
  });
}

/**
 * @param {string} root
 * @param {Project[]} projects
 * @param {TaskRun[]} tasks  as nx records them
 * @param {(task: TaskRun) => string} outputOf  what a task printed
 * @returns {Report}
 */
export function collectReport(root, projects, tasks, outputOf) {
  /** @type {Report} */
  const report = { rows: [], failures: [], skips: [], passed: 0, failed: 0 };
  for (const project of projects) {
    for (const target of project.targets) {
      const task = tasks.find((run) => run.projectName === project.name && run.target === target);
      const row = { project: project.name, target, passed: 0, failed: 0, skipped: 0 };
      if (!task) addMissingTask(row, report);
      else if (target === "test") addTests(join(root, project.folder), row, report, task, outputOf);
      else addCheck(row, report, task, outputOf);
      report.rows.push(row);
      report.passed += row.passed;
      report.failed += row.failed;
    }
  }
  return report;
}

/** The last line of the output, in the form that continuous integration reads. */
export function closingLine(/** @type {Report} */ report) {
  const counts = `${report.passed} passed, ${report.failed} failed`;
  return report.skips.length > 0 ? `${counts}, ${report.skips.length} skipped` : counts;
}

/** @param {Row} row @param {Report} report */
function addMissingTask(row, report) {
  row.failed = 1;
  report.failures.push({
    title: `${row.project} ${row.target}`,
    details: "It did not run, because something that it depends on failed.",
  });
}

/** @param {Row} row @param {Report} report @param {TaskRun} task @param {(task: TaskRun) => string} outputOf */
function addCheck(row, report, task, outputOf) {
  if (task.status === 0) {
    row.passed = 1;
    return;
  }
  row.failed = 1;
  report.failures.push({ title: `${row.project} ${row.target}`, details: legible(outputOf(task)) });
}

/** @param {string} folder @param {Row} row @param {Report} report @param {TaskRun} task @param {(task: TaskRun) => string} outputOf */
function addTests(folder, row, report, task, outputOf) {
  const files = readTestFiles(folder);
  for (const file of files) {
    const failedTests = file.assertionResults.filter((test) => test.status === "failed");
    row.passed += file.assertionResults.filter((test) => test.status === "passed").length;
    row.failed += failedTests.length;
    for (const test of failedTests) {
      const title = `${row.project} ${test.fullName}`;
      report.failures.push({ title, details: legible(test.failureMessages.join("\n")) });
    }
    if (file.status === "failed" && failedTests.length === 0) {
      row.failed += 1;
      report.failures.push({
        title: `${row.project} ${file.name}`,
        details: legible(file.message),
      });
    }
    addSkips(folder, file, row, report);
  }
  if (row.failed === 0 && (task.status !== 0 || row.passed === 0)) {
    row.failed = 1;
    const title = `${row.project} test ${task.status === 0 ? "ran no test" : "ended with an error"}`;
    report.failures.push({ title, details: legible(outputOf(task)) });
  }
}

/** @param {string} folder @param {TestFile} file @param {Row} row @param {Report} report */
function addSkips(folder, file, row, report) {
  const reasons = readJson(join(folder, "test-results", "skips.json")) ?? {};
  for (const test of file.assertionResults) {
    if (test.status === "passed" || test.status === "failed") continue;
    row.skipped += 1;
    const reason = reasons[test.fullName] ?? "no reason given";
    report.skips.push({ title: `${row.project} ${test.fullName}`, reason });
  }
}

/** @param {string} folder @returns {TestFile[]} */
function readTestFiles(folder) {
  return readJson(join(folder, "test-results", "vitest.json"))?.testResults ?? [];
}

/** @param {string} path */
function readJson(path) {
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")) : undefined;
}

/** Colors off, and no more lines than a person reads. */
function legible(/** @type {string} */ text) {
  const lines = stripVTControlCharacters(text).trim().split("\n");
  const longest = 60;
  if (lines.length <= longest) return lines.join("\n");
  return [...lines.slice(0, longest), `… and ${lines.length - longest} more lines`].join("\n");
}
