import { PassThrough } from "node:stream";
import { main } from "@implicit-rank/cli";

/** What the command line answered. */
export interface Answer {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** A process has one current folder: commands in this one wait for one another. */
let queue: Promise<unknown> = Promise.resolve();

/** Runs a command line (words without blanks) in this process, in a folder. */
export function callCli(line: string, folder: string): Promise<Answer> {
  const answer = queue.then(() => callInFolder(line, folder));
  queue = answer.catch(() => undefined);
  return answer;
}

async function callInFolder(line: string, folder: string): Promise<Answer> {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const before = process.cwd();
  process.chdir(folder);
  try {
    const code = await main(line.split(/\s+/), { stdout, stderr });
    const read = (stream: PassThrough): string => String(stream.read() ?? "");
    return { code, stdout: read(stdout), stderr: read(stderr) };
  } finally {
    process.chdir(before);
  }
}

/** The same, for a command that must succeed. */
export async function doCli(line: string, folder: string): Promise<string> {
  const { code, stdout, stderr } = await callCli(line, folder);
  if (code !== 0) throw new Error(`implicit-rank ${line}: exit code ${code}: ${stderr}`);
  return stdout;
}
