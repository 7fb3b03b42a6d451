import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { describe, expect, onTestFinished, test, vi } from "vitest";
import { publicEntries } from "../../reference/public-entries.ts";
import { writeReference } from "../../reference/write-reference.ts";

vi.setConfig({ testTimeout: 120_000 });

const api = resolve(import.meta.dirname, "../../api");
const entries = publicEntries();

test("everything that can be imported has a page", () => {
  expect(entries.map(({ name }) => name)).toEqual(
    expect.arrayContaining(["random", "tensor-factorization/tfjs", "experiment-kit/figures"]),
  );
});

describe.each(entries)("$specifier", ({ specifier, name }) => {
  const page = readFileSync(join(api, `${name}.md`), "utf8");

  test("begins with how it is imported", () => {
    expect(page.split("\n")[0]).toBe(`# ${specifier}`);
    expect(page).toMatch(new RegExp(`^import .* from "${specifier}";$`, "m"));
  });

  test("describes all that a program finds in it", async () => {
    const found = Object.keys((await import(specifier)) as object);
    const missing = found.filter((symbol) => !hasDescription(page, symbol));
    expect(missing).toEqual([]);
  });
});

/** Whether a symbol has, beside its declaration, a sentence on what it is or when it throws. */
function hasDescription(page: string, symbol: string): boolean {
  const sections = page.split(/^#{2,3} /m);
  const section = sections.find((text) => new RegExp(`^${symbol}(\\(\\))?( {#.*})?\\n`).test(text));
  const [head = "", ...parts] = (section ?? "").split(/^#{4} /m);
  const sentences = [
    head.replace(/^.*\n/, ""),
    ...parts.filter((part) => part.startsWith("Throws")),
  ];
  return (
    sentences
      .join("")
      .replace(/```[^]*?```/g, "")
      .trim().length > 12
  );
}

describe("problems are counted", () => {
  test.each([
    [
      "a documented function",
      "/** A module of one function.\n@module */\n/** Does nothing. */\nexport function f(): void {}\n",
      0,
    ],
    [
      "a function without a docstring",
      "/** A module of one function.\n@module */\nexport function f(): void {}\n",
      1,
    ],
    [
      "a type that is not exported",
      "/** A module of one function.\n@module */\ninterface Hidden { a: 1 }\n/** Takes what one cannot name. */\nexport function f(a: Hidden): void { void a }\n",
      1,
    ],
    [
      "a link that leads nowhere",
      "/** A module of one function.\n@module */\n/** Like {@link g}. */\nexport function f(): void {}\n",
      1,
    ],
  ])("%s", async (_, code, problems) => {
    const folder = mkdtempSync(join(tmpdir(), "reference-"));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(join(folder, "package.json"), '{ "name": "sample", "type": "module" }');
    const source = join(folder, "index.ts");
    writeFileSync(source, code);
    const tsconfig = join(folder, "tsconfig.json");
    writeFileSync(
      tsconfig,
      '{ "files": ["index.ts"], "compilerOptions": { "noLib": true, "types": [] } }',
    );
    const print = vi.spyOn(console, "warn").mockImplementation(() => undefined);
    onTestFinished(() => print.mockRestore());
    const entry = { specifier: "sample", name: "sample", packageName: "sample", source };
    expect(await writeReference([entry], join(folder, "api"), tsconfig)).toBe(problems);
  });
});
