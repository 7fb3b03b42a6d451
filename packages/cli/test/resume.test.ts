import { spawnSync } from "node:child_process";
import { existsSync } from "node:fs";
import { readFile, readdir } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { bin, makeDataset, runCli, runJson, scratchFolder, startCli } from "./run-cli.ts";

const lengthy = 240_000;

/** metrics.jsonl without the wall times, which no two runs share. */
async function readBits(folder: string): Promise<string> {
  const text = await readFile(join(folder, "metrics.jsonl"), "utf8");
  return text.replace(/"time":[^,}]+,?/g, "");
}

async function waitUntil(condition: () => Promise<boolean>): Promise<void> {
  const deadline = Date.now() + 60_000;
  while (!(await condition())) {
    if (Date.now() > deadline) throw new Error("waited a minute in vain");
    await sleep(5);
  }
}

async function countLines(folder: string): Promise<number> {
  const path = join(folder, "metrics.jsonl");
  return existsSync(path) ? (await readFile(path, "utf8")).split("\n").length - 1 : 0;
}

async function onlyRun(parent: string): Promise<string> {
  await waitUntil(async () => existsSync(parent) && (await readdir(parent)).length > 0);
  const [name] = await readdir(parent);
  return join(parent, name!);
}

/** A run of a few seconds: shuffled batches, a checkpoint every 40 epochs. */
const shared = [
  "--num_train_samples",
  "48",
  "--batch_size",
  "8",
  "--ht_layer_widths",
  "12",
  "12",
  "--epochs",
  "1500",
  "--validate_every",
  "20",
  "--save_every_num_val",
  "2",
  "--save_checkpoints",
  "--seed",
  "11",
  "--stop_on_zero_loss_tol",
  "0",
  "--engine",
  "plain",
];

test(
  "kill -9 and resume, several times, gives the same bits as a run without interruption",
  { timeout: lengthy },
  async () => {
    const cwd = await scratchFolder();
    const dataset = await makeDataset(cwd, "tensor");
    const train = ["train", "ht", "--dataset_path", dataset, ...shared, "--quiet"];
    const whole = startCli([...train, "--outputs_dir", "whole"], { cwd });
    let killed = startCli([...train, "--outputs_dir", "killed"], { cwd });
    const folder = await onlyRun(join(cwd, "killed"));
    // Before the first checkpoint, between two, and later still.
    for (const lines of [15, 130, 610]) {
      await waitUntil(async () => (await countLines(folder)) >= lines);
      killed.child.kill("SIGKILL");
      expect((await killed.ended).signal).toBe("SIGKILL");
      const [listed] = await runJson(["runs", "list", "killed"], { cwd });
      expect(listed.state).toBe("killed");
      killed = startCli(["runs", "resume", folder, "--quiet"], { cwd });
    }
    expect((await killed.ended).code).toBe(0);
    expect((await whole.ended).code).toBe(0);
    const reference = await onlyRun(join(cwd, "whole"));
    expect(await readBits(folder)).toBe(await readBits(reference));
    expect(await countLines(folder)).toBe(1500);
    const summaryOf = async (run: string) =>
      (await runJson(["runs", "show", run], { cwd })).summary;
    const [resumed, uninterrupted] = await Promise.all([summaryOf(folder), summaryOf(reference)]);
    expect(resumed.last_tracked_values).toEqual(uninterrupted.last_tracked_values);
    expect(resumed.times_resumed).toBeGreaterThan(0);
  },
);

test(
  "Ctrl-C saves a checkpoint, prints the command that resumes, and exits with 130",
  { timeout: lengthy },
  async () => {
    const cwd = await scratchFolder();
    const dataset = await makeDataset(cwd, "tensor");
    const train = ["train", "ht", "--dataset_path", dataset, ...shared];
    const running = startCli([...train, "--outputs_dir", "out"], { cwd });
    const folder = await onlyRun(join(cwd, "out"));
    await waitUntil(async () => (await countLines(folder)) >= 30);
    running.child.kill("SIGINT");
    const { code, stdout } = await running.ended;
    expect(code).toBe(130);
    const command = /Next: implicit-rank (runs resume \S+)\n$/.exec(stdout)?.[1];
    expect(command).toBe(`runs resume ${folder.slice(cwd.length + 1)}`);
    const shown = await runJson(["runs", "show", folder], { cwd });
    expect(shown.state).toBe("interrupted");
    expect(shown.checkpoints.length).toBeGreaterThan(0);
    expect(shown.checkpoints[0]).toBe(shown.epochs_done - 1);

    const resumed = await runJson(command!.split(" "), { cwd });
    expect(resumed).toMatchObject({ outcome: "completed", exit_code: 0 });
    const again = await runCli(["runs", "resume", folder], { cwd });
    expect(again).toMatchObject({ code: 2, stdout: "" });
    expect(again.stderr).toMatch(/^error: .*complete.*--epochs.*\n$/);
  },
);

test("a run is resumed from another folder, and extended with --epochs", async () => {
  const cwd = await scratchFolder();
  const dataset = (await makeDataset(cwd, "matrix")).slice(cwd.length + 1);
  const flags = ["--num_train_samples", "20", "--epochs", "10", "--save_checkpoints"];
  const { folder } = await runJson(["train", "mf", "--dataset_path", dataset, ...flags], { cwd });
  const extended = await runJson(["runs", "resume", join(cwd, folder), "--epochs", "15"], {
    cwd: "/",
  });
  expect(extended.summary).toMatchObject({ last_epoch: 14, outcome: "completed" });
  expect(await countLines(join(cwd, folder))).toBe(15);
});

test("on a terminal, progress is one line that is rewritten in place", async (context) => {
  if (spawnSync("script", ["--version"]).status !== 0) context.skip("needs the program script");
  const cwd = await scratchFolder();
  const dataset = await makeDataset(cwd, "tensor");
  const train = ["train", "ht", "--dataset_path", dataset, ...shared, "--outputs_dir", "out"];
  const command = [process.execPath, bin, ...train].map((word) => `'${word}'`).join(" ");
  const { stdout } = spawnSync("script", ["-qec", `stty cols 100; ${command}`, "/dev/null"], {
    cwd,
    encoding: "utf8",
    input: "",
    timeout: 60_000,
  });
  const drawn = stdout.split("\r").filter((part) => part.includes("epochs/s"));
  expect(drawn.length).toBeGreaterThan(2);
  expect(drawn[1]).toMatch(/\d+\/1500 epochs .*train_mse_loss .*epochs\/s .*ETA \d/);
  expect(stdout).not.toMatch(/Epoch \d+ - train_mse_loss/);
  expect(stdout).toMatch(/Next: implicit-rank runs show out\/exp_\S+/);
});
