/**
 * The command line as a function, and what it knows of its commands: for tests, for documentation, and
 * for programs that offer it under another name.
 *
 * ```ts
 * import { main } from "@implicit-rank/cli";
 *
 * process.exitCode = await main(["runs", "list"]);
 * ```
 *
 * @module
 */

export type {
  CommandDefinition,
  CommandEntry,
  FlagGroup,
  Invocation,
  Operand,
  TypedFlags,
} from "./command.ts";
export { commands } from "./commands/commands.ts";
export { findCommand } from "./commands/find-command.ts";
export { type CommandLine, readCommandLine } from "./flags/command-line.ts";
export { flagGroupsOf } from "./flags/flag-groups.ts";
export { isSwitch, valueName } from "./flags/flag-value.ts";
export { main } from "./main.ts";
export type { Output, OutputOptions, Streams, TextSink } from "./output/output.ts";
