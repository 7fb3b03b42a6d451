import { cp, mkdir, mkdtemp, readdir, realpath, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { CANNOT_MOUNT, mountSmallDisk } from "../mounts/small-disk.ts";
import { callCli, doCli } from "../programs/call-cli.ts";
import { hashesBelow } from "../programs/run-results.ts";
import { rawFlags, setFlags } from "../programs/tiny-sets.ts";
import { writingCommands } from "../writes/writing-commands.ts";

const scratch = await realpath(await mkdtemp(join(tmpdir(), "reliability-read-only-")));
const disk = mountSmallDisk(8192);
afterAll(async () => {
  disk?.remove();
  await rm(scratch, { recursive: true, force: true });
});
const place = disk?.folder ?? "";

describe.runIf(disk !== undefined)("a run folder that is read-only", () => {
  beforeAll(async () => {
    const prepared = join(scratch, "prepared");
    await mkdir(prepared);
    const commands = await writingCommands(prepared);
    const { prepared: withRun } = commands.find(({ name }) => name === "plot dynamics")!;
    const { prepared: withSweep } = commands.find(({ name }) => name.startsWith("sweep"))!;
    await cp(withRun, place, { recursive: true });
    await cp(join(withSweep, "sweep"), join(place, "sweep"), { recursive: true });
    await doCli(`data pathfinder-raw ${rawFlags} --output_dir raw --quiet`, place);
    disk!.makeReadOnly();
  }, 120_000);

  it.each([
    "runs list RO/runs",
    "runs show RO/runs/one",
    "runs compare RO/runs --output table.csv",
    "report RO/runs --output page.html",
    "plot dynamics RO/runs/one --plot_config_path RO/figure.json --save_plot_to f",
    "plot locality --experiments_dir RO --experiment_groups_dir_names runs --per_experiment_group_y_axis_value_name train_mse_loss --x_axis_value_name epochs --save_plot_to g",
    "sweep status RO/sweep",
    "train mf --dataset_path RO/m.safetensors --num_train_samples 30 --epochs 2 --quiet",
    "train mf --dataset_path RO/m.safetensors --num_train_samples 30 --epochs 2 --trainer_checkpoint RO/runs/one --quiet",
    `data pathfinder --dataset_path RO/raw --output_dir sets ${setFlags}`,
  ])("can be read: %s", async (command) => {
    const before = await hashesBelow(place);
    const { code, stderr } = await callCli(command.replaceAll("RO", place), scratch);
    expect({ code, stderr: code === 0 ? "" : stderr }).toEqual({ code: 0, stderr: "" });
    expect(await hashesBelow(place)).toEqual(before);
  });

  it.each([
    ["runs resume RO/runs/one --epochs 60", "RO/runs/one"],
    ["report RO/runs --output RO/page.html", "RO/page.html"],
    ["runs compare RO/runs --output RO/table.csv", "RO/table.csv"],
    ["plot dynamics RO/runs/one --plot_config_path RO/figure.json --save_plot_to RO/f", "RO/f"],
    [
      "train mf --dataset_path RO/m.safetensors --num_train_samples 30 --outputs_dir RO/new",
      "--outputs_dir: RO/new",
    ],
    [
      "sweep mf --dataset_path RO/m.safetensors --num_train_samples 30 --seed 0,1 --sweep_dir RO/other",
      "RO/other",
    ],
    ["data matrix --output_dir RO/new", "RO/new"],
    ["data tensor --output_dir RO/new", "RO/new"],
    [`data pathfinder-raw ${rawFlags} --output_dir RO/new`, "RO/new"],
    [`data pathfinder --dataset_path RO/raw --output_dir RO/new ${setFlags}`, "RO/new"],
    ["data convert RO/m.safetensors RO/m.npz", "RO/m.npz"],
  ])("cannot be written, in one line that names it: %s", async (command, named) => {
    const before = await hashesBelow(place);
    const { code, stderr } = await callCli(`${command} --quiet`.replaceAll("RO", place), scratch);
    expect([1, 2]).toContain(code);
    const errors = stderr.split("\n").filter((line) => line !== "");
    expect(errors).toHaveLength(1);
    expect(errors[0]).toContain(named.replace("RO", place));
    expect(errors[0]).toMatch(/^error: .*(read-only|EROFS).*; choose /);
    expect(await hashesBelow(place)).toEqual(before);
    expect((await readdir(place)).includes("new")).toBe(false);
  });
});

if (disk === undefined)
  describe("a run folder that is read-only", () => {
    it("is tried", (context) => context.skip(CANNOT_MOUNT));
  });
