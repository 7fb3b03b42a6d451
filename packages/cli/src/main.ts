import { commands } from "./commands/commands.ts";
import { findCommand } from "./commands/find-command.ts";
import { commandOfCounterpart } from "./counterpart-names.ts";
import { describeError, UsageError } from "./errors.ts";
import type { Streams } from "./output/output.ts";
import { version } from "./version.ts";

const outputSwitches = ["--json", "--quiet", "--verbose"];

/**
 * Runs one command line (without the name of the program) and returns its exit code: 0 done, 1 failed,
 * 2 wrong use, 130 interrupted with a checkpoint saved. Never throws: errors are printed to stderr.
 */
export async function main(args: readonly string[], streams: Streams = process): Promise<number> {
  try {
    return await dispatch(args, streams);
  } catch (error) {
    streams.stderr.write(`${describeError(error)}\n`);
    return error instanceof Error && "exitCode" in error && error.exitCode === 2 ? 2 : 1;
  }
}

async function dispatch(args: readonly string[], streams: Streams): Promise<number> {
  const words = outputSwitchesLast(args);
  const [first] = words;
  if (first === "--version" || first === "-V") {
    streams.stdout.write(`${version}\n`);
    return 0;
  }
  if (first === "help") return dispatch([...words.slice(1), "--help"], streams);
  const entry = findCommand(words);
  if (entry === undefined) return showOverview(words, streams);
  // Flags are parsed by packages that take a while to load, which the overview need not wait for.
  const { runCommand } = await import("./run-command.ts");
  return runCommand(entry, words.slice(entry.path.length), streams);
}

/** `implicit-rank --json runs list` is the same as `implicit-rank runs list --json`. */
function outputSwitchesLast(args: readonly string[]): readonly string[] {
  const start = args.findIndex((word) => !outputSwitches.includes(word));
  return start <= 0 ? args : [...args.slice(start), ...args.slice(0, start)];
}

/** The list of commands, all or of a group; a name that does not exist gets a hint instead. */
async function showOverview(words: readonly string[], streams: Streams): Promise<number> {
  const [group, name] = words.filter((word) => !word.startsWith("-"));
  const asked = words.length === 0 || words.includes("--help") || words.includes("-h");
  if (words[0]?.startsWith("-") && !asked) {
    throw new UsageError(`${words[0]}: give a command first, see implicit-rank --help`);
  }
  if (group !== undefined && !commands.some(({ path }) => path[0] === group)) {
    throw await unknownCommand(group);
  }
  if (group !== undefined && name !== undefined) throw await unknownCommand(name, group);
  const { overviewHelp } = await import("./help.ts");
  (asked ? streams.stdout : streams.stderr).write(overviewHelp(commands, group));
  return asked ? 0 : 2;
}

async function unknownCommand(word: string, group?: string): Promise<UsageError> {
  const same = commandOfCounterpart(word);
  if (same !== undefined) return new UsageError(`${word}: use: implicit-rank ${same}`);
  const { nearest } = await import("@implicit-rank/experiment-kit");
  const members = commands.filter(({ path }) => group === undefined || path[0] === group);
  const names = members.map(({ path }) => (group === undefined ? path[0] : path[1]!));
  const similar = nearest(word, names);
  const hint =
    similar === undefined
      ? `choose one of ${[...new Set(names)].join(", ")}`
      : `did you mean ${[group, similar].filter((part) => part !== undefined).join(" ")}?`;
  return new UsageError(`${word}: there is no such command; ${hint}`);
}
