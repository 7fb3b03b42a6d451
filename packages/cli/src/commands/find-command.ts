import type { CommandEntry } from "../command.ts";
import { commands } from "./commands.ts";

/** The command that the first words of a command line name, the longest of several: `sweep status`, not `sweep`. */
export function findCommand(words: readonly string[]): CommandEntry | undefined {
  const matches = commands.filter(({ path }) => path.every((name, index) => words[index] === name));
  return matches.toSorted((a, b) => b.path.length - a.path.length)[0];
}
