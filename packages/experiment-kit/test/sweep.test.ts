import { spawn } from "node:child_process";
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { beforeAll, describe, expect, it, vi } from "vitest";
import { compareRuns, expandGrid, readCheckpoint, readSweep, runSweep } from "../src/index.ts";
import type { Experiment, Sweep, SweepOptions, SweepResult, TypedValue } from "../src/index.ts";
import { listRuns } from "../src/index.ts";
import { listCheckpoints } from "../src/run-folder/checkpoint-store.ts";
import { runPaths } from "../src/run-folder/files.ts";
import { delay } from "./child-process.ts";
import { fragileExperiment } from "./fragile-experiment.ts";
import { captureOutput, metricLines, temporaryFolder } from "./run-kit.ts";
import { toyExperiment } from "./toy-experiment.ts";

// Each test starts several processes, which takes a while on a busy machine.
vi.setConfig({ testTimeout: 120_000 });

const toy = toyExperiment as Experiment;
const workerModule = new URL("toy-worker.ts", import.meta.url);

function plan(
  folder: string,
  typed: Readonly<Record<string, TypedValue>>,
  experiment = toy,
): Sweep {
  const grid = { epochs: "20", ...typed };
  return { folder, tasks: expandGrid([experiment], grid, { folder }) };
}

function run(sweep: Sweep, options: Partial<SweepOptions> = {}): Promise<SweepResult> {
  return runSweep(sweep, { workerModule, workers: 2, handleSignals: false, ...options });
}

const states = ({ statuses }: SweepResult): readonly string[] => statuses.map(({ state }) => state);

/** What must not depend on interruptions: all metrics, and the parameters of the last checkpoint. */
async function resultsOf(sweep: Sweep): Promise<Record<string, unknown>> {
  const results: Record<string, unknown> = {};
  for (const { folder, identity } of sweep.tasks) {
    const last = (await listCheckpoints(runPaths(folder).checkpoints))[0];
    const model = last === undefined ? undefined : (await readCheckpoint(last.path)).model;
    const arrays = Object.entries(model?.arrays ?? {}).map(([name, { data }]) => [
      name,
      Buffer.from(data.buffer, data.byteOffset, data.byteLength).toString("hex"),
    ]);
    results[identity] = { metrics: metricLines(folder), arrays, random: model?.metadata };
  }
  return results;
}

