export type { CommandDefinition, CommandEntry, FlagGroup, Operand } from "./command.ts";
export { commands } from "./commands/commands.ts";
export { findCommand } from "./commands/find-command.ts";
export { type CommandLine, readCommandLine } from "./flags/command-line.ts";
export { flagGroupsOf } from "./flags/flag-groups.ts";
export { isSwitch, valueName } from "./flags/flag-value.ts";
export { main } from "./main.ts";
export type { Streams } from "./output/output.ts";
