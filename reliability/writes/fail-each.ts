import { cp, rm } from "node:fs/promises";
import { join } from "node:path";
import { callCli } from "../programs/call-cli.ts";
import { type FaultCode, failWrite } from "./failing-write.ts";
import { brokenFiles, filesBelow, isUnfinished } from "../programs/whole-files.ts";

/** A command that writes, tried with every one of its writes failing in turn. */
export interface WritingCommand {
  readonly name: string;
  /** A folder with all that the command needs; it works in a copy. */
  readonly prepared: string;
  readonly command: string;
  /** What goes on with it once there is space; default: the command itself. */
  again?(folder: string): Promise<string | undefined>;
  /** What must be the same in the end, with or without the failure. */
  result?(folder: string): Promise<unknown>;
}

export interface FailureTally {
  readonly name: string;
  /** Calls that failed in turn. */
  readonly calls: number;
  readonly failures: number;
  /** The command did without what the call was for. */
  readonly survived: number;
}

/**
 * Runs a command once for each of its writing calls, which fails, and checks each time: it ends with one
 * line and exit code 1 (or does without), nothing is half-written, and it can be done again afterwards.
 *
 * @returns what is wrong, with the call that failed, and how often it was tried.
 */
export async function failEachWrite(
  tried: WritingCommand,
  scratch: string,
  codes: readonly FaultCode[],
): Promise<{ readonly tally: FailureTally; readonly problems: readonly string[] }> {
  const problems: string[] = [];
  const tally = { name: tried.name, calls: 0, failures: 0, survived: 0 };
  const whole = await finish(tried, join(scratch, "whole"));
  if (typeof whole === "string") return { tally, problems: [whole] };
  for (let at = 0; ; at++) {
    const code = codes[at % codes.length]!;
    const folder = join(scratch, "tried");
    await cp(tried.prepared, folder, { recursive: true });
    const fault = await failWrite(folder, at, code);
    const answer = await callCli(tried.command, folder).finally(() => fault.restore());
    const complain = (problem: string): void =>
      void problems.push(`${tried.name}, ${code} at call ${at} (${fault.struck}): ${problem}`);
    if (fault.struck === undefined) {
      if (answer.code !== 0) complain(`exit code ${answer.code}: ${answer.stderr}`);
      await rm(folder, { recursive: true });
      break;
    }
    tally.calls++;
    if (answer.code === 0) tally.survived++;
    else {
      tally.failures++;
      const problem = problemOfAnswer(answer, code);
      if (problem !== undefined) complain(problem);
    }
    for (const broken of await brokenFiles(folder)) complain(`half-written: ${broken}`);
    const left = (await filesBelow(folder)).filter(isUnfinished);
    if (left.length > 0) complain(`left behind: ${left.join(", ")}`);
    const again = await finishAgain(tried, folder);
    if (again.problem !== undefined) complain(`again: ${again.problem}`);
    else if (JSON.stringify(again.result) !== JSON.stringify(whole.result))
      complain(`another result: ${firstDifference(again.result, whole.result)}`);
    await rm(folder, { recursive: true });
  }
  return { tally, problems };
}

function firstDifference(given: unknown, expected: unknown): string {
  const [a, b] = [JSON.stringify(given) ?? "", JSON.stringify(expected) ?? ""];
  let at = 0;
  while (at < a.length && a[at] === b[at]) at++;
  const around = (text: string): string => text.slice(Math.max(0, at - 60), at + 60);
  return `${around(a)} instead of ${around(b)}`;
}

/** One line that names the file and what to do. */
function problemOfAnswer(
  { code, stderr }: { readonly code: number; readonly stderr: string },
  fault: FaultCode,
): string | undefined {
  if (/This should not happen/.test(stderr)) return stderr;
  const errors = stderr.split("\n").filter((line) => line.startsWith("error: "));
  if (errors.length !== 1 || !stderr.endsWith(`${errors[0]!}\n`)) return `not one line: ${stderr}`;
  if (code !== 1 && fault !== "EROFS") return `exit code ${code}: ${stderr}`;
  if (!/; /.test(errors[0]!)) return `no remedy: ${stderr}`;
  return undefined;
}

async function finish(tried: WritingCommand, folder: string) {
  await cp(tried.prepared, folder, { recursive: true });
  const { code, stderr } = await callCli(tried.command, folder);
  if (code !== 0) return `${tried.name}: fails without a fault: ${stderr}`;
  const result = await tried.result?.(folder);
  await rm(folder, { recursive: true });
  return { result };
}

async function finishAgain(
  tried: WritingCommand,
  folder: string,
): Promise<{ readonly problem?: string; readonly result?: unknown }> {
  const command = tried.again === undefined ? tried.command : await tried.again(folder);
  if (command !== undefined) {
    const { code, stderr } = await callCli(command, folder);
    if (code !== 0) return { problem: `${command}: exit code ${code}: ${stderr}` };
  }
  return { result: await tried.result?.(folder) };
}
