import { execFileSync } from "node:child_process";
import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  batchScript,
  expandGrid,
  readSlurmStatus,
  runArrayTask,
  submitSweep,
  waitForSweep,
} from "../src/index.ts";
import type { Experiment, SlurmOptions, Sweep } from "../src/index.ts";
import { runPaths } from "../src/run-folder/files.ts";
import { sbatchLines } from "../src/slurm/slurm-options.ts";
import { readJson, temporaryFolder } from "./run-kit.ts";
import { toyExperiment } from "./toy-experiment.ts";

// A real cluster is in cli's tests. Here stand-ins for Slurm's commands answer what that one does not:
// accounts, a cluster with short arrays, a controller that is down.

const toy = toyExperiment as Experiment;

function plan(folder: string, seeds: string): Sweep {
  const grid = { random_seed: seeds, epochs: "3" };
  return { folder, tasks: expandGrid([toy], grid, { folder }) };
}

/** Puts scripts with these bodies first on the PATH until the test is over. */
function standIn(commands: Readonly<Record<string, string>>): void {
  const folder = temporaryFolder();
  for (const [name, body] of Object.entries(commands)) {
    writeFileSync(join(folder, name), `#!/bin/sh\n${body}\n`);
    chmodSync(join(folder, name), 0o755);
  }
  const before = process.env["PATH"];
  process.env["PATH"] = `${folder}:/usr/bin:/bin`;
  onTestFinished(() => void (process.env["PATH"] = before));
}

const idle = { squeue: "exit 0", sacct: "exit 1", scontrol: "echo MaxArraySize = 1001" };

function submit(sweep: Sweep, slurm: SlurmOptions = {}, retry = false) {
  return submitSweep(sweep, { slurm, taskCommand: ["node", "task.js"], retry });
}

describe("the batch script", () => {
  it("is valid for a shell and quotes what needs it", () => {
    const script = batchScript({
      jobName: "toy",
      submissionFolder: "/data/my runs/100%/001",
      tasks: 5,
      slurm: { partition: "short", time: "1-12:00", mem: "2G", arrayLimit: 2, extra: ["qos=low"] },
      taskCommand: ["/opt/node", "it's.js", "sweep", "task"],
    });
    expect(script.split("\n").filter((line) => line.startsWith("#SBATCH"))).toEqual([
      "#SBATCH --job-name=toy",
      "#SBATCH --array=0-4%2",
      '#SBATCH --output="/data/my runs/100%%/001/logs/%a.log"',
      "#SBATCH --open-mode=append",
      "#SBATCH --requeue",
      "#SBATCH --partition=short",
      "#SBATCH --time=1-12:00",
      "#SBATCH --cpus-per-task=1",
      "#SBATCH --mem=2G",
      "#SBATCH --signal=B:TERM@60",
      "#SBATCH --qos=low",
    ]);
    const echo = script.replace("exec ", "printf '%s|' ");
    const words = execFileSync("/bin/sh", ["-c", echo], { env: { SLURM_ARRAY_TASK_ID: "3" } });
    expect(words.toString()).toBe("/opt/node|it's.js|sweep|task|/data/my runs/100%/001|3|");
  });

  it.each([
    [{ partition: "a b" }, /--slurm_partition: must be one word/],
    [{ time: "1\n#SBATCH --x" }, /--slurm_time: must be one word/],
    [{ extra: ["--array=1-2"] }, /--slurm_extra: --array is set by the sweep/],
    [{ extra: ["a=b\nrm -rf"] }, /--slurm_extra: must be one option/],
  ])("refuses %j", (options, message) => {
    expect(() => sbatchLines(options)).toThrow(message);
  });
});

