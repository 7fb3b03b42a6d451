// Installs what package-lock.json names, unless node_modules already holds exactly that.
// Runs on any Node from 20 up: the pinned Node 24 is itself one of the things installed.
import { spawnSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const root = dirname(dirname(fileURLToPath(import.meta.url)));

const major = Number(process.versions.node.split(".")[0]);
if (major < 20) {
  fail(
    `Node ${process.versions.node} is too old: implicit-rank needs Node 20 or newer to install.`,
  );
}

const reason = whyInstall();
if (reason) {
  console.error(`Installing the dependencies (${reason}); this takes about a minute …`);
  installFromLockfile();
}

/**
 * npm writes node_modules/.package-lock.json last, once everything else is in place, so it tells
 * both that an install ended well and what it installed. Times of files are not compared: a fresh
 * checkout has new times and old contents.
 *
 * @returns {string | undefined} why an install is needed, or undefined
 */
function whyInstall() {
  const installedPath = join(root, "node_modules", ".package-lock.json");
  if (!existsSync(installedPath)) return "nothing is installed yet";
  const wanted = readPackages(join(root, "package-lock.json"));
  const installed = readPackages(installedPath);
  for (const [location, entry] of Object.entries(wanted)) {
    if (!location.includes("node_modules/") || entry.optional) continue;
    const found = installed[location];
    if (!found) return `${location} is missing`;
    if (found.version !== entry.version) {
      return `${location} is ${found.version}, package-lock.json says ${entry.version}`;
    }
  }
  if (!existsSync(join(root, "node_modules", "node", "package.json"))) return "Node 24 is missing";
  return undefined;
}

/**
 * @param {string} path
 * @returns {Record<string, { version?: string; optional?: boolean }>}
 */
function readPackages(path) {
  try {
    return JSON.parse(readFileSync(path, "utf8")).packages ?? {};
  } catch (error) {
    return fail(`${path}: cannot be read (${error instanceof Error ? error.message : error}).`);
  }
}

function installFromLockfile() {
  const npm = npmCommand();
  const result = spawnSync(npm.command, [...npm.args, "ci", "--loglevel=error", "--no-progress"], {
    cwd: root,
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
    shell: npm.shell,
    maxBuffer: 64 * 1024 * 1024,
  });
  if (result.status === 0) return;
  const output = `${result.stdout ?? ""}${result.stderr ?? ""}`.trim().split("\n").slice(-25);
  console.error(output.join("\n"));
  fail(
    result.error
      ? `npm could not be started (${result.error.message}): install npm 10 or newer.`
      : `"npm ci" failed with exit code ${result.status}: see the lines above. Check the connection to the npm registry, then run the same command again.`,
  );
}

/** The npm that started this script, or the one on PATH when it was started by hand. */
function npmCommand() {
  const npmCli = process.env.npm_execpath;
  if (npmCli && /npm-cli\.[cm]?js$/.test(npmCli) && existsSync(npmCli)) {
    return { command: process.execPath, args: [npmCli], shell: false };
  }
  return { command: "npm", args: [], shell: process.platform === "win32" };
}

/**
 * @param {string} message
 * @returns {never}
 */
function fail(message) {
  console.error(message);
  process.exit(1);
}
