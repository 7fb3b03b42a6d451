import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, realpath, rm, symlink } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { readDocstrings } from "./document/docstrings.ts";
import { findDocuments, root } from "./document/find-documents.ts";
import { type Document, readDocument } from "./document/read-document.ts";
import { type CommandLines, startCommandLines } from "./run/command-lines.ts";
import { whyNotRun } from "./run/python.ts";
import { runPage } from "./run/run-page.ts";
import { typeCheck } from "./run/type-check.ts";

/** Everything must be done however slow the machine is; hanging is what this ends. */
const patient = 1_200_000;

const documents = new Map<string, Document>();
for (const name of await findDocuments())
  documents.set(name, await readDocument(join(root, name), name));
const pages = [...documents].filter(([, { blocks }]) => blocks.length > 0);

let scratch = "";
let digits = "";
/** One for each page that is run at the same time. */
const servers: Promise<CommandLines>[] = [];
const free: CommandLines[] = [];

beforeAll(async () => {
  scratch = await realpath(await mkdtemp(join(tmpdir(), "implicit-rank-documents-")));
  await symlink(join(root, "node_modules"), join(scratch, "node_modules"));
  digits = join(scratch, "digits");
  await promisify(execFile)(process.execPath, [join(root, "examples/mnist-digits.ts"), digits]);
}, patient);

afterAll(async () => {
  for (const server of servers) await (await server).close();
  await rm(scratch, { recursive: true, force: true });
}, patient);

describe.concurrent("the blocks of", () => {
  test.for(pages)("%s", { timeout: patient }, async ([name, { blocks }], context) => {
    if (!existsSync("/bin/bash")) context.skip("there is no /bin/bash, the shell of the documents");
    const folder = join(scratch, name.replaceAll("/", "_"));
    await mkdir(folder, { recursive: true });
    const commandLines = free.pop() ?? (await startAnother());
    try {
      await runPage(blocks, { folder, commandLines });
    } finally {
      free.push(commandLines);
    }
  });
});

function startAnother(): Promise<CommandLines> {
  const folder = join(scratch, `commands ${servers.length}`);
  const started = startCommandLines(folder, digits);
  servers.push(started);
  return started;
}

test(
  "blocks of TypeScript and JavaScript are well typed, in docstrings too",
  { timeout: patient },
  async () => {
    const folder = join(scratch, "types");
    await mkdir(folder);
    const blocks = new Map([
      ...[...documents].map(([name, document]) => [name, document.blocks] as const),
      ...(await readDocstrings()),
    ]);
    expect(await typeCheck(blocks, folder)).toEqual([]);
  },
);

describe("is not run", () => {
  const exempt = pages.flatMap(([, { blocks }]) =>
    blocks.flatMap((block) => {
      const reason =
        block.markers.notRun ?? (block.language === "python" ? whyNotRun(block) : undefined);
      return reason === undefined ? [] : [{ place: block.place, reason }];
    }),
  );
  test.for(exempt)("$place", ({ reason }, context) => context.skip(reason));
});
