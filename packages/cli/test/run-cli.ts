import { type ChildProcess, spawn, type SpawnOptions } from "node:child_process";
import { mkdtemp, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PassThrough } from "node:stream";
import { onTestFinished } from "vitest";
import { main } from "../src/main.ts";

/** The built program, as npm installs it. */
export const bin = join(import.meta.dirname, "..", "bin", "implicit-rank.js");

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** Starts the program; `ended` waits for its end. */
export function startCli(
  args: readonly string[],
  options: SpawnOptions = {},
): { readonly child: ChildProcess; readonly ended: Promise<Ended> } {
  const child = spawn(process.execPath, [bin, ...args], {
    stdio: ["ignore", "pipe", "pipe"],
    ...options,
  });
  let stdout = "";
  let stderr = "";
  child.stdout?.setEncoding("utf8").on("data", (text) => (stdout += text));
  child.stderr?.setEncoding("utf8").on("data", (text) => (stderr += text));
  const ended = new Promise<Ended>((resolve, reject) => {
    child.on("error", reject);
    child.on("close", (code, signal) => resolve({ code, signal, stdout, stderr }));
  });
  return { child, ended };
}

export function runCli(args: readonly string[], options?: SpawnOptions): Promise<Ended> {
  return startCli(args, options).ended;
}

/** What the program would print, without the start of a process. */
export async function callMain(args: readonly string[]): Promise<Omit<Ended, "signal">> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const code = await main(args, { stdout, stderr });
  const read = (stream: PassThrough): string => String(stream.read() ?? "");
  return { code, stdout: read(stdout), stderr: read(stderr) };
}

/** Runs the program, which must succeed, with --json; returns what it printed. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any -- tests look into whatever JSON it is
export async function runJson(args: readonly string[], options?: SpawnOptions): Promise<any> {
  const { code, stdout, stderr } = await runCli([...args, "--json"], options);
  if (code !== 0) throw new Error(`exit code ${code}: ${stderr}`);
  return JSON.parse(stdout);
}

/** A new empty folder, with a space in its path. */
export async function newFolder(): Promise<string> {
  return realpath(await mkdtemp(join(tmpdir(), "implicit-rank cli ")));
}

export async function removeFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true });
}

/** A new empty folder that is removed after the test. */
export async function scratchFolder(): Promise<string> {
  const folder = await newFolder();
  onTestFinished(() => removeFolder(folder));
  return folder;
}

/** Flags for data sets that are made and trained on in no time. */
export const tinyMatrix = [
  "--num_rows",
  "6",
  "--num_cols",
  "5",
  "--rank",
  "2",
  "--num_samples",
  "30",
];
export const tinyTensor = ["--order", "3", "--mode_dim_size", "4", "--num_samples", "64"];

/** Makes a tiny data set in a folder; returns its path. */
export async function makeDataset(
  cwd: string,
  kind: "matrix" | "tensor",
  flags: readonly string[] = [],
): Promise<string> {
  const tiny = kind === "matrix" ? tinyMatrix : tinyTensor;
  const made = await runJson(["data", kind, ...tiny, "--seed", "7", ...flags], { cwd });
  return join(cwd, made.path);
}
