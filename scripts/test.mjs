// Everything that must hold before a change lands: lint, types, build, tests, packaging, examples.
// Ends with "N passed, N failed[, N skipped]" alone on the last line.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { stripVTControlCharacters } from "node:util";
import { requirePinnedNode } from "./pinned-node.mjs";
import { closingLine, collectReport, findProjects, targetsToCheck } from "./test-report.mjs";

requirePinnedNode("npm test");
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const cache = join(root, ".nx", "cache");
const logFile = join(root, ".nx", "test.log");
const projects = findProjects(root);

for (const project of projects) {
  rmSync(join(root, project.folder, "test-results"), { recursive: true, force: true });
}
rmSync(join(cache, "run.json"), { force: true });

const exitCode = await runAllTargets();
const report = collectReport(root, projects, readTasks(), readTaskOutput);
if (exitCode !== 0 && report.failed === 0) {
  report.failed += 1;
  report.failures.push({ title: `nx ended with exit code ${exitCode}`, details: readLog() });
}
printReport();
process.exitCode = report.failed === 0 && report.passed > 0 ? 0 : 1;

/** @returns {Promise<number>} */
function runAllTargets() {
  const nx = join(root, "node_modules", "nx", "dist", "bin", "nx.js");
  const args = ["run-many", "-t", ...targetsToCheck, "--nxBail=false", "--output-style=static"];
  const child = spawn(process.execPath, [nx, ...args], {
    cwd: root,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      NX_DAEMON: "false",
      NX_NO_CLOUD: "true",
      NX_TUI: "false",
      CI: "true",
      FORCE_COLOR: "0",
    },
  });
  let log = "";
  let line = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8");
    stream.on("data", (chunk) => {
      log += chunk;
      line += chunk;
      const lines = line.split("\n");
      line = lines.pop() ?? "";
      lines.forEach(printFinishedTask);
    });
  }
  return new Promise((resolve) => {
    child.on("error", (error) => {
      console.error(`nx could not be started: ${error.message}`);
      resolve(1);
    });
    child.on("close", (code) => {
      mkdirSync(dirname(logFile), { recursive: true });
      writeFileSync(logFile, stripVTControlCharacters(log));
      resolve(code ?? 1);
    });
  });
}

/** nx heads the output of each task, once it has ended, with "> nx run PROJECT:TARGET". */
function printFinishedTask(/** @type {string} */ line) {
  const task = /^> nx run (\S+):(\w+)(.*)$/.exec(stripVTControlCharacters(line).trim());
  if (task) console.log(`${task[2]} ${task[1]}${task[3]}`);
}

function readTasks() {
  const path = join(cache, "run.json");
  return existsSync(path) ? JSON.parse(readFileSync(path, "utf8")).tasks : [];
}

/** @param {{ hash?: string }} task */
function readTaskOutput(task) {
  const path = join(cache, "terminalOutputs", task.hash ?? "");
  return task.hash && existsSync(path) ? readFileSync(path, "utf8") : readLog();
}

function readLog() {
  return existsSync(logFile) ? readFileSync(logFile, "utf8") : "";
}

function printReport() {
  console.log("");
  const width = Math.max(...report.rows.map((row) => row.project.length));
  for (const row of report.rows) {
    const failed = row.failed > 0 ? `, ${row.failed} FAILED` : "";
    const skipped = row.skipped > 0 ? `, ${row.skipped} skipped` : "";
    const name = `${row.project.padEnd(width)}  ${row.target.padEnd(9)}`;
    console.log(`${name}  ${row.passed} passed${failed}${skipped}`);
  }
  for (const skip of report.skips)
    console.log(`\nskipped: ${skip.title}\n  because: ${skip.reason}`);
  for (const failure of report.failures) {
    console.log(`\nFAILED: ${failure.title}`);
    console.log(failure.details.replace(/^/gm, "  "));
  }
  console.log(`\n${closingLine(report)}`);
}