describe.skipIf(process.platform === "win32")("a sweep on Slurm", () => {
  it("is split where the cluster limits arrays", async () => {
    const sweep = plan(temporaryFolder(), "0..6");
    standIn({ ...idle, sbatch: "echo 7$(date +%N)", scontrol: "echo 'MaxArraySize = 3'" });
    const { jobs } = await submit(sweep);
    expect(jobs.map(({ tasks }) => tasks)).toEqual([3, 3, 1]);
    const script = readFileSync(join(jobs[2]!.folder, "batch.sh"), "utf8");
    expect(script).toContain("--array=0-0\n");
  });

  it("submits only what is neither finished nor queued; failed runs if asked to", async () => {
    const sweep = plan(temporaryFolder(), "0..3");
    standIn({ ...idle, sbatch: "echo 5" });
    const [first] = (await submit(sweep)).jobs;
    await runArrayTask(first!.folder, 0, [toy]);
    const report = await runArrayTask(first!.folder, 1, []);
    expect(report).toMatchObject({ state: "failed", message: expect.stringContaining("toy") });
    standIn({ ...idle, squeue: "echo '5_2 PENDING'", sbatch: "echo 6" });
    expect((await submit(sweep)).jobs.map(({ tasks }) => tasks)).toEqual([1]);
    standIn({ ...idle, squeue: "echo '5_2 PENDING'; echo '6_0 RUNNING'", sbatch: "echo 7" });
    const { statuses, activeJobs } = await readSlurmStatus(sweep);
    expect(statuses.map(({ state, job }) => [state, job])).toEqual([
      ["finished", "5_0"],
      ["failed", "5_1"],
      ["queued", "5_2"],
      ["running", "6_0"],
    ]);
    expect(activeJobs).toEqual(["5", "6"]);
    expect((await submit(sweep)).jobs).toEqual([]);
    expect((await submit(sweep, {}, true)).jobs.map(({ tasks }) => tasks)).toEqual([1]);
  });

  it("learns from the accounts why a run was lost, and waits no longer for it", async () => {
    const sweep = plan(temporaryFolder(), "0");
    standIn({ ...idle, sbatch: "echo 5" });
    await submit(sweep);
    standIn({
      ...idle,
      squeue: "echo 'slurm_load_jobs error: Invalid job id specified' >&2; exit 1",
      sacct: "echo '5_0|CANCELLED by 0'",
    });
    const { statuses, known } = await waitForSweep(sweep, { seconds: 0.01 });
    expect(known).toBe(true);
    expect(statuses).toMatchObject([{ state: "pending", slurmState: "CANCELLED" }]);
  });

  it("goes by the run folders where Slurm does not answer", async () => {
    const sweep = plan(temporaryFolder(), "0");
    standIn({ ...idle, sbatch: "echo 5" });
    const [job] = (await submit(sweep)).jobs;
    await runArrayTask(job!.folder, 0, [toy]);
    standIn({ ...idle, squeue: "echo 'Unable to contact slurm controller' >&2; exit 1" });
    const { statuses, known } = await readSlurmStatus(sweep);
    expect(known).toBe(false);
    expect(statuses.map(({ state }) => state)).toEqual(["finished"]);
  });

  it("keeps nothing of a job that Slurm refuses", async () => {
    const sweep = plan(temporaryFolder(), "0");
    standIn({ ...idle, sbatch: "echo 'sbatch: error: invalid partition' >&2; exit 1" });
    await expect(submit(sweep)).rejects.toThrow(/^sbatch: did not take .*: .*invalid partition/);
    standIn({ ...idle, sbatch: "echo 8" });
    expect((await submit(sweep)).jobs.map(({ job }) => job)).toEqual(["8"]);
  });

  it("says so where there is no Slurm", async () => {
    standIn({});
    process.env["PATH"] = "/nowhere";
    await expect(submit(plan(temporaryFolder(), "0"))).rejects.toThrow(
      /--executor slurm: scontrol is not found/,
    );
  });
});

describe("an array task", () => {
  async function submitted(seeds: string): Promise<{ submission: string; sweep: Sweep }> {
    const sweep = plan(temporaryFolder(), seeds);
    standIn({ ...idle, sbatch: "echo 5" });
    const { jobs } = await submit(sweep);
    return { submission: jobs[0]!.folder, sweep };
  }

  it("leaves a finished run alone", async () => {
    const { submission, sweep } = await submitted("0");
    expect(await runArrayTask(submission, 0, [toy])).toMatchObject({ state: "finished" });
    const { summary } = runPaths(sweep.tasks[0]!.folder);
    const before = readFileSync(summary, "utf8");
    expect(await runArrayTask(submission, 0, [toy])).toMatchObject({ state: "finished" });
    expect(readFileSync(summary, "utf8")).toBe(before);
  });

  it("waits for the process that is at its run", async () => {
    const { submission, sweep } = await submitted("0");
    const folder = sweep.tasks[0]!.folder;
    mkdirSync(folder, { recursive: true });
    const { lockRun } = await import("../src/run-folder/lock.ts");
    const lock = await lockRun(folder);
    const running = runArrayTask(submission, 0, [toy]);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(existsSync(runPaths(folder).config)).toBe(false);
    await lock.release();
    expect(await running).toMatchObject({ state: "finished" });
  });

  it("does not need the sweep to be as it was", async () => {
    const { submission, sweep } = await submitted("0..1");
    await submitSweep(plan(sweep.folder, "7"), { slurm: {}, taskCommand: ["x"] });
    expect(await runArrayTask(submission, 1, [toy])).toMatchObject({ state: "finished" });
    expect(readJson(runPaths(sweep.tasks[1]!.folder).config)["random_seed"]).toBe(1);
  });

  it("refuses a number that the list does not have, and another folder", async () => {
    const { submission } = await submitted("0");
    await expect(runArrayTask(submission, 1, [toy])).rejects.toThrow(/has the tasks 0 to 0/);
    await expect(runArrayTask("/nowhere", 0, [toy])).rejects.toThrow(/is not the folder of a sub/);
  });
});
