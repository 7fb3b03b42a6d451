import { findCommand, flagGroupsOf, readCommandLine } from "@implicit-rank/cli";
import {
  type Experiment,
  expandGrid,
  type FlagInfo,
  parseFlags,
} from "@implicit-rank/experiment-kit";
import type { TypedValue } from "@implicit-rank/experiment-kit";
import { localityBiasExperiments } from "@implicit-rank/locality-bias/experiment";
import { factorizationExperiments } from "@implicit-rank/tensor-factorization/experiment";
import { z } from "zod";

/** What a line begins with that says what is wrong with a command line that is checked only. */
export const refusal = "refused: ";

/**
 * Parses a command line as the program would, without running it.
 *
 * @throws Error for a command or flag that does not exist, a value of the wrong type or none, a missing
 * flag or argument; in a sweep also for a value that the flag's own check refuses.
 */
export async function checkCommandLine(args: readonly string[]): Promise<void> {
  if (/^(-h|--help|-V|--version|help)$/.test(args[0] ?? "")) return;
  const entry = findCommand(args);
  if (entry === undefined) throw new Error(`${args.join(" ")}: there is no such command`);
  const definition = await entry.load();
  const groups = flagGroupsOf(definition);
  const flags = groups.flatMap((group) => group.flags);
  const line = readCommandLine(args.slice(entry.path.length), flags, definition.aliases);
  if (line.help) return;
  const operands = definition.operands ?? [];
  const least = operands.filter(({ optional }) => optional !== true).length;
  const most = operands.at(-1)?.variadic === true ? Infinity : operands.length;
  if (line.operands.length < least || line.operands.length > most)
    throw new Error(
      `${args.join(" ")}: ${line.operands.length} arguments, not ${least} to ${most}`,
    );
  const gridTitle = "Train flags, each with one value or several";
  const grid = groups.find(({ title }) => title === gridTitle)?.flags ?? [];
  const inGrid = new Set(grid.map(({ name }) => name));
  const single = flags.filter(({ name }) => !inGrid.has(name));
  checkValues(
    single,
    pick(line.flags, (name) => !inGrid.has(name)),
  );
  if (inGrid.size > 0)
    checkGrid(
      line.operands[0]!,
      pick(line.flags, (name) => inGrid.has(name)),
    );
}

function pick<Value>(
  values: Readonly<Record<string, Value>>,
  isWanted: (name: string) => boolean,
): Readonly<Record<string, Value>> {
  return Object.fromEntries(Object.entries(values).filter(([name]) => isWanted(name)));
}

function checkValues(flags: readonly FlagInfo[], typed: Readonly<Record<string, unknown>>): void {
  parseFlags(z.object(Object.fromEntries(flags.map((flag) => [flag.name, fieldOf(flag)]))), typed);
}

/** What a flag takes, as far as it is known without running the command. */
function fieldOf(flag: FlagInfo): z.ZodType {
  const item = flag.choices ? z.enum(flag.choices) : scalars[flag.type]();
  const field = flag.repeatable ? z.array(item) : item;
  return flag.required ? field : field.optional();
}

const scalars = {
  string: () => z.string(),
  number: () => z.number(),
  integer: () => z.int(),
  boolean: () => z.boolean(),
};

const unused = (): never => {
  throw new Error("a grid is expanded without loading or training anything");
};
const experiments = [
  ...factorizationExperiments(unused),
  ...localityBiasExperiments({ loadIsSame: unused, loadPathfinder: unused, startBackend: unused }),
] as readonly Experiment[];

function checkGrid(kinds: string, typed: Readonly<Record<string, TypedValue>>): void {
  const chosen = kinds.split(",").map((kind) => {
    const experiment = experiments.find(({ name }) => name === kind);
    if (experiment === undefined) throw new Error(`${kind}: is no kind of experiment`);
    return experiment;
  });
  expandGrid(chosen, typed, { folder: "." });
}
