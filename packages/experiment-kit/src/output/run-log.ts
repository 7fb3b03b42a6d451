import { closeSync, openSync, writeSync } from "node:fs";
import { fileError } from "../errors.ts";
import type { LogLevel, RunConsole } from "./console.ts";
import { formatLogTime } from "./format.ts";

/** The log of a run: `<UTC time> - <LEVEL> - <message>` to experiment.log and to the console. */
export interface RunLog {
  info(message: string): void;
  warning(message: string): void;
  error(message: string): void;
  /** To the file and, in a verbose run, to the console. */
  detail(message: string): void;
  /** An error that is thrown too: to the file only, since the one who catches it prints it. */
  failure(message: string): void;
  /** A line about an epoch: not to a terminal that shows a line of progress. */
  epoch(message: string): void;
  /** From now on (and with all lines so far) to this file. */
  open(path: string): void;
  close(): void;
}

/** A log that keeps its lines until `open`. A log file that cannot be written is given up with a warning. */
export function createRunLog(console: RunConsole, verbose = false): RunLog {
  let file: number | undefined;
  let pending = "";
  let path = "";

  const toFile = (text: string): void => {
    if (path === "") pending += `${text}\n`;
    if (file === undefined) return;
    try {
      writeSync(file, `${text}\n`);
    } catch (error) {
      closeSync(file);
      file = undefined;
      log("WARNING", `${fileError(path, "be written", error).message}; the log goes on without it`);
    }
  };
  const line = (level: LogLevel, message: string): string =>
    `${formatLogTime(new Date())} - ${level} - ${message}`;
  const log = (level: LogLevel, message: string): void => {
    const text = line(level, message);
    toFile(text);
    console.log(level, message, text);
  };
  return {
    info: (message) => log("INFO", message),
    warning: (message) => log("WARNING", message),
    error: (message) => log("ERROR", message),
    detail: (message) => (verbose ? log("INFO", message) : toFile(line("INFO", message))),
    failure: (message) => toFile(line("ERROR", message)),
    epoch(message) {
      const text = line("INFO", message);
      toFile(text);
      console.logEpoch(text);
    },
    open(target) {
      path = target;
      try {
        file = openSync(target, "a");
        writeSync(file, pending);
      } catch (error) {
        throw fileError(target, "be written", error);
      }
      pending = "";
    },
    close() {
      if (file !== undefined) closeSync(file);
      file = undefined;
    },
  };
}
