import { listFlags, nearest, parseFlags } from "@implicit-rank/experiment-kit";
import type { CommandDefinition, CommandEntry, FlagGroup, TypedFlags } from "./command.ts";
import { commands } from "./commands/commands.ts";
import { commandOfCounterpart } from "./counterpartNames.ts";
import { describeError, UsageError } from "./errors.ts";
import { readCommandLine } from "./flags/commandLine.ts";
import { outputFlags } from "./flags/outputFlags.ts";
import { createOutput, type OutputOptions, type Streams } from "./output/output.ts";
import { commandHelp, overviewHelp } from "./help.ts";
import { version } from "./version.ts";

const outputGroup: FlagGroup = { title: "Output", flags: listFlags(outputFlags) };

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
  const entry = findEntry(words);
  if (entry === undefined) return printOverview(words, streams);
  const content = await entry.load();
  const rest = words.slice(entry.path.length);
  return runCommand(entry, content, rest, streams);
}

async function runCommand(
  entry: CommandEntry,
  content: CommandDefinition,
  args: readonly string[],
  streams: Streams,
): Promise<number> {
  const complete = { ...content, flagGroups: [...content.flagGroups, outputGroup] };
  const flags = complete.flagGroups.flatMap((group) => group.flags);
  const line = readCommandLine(args, flags, content.aliases);
  if (line.help) {
    streams.stdout.write(commandHelp(entry, complete));
    return 0;
  }
  checkOperands(entry, content, line.operands);
  const { output, rest } = splitFlags(line.flags);
  const invocation = {
    flags: rest,
    operands: line.operands,
    output: createOutput(streams, output),
  };
  return (await content.run(invocation)) ?? 0;
}

/** `implicit-rank --json runs list` is the same as `implicit-rank runs list --json`. */
function outputSwitchesLast(args: readonly string[]): readonly string[] {
  const isOutputSwitch = (word: string): boolean =>
    Object.keys(outputFlags.shape).some((name) => word === `--${name}`);
  const start = args.findIndex((word) => !isOutputSwitch(word));
  return start <= 0 ? args : [...args.slice(start), ...args.slice(0, start)];
}

function findEntry(words: readonly string[]): CommandEntry | undefined {
  return commands.find(({ path }) => path.every((name, index) => words[index] === name));
}

/** The help of the program or of a group; a name that does not exist gets a hint instead. */
function printOverview(words: readonly string[], streams: Streams): number {
  const names = words.filter((word) => !word.startsWith("-"));
  const asked = words.length === 0 || words.includes("--help") || words.includes("-h");
  const [group, name] = names;
  if (group === undefined) {
    if (!asked) throw new UsageError(`${words[0]}: give a command first, see implicit-rank --help`);
    streams.stdout.write(overviewHelp(commands));
    return 0;
  }
  const members = commands.filter(({ path }) => path[0] === group);
  if (members.length === 0) throw unknownCommand(group, "");
  if (name !== undefined) throw unknownCommand(name, group);
  (asked ? streams.stdout : streams.stderr).write(overviewHelp(commands, group));
  return asked ? 0 : 2;
}

function unknownCommand(word: string, group: string): UsageError {
  const same = commandOfCounterpart(word);
  if (same !== undefined) return new UsageError(`${word}: use: implicit-rank ${same}`);
  const known = commands
    .filter(({ path }) => group === "" || path[0] === group)
    .map(({ path }) => (group === "" ? path[0] : path[1]!));
  const similar = nearest(word, known);
  const hint = similar === undefined ? "" : `; did you mean ${[group, similar].join(" ").trim()}?`;
  const choices = similar === undefined ? `; choose one of ${[...new Set(known)].join(", ")}` : "";
  return new UsageError(`${word}: there is no such command${hint}${choices}`);
}

function checkOperands(
  entry: CommandEntry,
  content: CommandDefinition,
  operands: readonly string[],
): void {
  const expected = content.operands ?? [];
  const command = `implicit-rank ${entry.path.join(" ")}`;
  const missing = expected[operands.length];
  if (missing && !missing.optional) {
    throw new UsageError(
      `<${missing.name}>: is required (${missing.description}); see ${command} --help`,
    );
  }
  const surplus = operands[expected.length];
  if (surplus !== undefined) {
    throw new UsageError(`${surplus}: is not expected here; see ${command} --help`);
  }
}

function splitFlags(flags: TypedFlags): { output: OutputOptions; rest: TypedFlags } {
  const isOfOutput = ([name]: [string, unknown]): boolean => name in outputFlags.shape;
  const given = Object.entries(flags);
  return {
    output: parseFlags(outputFlags, Object.fromEntries(given.filter(isOfOutput))),
    rest: Object.fromEntries(given.filter((entry) => !isOfOutput(entry))),
  };
}