describe("a sweep", () => {
  it("runs every combination in a folder of its own, as single runs would", async () => {
    const sweep = plan(temporaryFolder(), { lr: "0.01,0.02", random_seed: "0..2" });
    const stream = captureOutput();
    const result = await run(sweep, { stream });
    expect(result.exitCode).toBe(0);
    expect(stream.lines()).toHaveLength(6);
    expect(stream.lines()[5]).toMatch(
      /^\[6\/6\] finished {2}toy_lr=[\d.]+_seed=\d_\w{10} {2}distance [\d.e-]+ {2}0:00:\d\d {2}ETA 0:00:00$/,
    );
    expect(states(result)).toEqual(Array(6).fill("finished"));
    const { groups } = compareRuns(await listRuns(sweep.folder));
    expect(groups.map(({ finished }) => finished)).toEqual([3, 3]);
    expect((await readSweep(sweep.folder)).tasks).toEqual(sweep.tasks);
  });

  it("leaves finished runs alone when it is started again, also in a larger grid", async () => {
    const folder = temporaryFolder();
    const first = plan(folder, { random_seed: "0..1" });
    await run(first);
    const times = first.tasks.map((task) => statSync(runPaths(task.folder).summary).mtimeMs);
    const larger = await run(plan(folder, { random_seed: "0..1", lr: "0.01,0.02" }));
    expect(larger.exitCode).toBe(0);
    expect(states(larger)).toEqual(Array(4).fill("finished"));
    expect(first.tasks.map((task) => statSync(runPaths(task.folder).summary).mtimeMs)).toEqual(
      times,
    );
    expect(readdirSync(folder).filter((name) => name.startsWith("toy_"))).toHaveLength(4);
  });

  it("isolates failures, tells why, and runs them again only if asked to", async () => {
    const folder = temporaryFolder();
    const marker = join(folder, "marker");
    const typed = { fail: ",no luck", random_seed: "0..1", fail_unless: marker };
    expect(() => plan(folder, typed, fragileExperiment)).toThrow(/--fail: has an empty/);
    const sweep = plan(
      folder,
      { fail_unless: `${marker},${fileURLToPath(workerModule)}`, random_seed: "0..1" },
      fragileExperiment,
    );
    const first = await run(sweep);
    expect(first.exitCode).toBe(1);
    expect(states(first)).toEqual(["failed", "failed", "finished", "finished"]);
    expect(first.statuses[0]!.problem).toContain("marker is not there");
    writeFileSync(marker, "");
    expect(states(await run(sweep))).toEqual(["failed", "failed", "finished", "finished"]);
    const retried = await run(sweep, { retry: true });
    expect(retried.exitCode).toBe(0);
    expect(states(retried)).toEqual(Array(4).fill("finished"));
    expect(readdirSync(join(folder, "failures"))).toEqual([]);
  });

  it("survives the death of a worker, which costs only the run that caused it", async () => {
    const folder = temporaryFolder();
    const sweep = plan(
      folder,
      { random_seed: "0..2", die: "false,true", epochs: "3" },
      fragileExperiment,
    );
    // Deadly and harmless runs in turn, so that a worker has both in hand.
    const tasks = sweep.tasks.toSorted((a, b) =>
      String(a.flags["random_seed"]).localeCompare(String(b.flags["random_seed"])),
    );
    const result = await run({ folder, tasks });
    const byDeath = result.statuses.map(({ task, state }) => [task.flags["die"] ?? false, state]);
    expect(byDeath.filter(([die]) => die === true)).toEqual(Array(3).fill([true, "failed"]));
    expect(byDeath.filter(([die]) => die === false)).toEqual(Array(3).fill([false, "finished"]));
    const failed = result.statuses.find(({ state }) => state === "failed");
    expect(failed!.problem).toBe("its process ended (SIGKILL): Error: out of luck");
  });

  it("marks a run that diverges and does not repeat it", async () => {
    const sweep = plan(temporaryFolder(), { diverge_at: "3,-1" });
    const first = await run(sweep, { retry: true });
    expect(first.exitCode).toBe(1);
    expect(states(first)).toEqual(["diverged", "finished"]);
    const stream = captureOutput();
    expect(states(await run(sweep, { retry: true, stream }))).toEqual(["diverged", "finished"]);
    expect(stream.text()).toBe("");
  });
});

describe("a sweep that is stopped or watched", () => {
  it("stops after the epoch of each run, and goes on to the same bits", async () => {
    const grid = { random_seed: "0..5", slow_ms: "2", epochs: "60" };
    const whole = plan(temporaryFolder(), grid);
    await run(whole);
    const sweep = plan(temporaryFolder(), grid);
    const stop = new AbortController();
    const running = run(sweep, { signal: stop.signal });
    while (!sweep.tasks.some(({ folder }) => existsSync(runPaths(folder).config))) await delay(5);
    await delay(50);
    stop.abort();
    const stopped = await running;
    expect(stopped.exitCode).toBe(130);
    expect(states(stopped)).toContain("interrupted");
    expect(states(stopped)).toContain("pending");
    const resumed = await run(sweep);
    expect(resumed.exitCode).toBe(0);
    const expected = await resultsOf(whole);
    for (const [identity, result] of Object.entries(await resultsOf(sweep)))
      expect((result as { metrics: unknown }).metrics).toEqual(
        (expected[identity] as { metrics: unknown }).metrics,
      );
  });

  it("refuses to be run twice at once", async () => {
    const sweep = plan(temporaryFolder(), { slow_ms: "5" });
    const first = run(sweep);
    while (!existsSync(join(sweep.folder, "sweep.json"))) await delay(5);
    await expect(run(sweep)).rejects.toThrow(/this sweep is being run by process \d+ on /);
    expect((await first).exitCode).toBe(0);
  });

  it("says so if its workers cannot be started", async () => {
    const broken = new URL("no-such-worker.ts", import.meta.url);
    const sweep = plan(temporaryFolder(), {});
    await expect(run(sweep, { workerModule: broken })).rejects.toThrow(
      /a worker process could not be started \(exit code 1\): .*no-such-worker/,
    );
  });

  it("draws a table on a terminal, and leaves what failed above it", async () => {
    const stream = captureOutput({ isTTY: true, columns: 100 });
    const sweep = plan(temporaryFolder(), { fail: "no luck,none" }, fragileExperiment);
    await run(sweep, { stream });
    expect(stream.text()).toContain("failed    fragile_fail=no-luck_seed=0_");
    expect(stream.text()).toContain("no luck");
    const last = stream.lines().at(-1)!;
    expect(last).toContain("0/2 done   0 running   0 waiting   2 failed");
  });
});

