import {
  type CommandDefinition,
  type CommandEntry,
  type FlagGroup,
  flagGroupsOf,
} from "@implicit-rank/cli";
import type { FlagInfo } from "@implicit-rank/experiment-kit";
import { format } from "prettier";
import { defaultText } from "./flag-default.ts";

const begin = "<!-- flags: made by docs/test/flags/write-flag-tables.ts -->";
const end = "<!-- end of flags -->";

/** The page of a command in docs/commands: `data-matrix.md`. */
export function pageOf({ path }: CommandEntry): string {
  return `${path.join("-")}.md`;
}

/**
 * A page with the tables of its command's flags between the two comments, as Prettier formats it.
 *
 * @throws Error if the comments are not there
 */
export async function withFlagTables(page: string, entry: CommandEntry): Promise<string> {
  const [first, last] = [page.indexOf(begin), page.indexOf(end)];
  if (first === -1 || last < first)
    throw new Error(`${pageOf(entry)}: lacks ${begin} with ${end} after it`);
  const tables = flagTables(await entry.load());
  const text = `${page.slice(0, first)}${begin}\n\n${tables}\n\n${page.slice(last)}`;
  return format(text, { parser: "markdown", printWidth: 100 });
}

function flagTables(definition: CommandDefinition): string {
  const aliases = Object.entries(definition.aliases ?? {});
  const aliasOf = new Map(aliases.map(([alias, name]) => [name, alias]));
  return flagGroupsOf(definition)
    .map((group) => `### ${group.title}\n\n${groupText(group, aliasOf)}`)
    .join("\n\n");
}

/** The flags of all kinds of experiments are in the pages of their own commands. */
function groupText(group: FlagGroup, aliasOf: ReadonlyMap<string, string>): string {
  if (group.title.startsWith("Train flags"))
    return "All flags of [train mf](train-mf.md), [cp](train-cp.md), [ht](train-ht.md), [is-same](train-is-same.md) and [pathfinder](train-pathfinder.md) but `--outputs_dir`.";
  const rows = group.flags.map((flag) => flagRow(flag, aliasOf.get(flag.name)));
  return ["| flag | takes | default | meaning |", "| --- | --- | --- | --- |", ...rows].join("\n");
}

function flagRow(flag: FlagInfo, alias: string | undefined): string {
  const name = [flag.name, ...(alias === undefined ? [] : [alias])];
  const names = name.map((word) => `\`--${word}\``).join(", ");
  return `| ${names} | ${takes(flag)} | ${defaultText(flag)} | ${escapeCell(flag.description)} |`;
}

function takes(flag: FlagInfo): string {
  const item =
    flag.choices?.map((choice) => `\`${choice.replaceAll("|", "\\|")}\``).join(", ") ??
    typeName(flag);
  if (flag.grouped) return `${item}; may be repeated`;
  return flag.repeatable ? `${item}, …` : item;
}

function typeName(flag: FlagInfo): string {
  if (flag.type !== "boolean")
    return { string: "text", number: "number", integer: "integer" }[flag.type];
  return flag.default === undefined ? "`true`, `false`" : "–";
}

/** What Markdown would take for a cell's end, HTML, emphasis or a formula. */
function escapeCell(text: string): string {
  return text.replaceAll("<", "&lt;").replaceAll(/[|*$]/g, "\\$&");
}
