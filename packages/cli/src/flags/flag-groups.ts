import { listFlags } from "@implicit-rank/experiment-kit";
import type { CommandDefinition, FlagGroup } from "../command.ts";
import { outputFlags } from "./output-flags.ts";

const outputGroup: FlagGroup = { title: "Output", flags: listFlags(outputFlags) };

/** All flags of a command under their headings: its own, and those that every command takes. */
export function flagGroupsOf(definition: CommandDefinition): readonly FlagGroup[] {
  return [...definition.flagGroups, outputGroup];
}
