import { execFileSync, spawnSync } from "node:child_process";
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { Experiment } from "../src/index.ts";
import { resumeRun, runPaths, showRun } from "../src/index.ts";
import { metricLines, quiet, runToy, temporaryFolder } from "./run-kit.ts";
import { toyExperiment } from "./toy-experiment.ts";

const disk = mkdtempSync(join(tmpdir(), "experiment-kit-disk-"));

/** A file system of 512 KiB; mounting needs privileges that not every machine gives. */
function mount(): boolean {
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", "size=512k", "tmpfs", disk], { stdio: "ignore" });
    return true;
  } catch {
    return false;
  }
}
const mounted = mount();
afterAll(() => {
  if (mounted) execFileSync("umount", [disk]);
  rmSync(disk, { recursive: true, force: true });
});

describe.runIf(mounted)("on a full disk (needs the right to mount a small file system)", () => {
  const filler = join(disk, "filler");
  const outputs_dir = join(disk, "runs");
  beforeAll(() => mkdirSync(outputs_dir));
  const theRun = (): string => join(outputs_dir, readdirSync(outputs_dir)[0]!);

  it("fails in one line with the remedy, keeps what it had, and goes on once there is space", async () => {
    const flags = {
      epochs: 4000,
      batch_size: 0,
      save_checkpoints: true,
      save_every_num_val: 200,
      random_seed: 1,
    };
    const whole = await runToy(flags);
    const failure = await runToy({ ...flags, outputs_dir }).catch(
      (error: unknown) => error as Error,
    );
    expect(failure).toMatchObject({
      exitCode: 1,
      message: expect.stringMatching(
        /^\S+(metrics\.jsonl|safetensors): cannot (be written|write): the disk is full; free .*; then resume with: implicit-rank runs resume \S+$/,
      ) as string,
    });
    const folder = theRun();
    const { status, checkpoints } = await showRun(folder);
    expect(["killed", "failed"]).toContain(status);
    expect(checkpoints.length).toBeGreaterThan(0);
    expect(
      readdirSync(runPaths(folder).checkpoints).filter((name) => name.endsWith(".tmp")),
    ).toEqual([]);
    execFileSync("mount", ["-o", "remount,size=16m", disk]);
    await resumeRun(folder, [toyExperiment as Experiment], quiet);
    expect(metricLines(folder)).toEqual(metricLines(whole.folder));
  });

  it("makes no run folder", async () => {
    const empty = join(disk, "empty");
    mkdirSync(empty);
    try {
      writeFileSync(filler, Buffer.alloc(32 << 20));
    } catch {
      // It fills the disk.
    }
    await expect(runToy({ outputs_dir: empty })).rejects.toThrow(/the disk is full/);
    expect(readdirSync(empty)).toEqual([]);
    rmSync(filler);
  });
});

describe.runIf(existsSync("/dev/full"))("a standard output that is full", () => {
  it("does not end the run", () => {
    const script = fileURLToPath(new URL("child-run.ts", import.meta.url));
    const flags = JSON.stringify({ outputs_dir: temporaryFolder(), epochs: 3 });
    const { status, stderr } = spawnSync(process.execPath, [script, "run", flags], {
      stdio: ["ignore", openSync("/dev/full", "w"), "pipe"],
    });
    expect(stderr.toString()).toBe("");
    expect(status).toBe(0);
  });
});
