import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const bin = fileURLToPath(new URL("../../packages/cli/bin/implicit-rank.js", import.meta.url));

/** Compiled code is kept from process to process, which halves the start of each. */
const compileCache = mkdtempSync(join(tmpdir(), "reliability-code-"));
process.on("exit", () => rmSync(compileCache, { recursive: true, force: true }));

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export interface Started {
  readonly pid: number;
  readonly ended: Promise<Ended>;
  kill(signal: NodeJS.Signals): void;
}

/** Starts a command line (words without blanks) as a process of its own, in a folder. */
export function startCli(
  line: string,
  folder: string,
  options: {
    readonly env?: Readonly<Record<string, string>>;
    readonly preload?: URL;
    readonly uid?: number;
  } = {},
): Started {
  const { env = {}, preload, uid } = options;
  const child = spawn(process.execPath, [bin, ...line.split(/\s+/)], {
    cwd: folder,
    stdio: ["ignore", "pipe", "pipe"],
    env: {
      ...process.env,
      NODE_COMPILE_CACHE: compileCache,
      // Threads and processes that it starts load it too.
      NODE_OPTIONS: preload === undefined ? "" : `--import ${preload.href}`,
      ...env,
    },
    ...(uid === undefined ? {} : { uid, gid: uid }),
  });
  let stdout = "";
  let stderr = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => (stdout += text));
  child.stderr.setEncoding("utf8").on("data", (text: string) => (stderr += text));
  const ended = new Promise<Ended>((done, fail) => {
    child.on("error", fail);
    child.on("close", (code, signal) => done({ code, signal, stdout, stderr }));
  });
  return { pid: child.pid ?? -1, ended, kill: (signal) => child.kill(signal) };
}
