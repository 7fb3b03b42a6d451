import { spawn } from "node:child_process";

export interface ShellResult {
  readonly code: number;
  /** What was printed, to stdout and stderr. */
  readonly output: string;
}

export interface ShellOptions {
  readonly folder: string;
  readonly environment: NodeJS.ProcessEnv;
  /** Whether the first command that fails ends it. */
  readonly strict: boolean;
  /** Send SIGINT to its foreground command once this is printed. */
  readonly interruptAt?: string;
}

/** Runs a block of commands in bash. */
export async function runShell(code: string, options: ShellOptions): Promise<ShellResult> {
  const { folder, environment, strict, interruptAt } = options;
  const switches = strict ? ["-euo", "pipefail"] : [];
  const child = spawn("/bin/bash", [...switches, "-c", `exec 2>&1\n${code}`], {
    cwd: folder,
    env: environment,
    stdio: ["ignore", "pipe", "inherit"],
    // A group of its own, as a terminal has one for Ctrl-C.
    detached: true,
  });
  let output = "";
  let isInterrupted = interruptAt === undefined;
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    output += text;
    if (isInterrupted || !output.includes(interruptAt!)) return;
    isInterrupted = true;
    process.kill(-child.pid!, "SIGINT");
  });
  const exit = await new Promise<number>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (status, signal) => resolve(status ?? (signal === "SIGINT" ? 130 : 1)));
  });
  if (!isInterrupted) throw new Error(`"${interruptAt}" was never printed:\n${output}`);
  return { code: exit, output };
}
