import { join } from "node:path";
import { commands, findCommand, flagGroupsOf } from "@implicit-rank/cli";
import { describe, expect, test } from "vitest";
import { findDocuments, root } from "./document/find-documents.ts";
import { readDocument } from "./document/read-document.ts";

const definitions = await Promise.all(commands.map((entry) => entry.load()));
const flags = new Set([
  ...["seed", "help", "version"],
  ...definitions
    .flatMap((definition) => flagGroupsOf(definition).flatMap(({ flags }) => flags))
    .map(({ name }) => name),
]);

/** Flags of other programs, where the text does not name the program in the same place. */
const others: Readonly<Record<string, string>> = {
  "ignore-scripts": "npm",
  concurrency: "Stryker",
  timeoutMS: "Stryker",
  width: "benchmarks/resnet.ts",
  size: "benchmarks/resnet.ts",
  batch: "benchmarks/resnet.ts",
  flag: "README.md of the documents' test: any flag",
  flags: "README.md of the documents' test: any flags",
};
const otherPrograms = /^(npm|npx (?!implicit-rank)|node|python3?|tensorboard|tsc|ssh|git|sbatch) /;

const pages = await Promise.all(
  (await findDocuments()).map(async (name) => {
    const { inlineCode } = await readDocument(join(root, name), name);
    return { name, words: inlineCode.filter(({ text }) => !otherPrograms.test(text)) };
  }),
);

describe.each(pages)("$name", ({ words }) => {
  test("names flags that exist", () => {
    const named = words.flatMap(({ place, text }) =>
      [...text.matchAll(/(?<![\w-])--([a-z][\w-]*)/g)].map(([, name]) => ({ place, name: name! })),
    );
    const unknown = named.filter(
      ({ name }) => !flags.has(name.replaceAll("-", "_")) && !(name in others),
    );
    expect(unknown).toEqual([]);
  });

  test("names commands that exist", () => {
    const named = words.filter(({ text }) =>
      /^(npx )?implicit-rank [a-z](?!.* dataset$)/.test(text),
    );
    const unknown = named.filter(({ text }) => {
      const typed = text.replace(/^(npx )?implicit-rank /, "").split(" ");
      const isGroup = typed.length === 1 && commands.some(({ path }) => path[0] === typed[0]);
      return findCommand(typed) === undefined && !isGroup;
    });
    expect(unknown).toEqual([]);
  });
});
