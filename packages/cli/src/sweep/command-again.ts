import { programName } from "../output/program-name.ts";
import { shellWord } from "../output/shell-word.ts";

/** The command line of this process, to be typed again. */
export function commandAgain(): string {
  return [programName(), ...process.argv.slice(2).map(shellWord)].join(" ");
}
