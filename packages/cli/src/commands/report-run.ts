import type { OutputStream, RunOptions, RunResult } from "@implicit-rank/experiment-kit";
import type { Output } from "../output/output.ts";
import { programName } from "../output/program-name.ts";
import { shellWord } from "../output/shell-word.ts";

/**
 * Where training prints: to stdout as lines or, on a terminal, as one line of progress; to stderr with
 * --json, whose stdout holds the result alone. --verbose keeps the lines on a terminal too.
 */
export function runOptions(output: Output): RunOptions {
  const stream = output.json ? process.stderr : process.stdout;
  return {
    ...(output.quiet ? { output: "quiet" as const } : {}),
    verbose: output.verbose,
    stdout: output.verbose ? withoutTerminal(stream) : stream,
    resumeCommand,
  };
}

export function resumeCommand(folder: string): string {
  return `${programName()} runs resume ${shellWord(folder)}`;
}

/** Prints how a run ended; returns the exit code. */
export function reportRun(result: RunResult, output: Output): number {
  const { folder, outcome, exitCode, score, scoreName, scoreEpoch, summary } = result;
  const next =
    exitCode === 130 ? resumeCommand(folder) : `${programName()} runs show ${shellWord(folder)}`;
  const value = {
    folder,
    outcome,
    exit_code: exitCode,
    score,
    score_name: scoreName,
    score_epoch: scoreEpoch,
    next,
    summary,
  };
  output.result(value, [`Next: ${next}`], folder);
  return exitCode;
}

function withoutTerminal(stream: NodeJS.WriteStream): OutputStream {
  return {
    write: (text) => stream.write(text),
    on: (event, listener) => stream.on(event, listener),
    off: (event, listener) => stream.off(event, listener),
  };
}
