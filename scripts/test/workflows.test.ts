import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { root } from "../publishing/published-packages.ts";

interface Step {
  readonly uses?: string;
  readonly run?: string;
  readonly with?: Readonly<Record<string, unknown>>;
}

interface Job {
  readonly needs?: string;
  readonly if?: string;
  readonly permissions?: Readonly<Record<string, string>>;
  readonly steps: readonly Step[];
}

interface Workflow {
  readonly on: Readonly<Record<string, unknown>>;
  readonly permissions: Readonly<Record<string, string>>;
  readonly jobs: Readonly<Record<string, Job>>;
}

const folder = join(root, ".github", "workflows");
const workflows = new Map<string, Workflow>();
for (const file of await readdir(folder))
  workflows.set(file, parse(await readFile(join(folder, file), "utf8"), { strict: true }));
const manifest = JSON.parse(await readFile(join(root, "package.json"), "utf8"));

describe.each([...workflows])("%s", (_, { permissions, jobs }) => {
  const steps = Object.values(jobs).flatMap((job) => job.steps);

  test("may do no more than read, but for jobs that say what else", () => {
    expect(permissions).toEqual({ contents: "read" });
  });

  test("uses actions of others by commit, which nobody can move", () => {
    const uses = steps.flatMap(({ uses }) => (uses === undefined ? [] : [uses]));
    expect(uses.filter((action) => !/^[\w/-]+@[0-9a-f]{40}$/.test(action))).toEqual([]);
  });

  test("runs the Node that is pinned here", () => {
    for (const job of Object.values(jobs)) {
      const [node] = job.steps.filter(({ uses }) => uses?.startsWith("actions/setup-node@"));
      expect(node?.with?.["node-version"]).toBe(manifest.devDependencies.node);
    }
  });

  test("runs scripts that there are", () => {
    const commands = steps.flatMap((step) => [step.run, step.with?.["script"]]);
    const scripts = commands.flatMap((command) => /^npm run (\w+)$/.exec(String(command)) ?? []);
    const names = scripts.filter((name) => !name.startsWith("npm"));
    expect(Object.keys(manifest.scripts)).toEqual(expect.arrayContaining(names));
  });
});

test("pull requests are tested by npm test, on two systems", () => {
  const { on, jobs } = workflows.get("test.yml")!;
  expect(Object.keys(on)).toContain("pull_request");
  expect(runsOf(jobs["test"]!)).toEqual(["npm test"]);
});

test("a release is tested first, and only its last job may publish, with a proof of origin", () => {
  const { on, jobs } = workflows.get("release.yml")!;
  expect(on).toEqual({ push: { branches: ["main"] } });
  expect(runsOf(jobs["test"]!)).toEqual(["npm test"]);
  const { publish, ...others } = jobs;
  expect(publish).toMatchObject({
    needs: "test",
    if: "needs.test.outputs.mode == 'publish'",
    permissions: { contents: "write", "id-token": "write" },
  });
  for (const job of Object.values(others))
    expect(job.permissions ?? {}).not.toHaveProperty("id-token");
  const commands = publish!.steps.map(({ uses, run }) => run ?? uses!.replace(/@.*/, ""));
  const order = [
    "npm run build",
    "node scripts/publishing/set-repository.ts",
    "changesets/action/publish",
  ];
  expect(commands.filter((command) => order.includes(command))).toEqual(order);
  expect(publish!.steps.at(-1)!.with).toEqual({ script: "npm run release" });
});

function runsOf(job: Job): string[] {
  return job.steps.flatMap(({ run }) => (run === undefined ? [] : [run]));
}
