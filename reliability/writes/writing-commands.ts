import { mkdir, readdir, rename, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { contentHash, readSafetensors } from "@implicit-rank/array-files";
import { readSummary } from "@implicit-rank/experiment-kit";
import { doCli } from "../programs/call-cli.ts";
import { hashesBelow, resultOfRun, runsIn } from "../programs/run-results.ts";
import {
  makeImageFolder,
  matrixFlags,
  rawFlags,
  setFlags,
  tensorFlags,
} from "../programs/tiny-sets.ts";
import type { WritingCommand } from "./fail-each.ts";

const trainFlags =
  "--num_train_samples 30 --epochs 40 --validate_every 5 --epoch_log_interval 5 --save_checkpoints --save_every_num_val 4 --seed 1 --quiet";

/** Every command that writes files, with what it needs in small. */
export async function writingCommands(folder: string): Promise<readonly WritingCommand[]> {
  const empty = join(folder, "empty");
  await mkdir(empty);
  const data = await prepareData(join(folder, "data-only"));
  const run = await prepareRun(join(folder, "with-a-run"));
  const sweep = await prepareSweep(join(folder, "with-a-sweep"));
  const images = join(folder, "with-images");
  await makeImageFolder(join(images, "images"));
  const raw = join(folder, "with-raw-images");
  await mkdir(raw);
  await doCli(`data pathfinder-raw ${rawFlags} --output_dir raw --quiet`, raw);
  const pairs = "--source folder --source_dir images --num_samples 8 --seed 1 --preview";
  const figure =
    "plot dynamics runs/one --plot_config_path figure.json --save_plot_to figures/f --quiet";
  return [
    ofData("data matrix", empty, `data matrix ${matrixFlags} --output_dir out --quiet`),
    ofData("data tensor", empty, `data tensor ${tensorFlags} --output_dir out --quiet`),
    ofData("data is-same", images, `data is-same ${pairs} --output_dir out --quiet`),
    {
      name: "data pathfinder-raw",
      prepared: empty,
      command: `data pathfinder-raw ${rawFlags} --output_dir out --quiet`,
      result: (at) => hashesBelow(join(at, "out")),
    },
    {
      ...ofData(
        "data pathfinder",
        raw,
        `data pathfinder --dataset_path raw --output_dir out ${setFlags} --quiet`,
      ),
      again: async () =>
        `data pathfinder --dataset_path raw --output_dir out ${setFlags} --force --quiet`,
    },
    ...["npz", "safetensors"].map((format) => ({
      name: `data convert to ${format}`,
      prepared: data,
      command: `data convert m.safetensors new.${format} --quiet`,
      again: async () => `data convert m.safetensors new.${format} --force --quiet`,
      result: hashesBelow,
    })),
    ofTraining(
      "train mf",
      data,
      `train mf --dataset_path m.safetensors ${trainFlags} --tensorboard`,
    ),
    ofExtension(run),
    {
      name: "plot dynamics",
      prepared: run,
      command: figure,
      again: async () => `${figure} --force`,
      result: (at) => hashesBelow(join(at, "figures")),
    },
    {
      name: "report",
      prepared: run,
      command: "report runs --output page.html --quiet",
      again: async () => "report runs --output page.html --force --quiet",
    },
    ...["csv", "json"].map((format) => ({
      name: `runs compare to ${format}`,
      prepared: run,
      command: `runs compare runs --output table.${format} --quiet`,
      again: async () => `runs compare runs --output table.${format} --force --quiet`,
      result: hashesBelow,
    })),
    {
      name: "sweep that is finished",
      prepared: sweep,
      command: finishedSweep(sweep),
      result: async (at) => resultOfRun((await runsIn(join(at, "sweep")))[0]!),
    },
  ];
}

/** Runs are found again by their settings, the path of the data among them: that must not move. */
const finishedSweep = (folder: string): string =>
  `sweep mf --dataset_path ${folder}/m.safetensors --num_train_samples 30 --epochs 2 --seed 0,1 --workers 1 --sweep_dir sweep --quiet`;

/** A generated data set: the name tells the time, so only the content must be the same. */
function ofData(name: string, prepared: string, command: string): WritingCommand {
  return {
    name,
    prepared,
    command,
    async result(folder) {
      const sets = (await readdir(join(folder, "out"))).filter((file) =>
        file.endsWith(".safetensors"),
      );
      const hashes = sets.map(async (set) =>
        contentHash(await readSafetensors(join(folder, "out", set))),
      );
      return [...new Set(await Promise.all(hashes))];
    },
  };
}

/** A run goes on with `runs resume`; one that has not begun leaves no folder, and begins. */
function ofTraining(name: string, prepared: string, command: string): WritingCommand {
  return {
    name,
    prepared,
    command,
    async again(folder) {
      const runs = await runsIn(join(folder, "outputs/exps"));
      if (runs.length > 1) throw new Error(`more than one run: ${runs.join(", ")}`);
      const [run] = runs;
      if (run === undefined) return command;
      const { outcome } = (await readSummary(run)) ?? {};
      return outcome === "completed" ? undefined : `runs resume ${relative(folder, run)} --quiet`;
    },
    result: async (folder) =>
      Promise.all((await runsIn(join(folder, "outputs/exps"))).map(resultOfRun)),
  };
}

/** A run that is extended; once that is recorded, it goes on like any other. */
function ofExtension(prepared: string): WritingCommand {
  const command = "runs resume runs/one --epochs 60 --quiet";
  return {
    name: "runs resume --epochs",
    prepared,
    command,
    async again(folder) {
      const summary = await readSummary(join(folder, "runs/one"));
      if (summary?.outcome !== "completed") return "runs resume runs/one --quiet";
      return summary.epochs_run === 60 ? undefined : command;
    },
    result: (folder) => resultOfRun(join(folder, "runs/one")),
  };
}

async function prepareData(folder: string): Promise<string> {
  await mkdir(folder, { recursive: true });
  await doCli(`data matrix ${matrixFlags} --output_dir made --quiet`, folder);
  const [name] = await readdir(join(folder, "made"));
  await rename(join(folder, "made", name!), join(folder, "m.safetensors"));
  return folder;
}

async function prepareRun(folder: string): Promise<string> {
  await prepareData(folder);
  await doCli(`train mf --dataset_path m.safetensors ${trainFlags} --outputs_dir runs`, folder);
  const [run] = await runsIn(join(folder, "runs"));
  await rename(run!, join(folder, "runs", "one"));
  const panel = {
    experiment_configs: [{ checkpoint_path: "", metric_names: ["train_mse_loss"] }],
    title: "loss",
    x_label: "epoch",
    y_label: "loss",
  };
  await writeFile(join(folder, "figure.json"), JSON.stringify({ ax_configs: [panel] }));
  return folder;
}

async function prepareSweep(folder: string): Promise<string> {
  await prepareData(folder);
  await doCli(finishedSweep(folder), folder);
  return folder;
}
