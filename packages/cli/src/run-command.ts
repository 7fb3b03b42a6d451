import { parseFlags } from "@implicit-rank/experiment-kit";
import type { CommandDefinition, CommandEntry, TypedFlags } from "./command.ts";
import { UsageError } from "./errors.ts";
import { readCommandLine } from "./flags/command-line.ts";
import { flagGroupsOf } from "./flags/flag-groups.ts";
import { outputFlags } from "./flags/output-flags.ts";
import { createOutput, type OutputOptions, type Streams } from "./output/output.ts";

/**
 * Runs one command, or prints its help.
 *
 * @param args what was typed after the name of the command
 * @returns its exit code
 */
export async function runCommand(
  entry: CommandEntry,
  args: readonly string[],
  streams: Streams,
): Promise<number> {
  const definition = await entry.load();
  const complete = { ...definition, flagGroups: flagGroupsOf(definition) };
  const flags = complete.flagGroups.flatMap((group) => group.flags);
  const line = readCommandLine(args, flags, definition.aliases);
  if (line.help) {
    const { commandHelp } = await import("./help.ts");
    streams.stdout.write(commandHelp(entry, complete));
    return 0;
  }
  checkOperands(entry, definition, line.operands);
  const { output, rest } = splitFlags(line.flags);
  return definition.run({
    flags: rest,
    operands: line.operands,
    output: createOutput(streams, output),
  });
}

function checkOperands(
  entry: CommandEntry,
  definition: CommandDefinition,
  operands: readonly string[],
): void {
  const expected = definition.operands ?? [];
  const help = `see implicit-rank ${entry.path.join(" ")} --help`;
  const missing = expected[operands.length];
  if (missing && !missing.optional) {
    throw new UsageError(`<${missing.name}>: is required (${missing.description}); ${help}`);
  }
  if (expected.at(-1)?.variadic === true) return;
  const surplus = operands[expected.length];
  if (surplus !== undefined) throw new UsageError(`${surplus}: is not expected here; ${help}`);
}

function splitFlags(flags: TypedFlags): { output: OutputOptions; rest: TypedFlags } {
  const isOfOutput = ([name]: [string, unknown]): boolean => name in outputFlags.shape;
  const given = Object.entries(flags);
  return {
    output: parseFlags(outputFlags, Object.fromEntries(given.filter(isOfOutput))),
    rest: Object.fromEntries(given.filter((entry) => !isOfOutput(entry))),
  };
}
