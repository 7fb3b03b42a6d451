import { execFileSync, spawnSync } from "node:child_process";
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, beforeEach, describe, expect, it } from "vitest";
import { bin } from "./run-cli.ts";

const cluster = fileURLToPath(new URL("../../../scripts/slurm/cluster.sh", import.meta.url));

/** Why there can be no cluster here, if so. */
function missing(): string | undefined {
  const path = `${process.env["PATH"] ?? ""}:/usr/sbin:/sbin`;
  const absent = ["slurmctld", "slurmd", "munged", "sbatch"].filter(
    (name) => !path.split(":").some((folder) => existsSync(join(folder, name))),
  );
  if (absent.length > 0)
    return `${absent.join(", ")} not installed (Debian: slurm-wlm, munge); Slurm is not tested`;
  if (process.getuid?.() !== 0) return "only root can start a cluster; Slurm is not tested";
  return undefined;
}

const reason = missing();
if (reason !== undefined) console.warn(`Slurm tests are skipped: ${reason}`);

let folder = "";
let env: NodeJS.ProcessEnv = {};

beforeAll(() => {
  if (reason !== undefined) return;
  folder = realpathSync(mkdtempSync(join(tmpdir(), "implicit-rank-slurm-")));
  env = { ...process.env, SLURM_CONF: join(folder, "cluster", "slurm.conf") };
  execFileSync(cluster, ["start", join(folder, "cluster")], { stdio: "pipe" });
  const size = ["--num_rows", "8", "--num_cols", "8", "--rank", "2", "--num_samples", "48"];
  run(["data", "matrix", ...size, "--seed", "1", "--output_dir", join(folder, "data")]);
  const [name] = readdirSync(join(folder, "data"));
  copyFileSync(join(folder, "data", name!), join(folder, "good.safetensors"));
}, 120_000);

afterAll(() => {
  if (folder === "") return;
  execFileSync(cluster, ["stop", join(folder, "cluster")], { stdio: "pipe" });
  rmSync(folder, { recursive: true, force: true });
}, 60_000);

beforeEach((context) => {
  if (reason !== undefined) context.skip(reason);
});

function run(args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [bin, ...args], {
    cwd: folder,
    env,
    encoding: "utf8",
  });
  return { status, stdout, stderr };
}

const grid = (place: string, data: string): readonly string[] => [
  ...["sweep", "mf", "--sweep_dir", join(folder, place), "--seed", "0..1"],
  ...["--dataset_path", data, "--num_train_samples", "32"],
  ...["--epochs", "200000", "--stop_on_zero_loss_tol", "0", "--train_batch_log_interval", "-1"],
  ...["--validate_every", "2000", "--epoch_log_interval", "2000", "--save_checkpoints"],
];
const slurm = (...more: readonly string[]): readonly string[] => [
  ...grid("sweep", "good.safetensors,absent.safetensors"),
  ...["--executor", "slurm", "--slurm_time", "10", "--slurm_mem", "100M", ...more],
];
const squeue = (job: string): string =>
  spawnSync("squeue", ["-h", "-r", "-t", "all", "-j", job, "-o", "%K %T %r"], {
    env,
    encoding: "utf8",
  }).stdout;
const submissions = (): readonly number[] =>
  readdirSync(join(folder, "sweep", "slurm")).map((name) => {
    const list = readFileSync(join(folder, "sweep", "slurm", name, "tasks.jsonl"), "utf8");
    return list.trim().split("\n").length;
  });

async function until(what: string, condition: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 90_000; !condition(); await delay(30))
    if (Date.now() > deadline) throw new Error(`timeout: ${what}; ${squeue("1")}`);
}

const entries = (place: string): readonly string[] =>
  existsSync(join(folder, place)) ? readdirSync(join(folder, place)) : [];
/** The run with the good data: the same settings, so the same identity at the end of its name. */
const runFolder = (place: string, seed: number): string => {
  const start = `mf_dataset_path=good.safetensors_seed=${seed}_`;
  const name = entries("sweep").find((entry) => entry.startsWith(start)) ?? "not there yet";
  const identity = name.slice(name.lastIndexOf("_"));
  return join(folder, place, entries(place).find((entry) => entry.endsWith(identity)) ?? name);
};
const hasCheckpoint = (seed: number): boolean => {
  const checkpoints = join(runFolder("sweep", seed), "checkpoints");
  return existsSync(checkpoints) && readdirSync(checkpoints).some((name) => !name.startsWith("."));
};
const metricsOf = (place: string, seed: number): readonly string[] =>
  readFileSync(join(runFolder(place, seed), "metrics.jsonl"), "utf8")
    .trim()
    .split("\n")
    .map((line) => line.replace(/"time":[\d.]+,/, ""));

