import { spawn } from "node:child_process";
import { readdirSync } from "node:fs";
import { fileURLToPath } from "node:url";
import type { RawFlags } from "../src/index.ts";

const SCRIPT = fileURLToPath(new URL("child-run.ts", import.meta.url));

export interface Child {
  /** The run folder, once training has started. */
  readonly folder: Promise<string>;
  readonly ended: Promise<{
    code: number | null;
    signal: string | null;
    stderr: string;
    stdout: string;
  }>;
  kill(signal: NodeJS.Signals): void;
}

/** Starts a run, or resumes one, in a child process. */
export function startChild(command: "run" | "resume", argument: RawFlags | string): Child {
  const text = typeof argument === "string" ? argument : JSON.stringify(argument);
  const child = spawn(process.execPath, [SCRIPT, command, text], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let stdout = "";
  let stderr = "";
  child.stderr.on("data", (data: Buffer) => (stderr += data.toString()));
  const folder = new Promise<string>((resolve, reject) => {
    child.stdout.on("data", (data: Buffer) => {
      stdout += data.toString();
      const start = /^\{"event":"start".*\}$/m.exec(stdout)?.[0];
      if (start !== undefined) resolve((JSON.parse(start) as { folder: string }).folder);
    });
    child.on("close", () => reject(new Error(`the child ended before training: ${stderr}`)));
  });
  folder.catch(() => undefined);
  const ended = new Promise<Awaited<Child["ended"]>>((resolve) => {
    child.on("close", (code, signal) => resolve({ code, signal, stderr, stdout }));
  });
  return { folder, ended, kill: (signal) => child.kill(signal) };
}

export function delay(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Waits until a file whose name matches is in the folder; false if the child ends before. */
export async function waitForFile(folder: string, name: RegExp, child: Child): Promise<boolean> {
  let over = false;
  void child.ended.then(() => (over = true));
  while (!over) {
    try {
      if (readdirSync(folder).some((file) => name.test(file))) return true;
    } catch {
      // The folder is not there yet.
    }
    await new Promise(setImmediate);
  }
  return false;
}
