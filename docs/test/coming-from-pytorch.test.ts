import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { findCommand, flagGroupsOf } from "@implicit-rank/cli";
import { beforeAll, expect, test } from "vitest";
import { root } from "./document/find-documents.ts";
import { defaultText } from "./flags/flag-default.ts";

/** Of every command. */
const outputFlags = ["json", "quiet", "verbose"];
const sharedTitle = "The flags of every `train` command";

interface Row {
  readonly flag: string;
  readonly there: string;
  readonly here: string;
  readonly difference: string;
}

/** Rows by the heading of their table. */
let tables: ReadonlyMap<string, readonly Row[]>;

beforeAll(async () => {
  const page = await readFile(join(root, "docs", "coming-from-pytorch.md"), "utf8");
  const sections = page.slice(page.indexOf("## Every flag")).split(/^### /m).slice(1);
  tables = new Map(sections.map((section) => [section.split("\n")[0]!, rowsOf(section)]));
});

function rowsOf(section: string): readonly Row[] {
  return [...section.matchAll(/^\| `--(\w+)` *\|(.*)\|(.*)\|(.*)\|$/gm)].map((match) => {
    const [flag, there, here, difference] = match.slice(1).map((cell) => cell.trim());
    return { flag: flag!, there: there!, here: here!, difference: difference! };
  });
}

/** Command and its rows: those of its own table and, of a train command, the shared ones. */
function rowsOfCommand(command: string): readonly Row[] {
  const [, own] = [...tables].find(([title]) => title.endsWith(`\`implicit-rank ${command}\``))!;
  return command.startsWith("train ") ? [...own, ...tables.get(sharedTitle)!] : own;
}

test.each([
  "data matrix",
  "data tensor",
  "data is-same",
  "data pathfinder-raw",
  "data pathfinder",
  "train mf",
  "train cp",
  "train ht",
  "train is-same",
  "train pathfinder",
  "plan run",
  "plot dynamics",
  "plot locality",
])("the table of %s has every flag, with its default", async (command) => {
  const rows = rowsOfCommand(command);
  const definition = await findCommand(command.split(" "))!.load();
  const flags = flagGroupsOf(definition)
    .flatMap((group) => group.flags)
    .filter(({ name }) => !outputFlags.includes(name));
  const names = flags.map(({ name }) => name);
  expect(rows.map(({ flag }) => flag).sort()).toEqual(names.sort());
  const shown = rows.map(({ flag, there, here }) => [flag, here === "same" ? there : here]);
  const real = flags.map((flag) => [flag.name, defaultText(flag)] as const);
  expect(Object.fromEntries(shown)).toEqual(Object.fromEntries(real));
});

test("what differs says how", () => {
  const silent = [...tables.values()]
    .flat()
    .filter(
      ({ there, here, difference }) => (there === "–" || here !== "same") && difference === "",
    );
  expect(silent).toEqual([]);
});