describe("a sweep on a Slurm cluster", () => {
  it("is submitted, requeued, cancelled in part, fails in part, and is completed by the same command", async () => {
    const submitted = run([...slurm("--slurm_array_limit", "2"), "--json"]);
    expect(submitted).toMatchObject({ status: 0 });
    const { jobs } = JSON.parse(submitted.stdout) as { jobs: { job: string; tasks: number }[] };
    expect(jobs.map(({ tasks }) => tasks)).toEqual([4]);
    const { job } = jobs[0]!;

    await until("seed 0 has a checkpoint", () => hasCheckpoint(0));
    execFileSync("scontrol", ["requeue", `${job}_0`], { env });
    await until("seed 1 has a checkpoint", () => hasCheckpoint(1));
    execFileSync("scancel", ["--full", `${job}_1`], { env });
    await until("seed 1 is cancelled", () => /^1 (CANCELLED|FAILED|COMPLETED)/m.test(squeue(job)));

    const status = run(["sweep", "status", join(folder, "sweep"), "--json"]);
    const shown = JSON.parse(status.stdout) as { slurm_answers: boolean; runs: { job: string }[] };
    expect(shown.slurm_answers).toBe(true);
    expect(shown.runs.map((entry) => entry.job)).toEqual([0, 1, 2, 3].map((i) => `${job}_${i}`));

    await until("seed 0 is queued anew", () => /^0 (PENDING|RUNNING|COMPLETED)/m.test(squeue(job)));
    // Slurm would hold it back for a few seconds.
    spawnSync("scontrol", ["update", `jobid=${job}_0`, "StartTime=now"], { env });
    await until(
      "the failing runs have failed",
      () => (squeue(job).match(/^[23] FAILED/gm) ?? []).length === 2,
    );

    const second = run(slurm("--wait"));
    expect(second.status).toBe(1);
    expect(second.stdout).toContain("4 runs: 2 finished, 2 failed");
    expect(second.stdout).toMatch(/failed: mf_.*absent.safetensors: cannot read: no such file/);
    expect(second.stdout).toContain("--retry");
    expect(submissions()).toEqual([4, 1]);

    copyFileSync(join(folder, "good.safetensors"), join(folder, "absent.safetensors"));
    const third = run(slurm("--retry", "--wait", "--json"));
    expect(third.status).toBe(0);
    const result = JSON.parse(third.stdout) as { counts: object; results: { groups: unknown[] } };
    expect(result.counts).toEqual({ finished: 4 });
    expect(submissions()).toEqual([4, 1, 2]);

    const again = run(slurm("--wait"));
    expect(again.stderr).toContain("Nothing to submit");
    expect(again.status).toBe(0);

    const log = readFileSync(join(folder, "sweep", "slurm", "001", "logs", "0.log"), "utf8");
    expect(log).toMatch(/Resuming .*from .*epoch_\d+\.safetensors/);
    const script = readFileSync(join(folder, "sweep", "slurm", "001", "batch.sh"), "utf8");
    expect(script).toContain("#SBATCH --array=0-3%2\n");
    expect(script).toContain("#SBATCH --mem=100M\n");

    const local = run([...grid("local", "good.safetensors"), "--quiet"]);
    expect(local.status).toBe(0);
    for (const seed of [0, 1]) {
      expect(metricsOf("sweep", seed)).toEqual(metricsOf("local", seed));
    }
  }, 240_000);

  it("says what Slurm refuses", () => {
    const refused = run([...slurm("--slurm_partition", "none", "--sweep_dir", "refused")]);
    expect(refused.status).toBe(1);
    expect(refused.stderr).toMatch(/^error: sbatch: did not take .*invalid partition/i);
    const wrong = run([...slurm("--slurm_extra", "array=0-3")]);
    expect(wrong).toMatchObject({ status: 2 });
    expect(wrong.stderr).toBe("error: --slurm_extra: --array is set by the sweep\n");
  });
});