describe.skipIf(process.platform !== "linux")("a sweep that is killed", () => {
  const script = fileURLToPath(new URL("toy-sweep.ts", import.meta.url));
  const grid = { random_seed: "0..5", slow_ms: "3", epochs: "30", save_checkpoints: true };

  function start(folder: string) {
    const child = spawn(process.execPath, [script, folder, JSON.stringify(grid)], {
      stdio: ["ignore", "pipe", "pipe"],
    });
    let text = "";
    for (const stream of [child.stdout, child.stderr])
      stream.on("data", (data: Buffer) => (text += data.toString()));
    const ended = new Promise<number | string>((resolve) => {
      child.on("close", (code, signal) => resolve(code ?? signal ?? "?"));
    });
    return { child, ended, text: () => text };
  }

  let uninterrupted: Promise<Record<string, unknown>>;
  beforeAll(async () => {
    const whole = plan(mkdtempSync(join(tmpdir(), "sweep-")), grid);
    await run(whole);
    uninterrupted = resultsOf(whole);
    await uninterrupted;
    rmSync(whole.folder, { recursive: true });
  }, 120_000);

  const finishedIn = (folder: string): readonly string[] =>
    readdirSync(folder).filter((name) => existsSync(join(folder, name, "summary.json")));

  async function workersOf(pid: number): Promise<readonly number[]> {
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").trim();
    return children === "" ? [] : children.split(" ").map(Number);
  }

  const isAlive = (pid: number): boolean => {
    try {
      return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "utf8"));
    } catch {
      return false;
    }
  };

  it.each(["SIGKILL", "SIGINT"] as const)(
    "by %s loses no finished run, leaves no process, and goes on to the same bits",
    async (signal) => {
      const folder = temporaryFolder();
      const first = start(folder);
      while (finishedIn(folder).length < 2 && first.child.exitCode === null) await delay(5);
      const workers = await workersOf(first.child.pid!);
      expect(workers).toHaveLength(2);
      first.child.kill(signal);
      expect(await first.ended).toBe(signal === "SIGKILL" ? "SIGKILL" : 130);
      const finished = finishedIn(folder).map((name) => {
        const text = readFileSync(join(folder, name, "summary.json"), "utf8");
        return [name, text] as const;
      });
      const second = start(folder);
      expect([await second.ended, second.text()]).toEqual([0, expect.anything()]);
      for (const pid of workers) {
        for (let i = 0; i < 1000 && isAlive(pid); i++) await delay(10);
        expect(isAlive(pid)).toBe(false);
      }
      for (const [name, text] of finished) {
        if (!text.includes('"outcome": "completed"')) continue;
        expect(readFileSync(join(folder, name, "summary.json"), "utf8")).toBe(text);
      }
      const sweep = await readSweep(folder);
      expect(sweep.tasks.map(({ folder: run }) => basename(run))).toHaveLength(6);
      expect(await resultsOf(sweep)).toEqual(await uninterrupted);
    },
  );
});
