import { Command, type Help, Option } from "commander";
import type { FlagInfo } from "@implicit-rank/experiment-kit";
import type { CommandDefinition, CommandEntry } from "./command.ts";
import { isSwitch, valueName } from "./flags/flag-value.ts";

const introduction = `Trains over-parameterized factorizations by gradient descent and records how their ranks grow.

Start with: implicit-rank demo`;

/** Longer flags have their description on the next line. */
const widestTerm = 34;

const helpOption = (): Option => new Option("-h, --help", "print this help");

/** The help of the program, or of one group of commands: what commands there are. */
export function overviewHelp(entries: readonly CommandEntry[], group?: string): string {
  const name = group === undefined ? "implicit-rank" : `implicit-rank ${group}`;
  const program = new Command(name).addHelpOption(helpOption()).usage("<command> [options]");
  if (group === undefined) {
    program.description(introduction).option("-V, --version", "print the version");
    program.usage("<group> <command> [options]");
  }
  for (const { path, summary } of entries) {
    if (group !== undefined && path[0] !== group) continue;
    const words = group === undefined ? path : path.slice(1);
    program.addCommand(new Command(words.join(" ")).summary(summary).usage(""));
  }
  const command = group === undefined ? "<group> <command>" : `${group} <command>`;
  return `${render(program)}\nFlags and an example of each command: implicit-rank ${command} --help\n`;
}

/** The help of one command: every flag with its default, and examples. */
export function commandHelp(entry: CommandEntry, content: CommandDefinition): string {
  const command = new Command(`implicit-rank ${entry.path.join(" ")}`)
    .description(content.description)
    .addHelpOption(
      helpOption().helpGroup(headingOf(content.flagGroups.at(-1)?.title ?? "Options")),
    );
  for (const { name, description, optional, variadic } of content.operands ?? []) {
    const word = variadic ? `${name}...` : name;
    command.argument(optional ? `[${word}]` : `<${word}>`, description);
  }
  const aliases = Object.entries(content.aliases ?? {});
  const aliasOf = new Map(aliases.map(([alias, name]) => [name, alias]));
  for (const { title, flags } of content.flagGroups) {
    for (const flag of flags) {
      command.addOption(optionOf(flag, aliasOf.get(flag.name)).helpGroup(headingOf(title)));
    }
  }
  const examples = content.examples.map((example) => `  ${example}\n`).join("");
  return `${render(command)}\n${content.examples.length > 1 ? "Examples" : "Example"}:\n${examples}`;
}

const headingOf = (title: string): string => `${title}:`;

function render(command: Command): string {
  command.helpCommand(false).configureHelp({
    padWidth: (shown, helper) => Math.min(widestTerm, widestOf(shown, helper)),
    formatItem: (term, width, description, helper) => formatItem(term, width, description, helper),
  });
  return command.helpInformation();
}

function widestOf(command: Command, helper: Help): number {
  return Math.max(
    helper.longestOptionTermLength(command, helper),
    helper.longestSubcommandTermLength(command, helper),
    helper.longestArgumentTermLength(command, helper),
  );
}

function formatItem(term: string, width: number, description: string, helper: Help): string {
  const indent = " ".repeat(width + 4);
  const wrapped = helper.boxWrap(description, (helper.helpWidth ?? 80) - width - 4);
  const lines = wrapped.replaceAll("\n", `\n${indent}`);
  const first = term.length > width ? `${term}\n${indent}` : term.padEnd(width + 2);
  return `  ${first}${lines}`;
}

function optionOf(flag: FlagInfo, alias: string | undefined): Option {
  const choices = flag.choices?.join("|") ?? "";
  const isLong = choices.length > 25;
  const value = isLong ? "choice" : valueName(flag);
  const suffix = flag.repeatable ? "..." : "";
  const isBareSwitch = isSwitch(flag) && flag.default !== undefined;
  const notes = [
    isLong ? choices : undefined,
    alias === undefined ? undefined : `alias --${alias}`,
    flag.required ? "required" : undefined,
    defaultNote(flag.default),
  ].filter((note) => note !== undefined);
  const description =
    notes.length > 0 ? `${flag.description} (${notes.join("; ")})` : flag.description;
  return new Option(`--${flag.name}${isBareSwitch ? "" : ` <${value}${suffix}>`}`, description);
}

function defaultNote(value: unknown): string | undefined {
  if (value === undefined || value === null || value === false || value === "") return undefined;
  if (Array.isArray(value)) return value.length === 0 ? undefined : `default: ${value.join(" ")}`;
  return `default: ${typeof value === "number" ? readable(value) : String(value)}`;
}

/** 5e-5 rather than 0.00005. */
function readable(value: number): string {
  const plain = String(value);
  return value !== 0 && Math.abs(value) < 1e-3 ? value.toExponential() : plain;
}
