import {
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  stat,
  utimes,
  writeFile,
} from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { withChecksum } from "@implicit-rank/array-files";
import { readSummary, runPaths } from "@implicit-rank/experiment-kit";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { doCli } from "../programs/call-cli.ts";
import { resultOfRun, runsIn } from "../programs/run-results.ts";
import { startCli } from "../programs/start-cli.ts";
import { matrixFlags } from "../programs/tiny-sets.ts";

const scratch = await realpath(await mkdtemp(join(tmpdir(), "reliability-clock-")));
afterAll(() => rm(scratch, { recursive: true, force: true }));
const preload = new URL("../clock/jumping-clock.ts", import.meta.url);
const atTime = (line: string, offset: number, jump = 0) =>
  startCli(line, scratch, {
    preload,
    env: { CLOCK_OFFSET_HOURS: `${offset}`, CLOCK_JUMP_HOURS: `${jump}` },
  }).ended;
let train = "";
let expected: unknown;
beforeAll(async () => {
  await doCli(`data matrix ${matrixFlags} --output_dir data --quiet`, scratch);
  const [name] = await readdir(join(scratch, "data"));
  train = `train mf --dataset_path data/${name!} --num_train_samples 30 --epochs 40 --validate_every 5 --epoch_log_interval 5 --save_checkpoints --save_every_num_val 2 --timeout_seconds 3600 --seed 1 --quiet`;
  await doCli(`${train} --outputs_dir usual`, scratch);
  expected = await resultOfRun((await runsIn(join(scratch, "usual")))[0]!);
});

describe("when the time of day jumps while a run trains", () => {
  it.each([
    ["forward", 7],
    ["back", -7],
  ])(
    "%s by hours: results, durations and time limits do not change",
    { timeout: 120_000 },
    async (way, hours) => {
      const { code, stderr } = await atTime(
        `${train} --tensorboard --outputs_dir ${way}`,
        0,
        hours,
      );
      expect({ code, stderr }).toEqual({ code: 0, stderr: "" });
      const [run] = await runsIn(join(scratch, way));
      expect(await resultOfRun(run!)).toEqual(expected);
      const lines = (await readFile(runPaths(run!).metrics, "utf8")).trimEnd().split("\n");
      const times = lines.map((line) => (JSON.parse(line) as { time: number }).time);
      expect(times).toEqual(times.toSorted((a, b) => a - b));
      expect(times[0]).toBeGreaterThanOrEqual(0);
      expect((await readSummary(run!))!.duration_seconds).toBeLessThan(3600);
    },
  );

  it(
    "back between a run and its resumption: the newest checkpoint is that of the last epoch",
    { timeout: 120_000 },
    async () => {
      const { code } = await atTime(`${train} --outputs_dir later`, 9);
      expect(code).toBe(0);
      const [run] = await runsIn(join(scratch, "later"));
      const resumed = await atTime(`runs resume ${run!} --epochs 60 --quiet`, -9);
      expect(resumed).toMatchObject({ code: 0, stderr: "" });
      await doCli(
        `runs resume ${(await runsIn(join(scratch, "usual")))[0]!} --epochs 60 --quiet`,
        scratch,
      );
      const whole = (await runsIn(join(scratch, "usual")))[0]!;
      expect(await resultOfRun(run!)).toEqual(await resultOfRun(whole));
    },
  );

  it(
    "back to a second that has a run already: a folder of its own",
    { timeout: 120_000 },
    async () => {
      const still = { CLOCK_STANDS_AT: "1767225600000" };
      const runs = [1, 2, 3].map(
        () => startCli(`${train} --outputs_dir same`, scratch, { preload, env: still }).ended,
      );
      for (const { code } of await Promise.all(runs)) expect(code).toBe(0);
      expect((await readdir(join(scratch, "same"))).sort()).toEqual([
        "exp_2026_01_01-00_00_00",
        "exp_2026_01_01-00_00_00_2",
        "exp_2026_01_01-00_00_00_3",
      ]);
    },
  );
});

describe("the lock of a process on another machine, which beats every 20 seconds", () => {
  const lockOfOther = async (
    name: string,
    hours: number,
  ): Promise<{ run: string; lock: string }> => {
    await doCli(`${train} --outputs_dir ${name}`, scratch);
    const [run] = await runsIn(join(scratch, name));
    const { lock, summary } = runPaths(run!);
    await rm(summary);
    const holder = { token: "t", pid: 17, host: "elsewhere", processStart: "" };
    await writeFile(lock, JSON.stringify(withChecksum(holder)));
    const beat = new Date(Date.now() + hours * 3_600_000);
    await utimes(lock, beat, beat);
    return { run: run!, lock };
  };
  const held = /^error: .* by process 17 on elsewhere; wait for it or stop it first\n$/;

  it.each([10, -10])(
    "is respected by a machine whose clock is wrong by %i hours",
    { timeout: 120_000 },
    async (hours) => {
      const { run } = await lockOfOther(`wrong${hours}`, 0);
      const { code, stderr } = await atTime(`runs resume ${run} --quiet`, hours);
      expect(code).toBe(1);
      expect(stderr).toMatch(held);
    },
  );

  it("does not block for hours after the clock was set back", { timeout: 120_000 }, async () => {
    const { run, lock } = await lockOfOther("future", 10);
    const { stderr } = await atTime(`runs resume ${run} --quiet`, 0);
    expect(stderr).toMatch(held);
    // From now on it is stale after five minutes, as any other.
    expect((await stat(lock)).mtimeMs).toBeLessThan(Date.now() + 60_000);
    const before = new Date(Date.now() - 6 * 60_000);
    await utimes(lock, before, before);
    expect(await atTime(`runs resume ${run} --quiet`, 0)).toMatchObject({ code: 0, stderr: "" });
  });
});
