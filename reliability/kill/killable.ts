import { existsSync } from "node:fs";
import { mkdir, readdir, rename, rm } from "node:fs/promises";
import { join, relative } from "node:path";
import { contentHash, readSafetensors } from "@implicit-rank/array-files";
import { readSummary, showRun } from "@implicit-rank/experiment-kit";
import { doCli } from "../programs/call-cli.ts";
import { hashesBelow, resultOfRun, runsIn } from "../programs/run-results.ts";
import {
  makeImageFolder,
  matrixFlags,
  rawFlags,
  setFlags,
  tensorFlags,
} from "../programs/tiny-sets.ts";
import type { KillPlan } from "./kill-at.ts";

/** Work that is killed and gone on with, until it is done. */
export interface Killable {
  readonly name: string;
  readonly kills: number;
  /** Fills an empty folder with what the work needs. */
  prepare(folder: string): Promise<void>;
  /** The command that begins the work or goes on with it; undefined: it is done. */
  next(folder: string): Promise<string | undefined>;
  /** What must be the same in the end, however often it was killed. */
  result(folder: string): Promise<unknown>;
  /** Where kills strike, taken in turn. */
  readonly places: readonly KillPlan["where"][];
  /** What is wrong after a kill. */
  check?(folder: string): Promise<string | undefined>;
}

const place = (folder: string): string => join(folder, "outputs", "exps");

/** A run without a summary that is not being written is a killed one. */
async function statusProblem(folder: string): Promise<string | undefined> {
  for (const run of await runsIn(place(folder))) {
    const { status, summary } = await showRun(run);
    const expected = summary === undefined ? "killed" : summary.outcome;
    if (status !== expected) return `${run} is shown as ${status}, not ${expected}`;
  }
  return undefined;
}

function training(
  name: string,
  kills: number,
  command: string,
  prepare: (folder: string) => Promise<void>,
  places: Killable["places"] = ["main"],
): Killable {
  return {
    name,
    kills,
    prepare,
    places,
    check: statusProblem,
    async next(folder) {
      const [run, ...others] = await runsIn(place(folder));
      if (others.length > 0) throw new Error(`a second run: ${others.join(", ")}`);
      if (run === undefined) return command;
      const summary = await readSummary(run);
      const isDone = summary?.outcome === "completed";
      return isDone ? undefined : `runs resume ${relative(folder, run)} --quiet`;
    },
    async result(folder) {
      const [run] = await runsIn(place(folder));
      return resultOfRun(run!);
    },
  };
}

/** The file of a set whose name tells the time, under another. */
async function makeSet(folder: string, command: string, name: string): Promise<void> {
  await doCli(`${command} --output_dir made --quiet`, folder);
  const [made] = await readdir(join(folder, "made"));
  await rename(join(folder, "made", made!), join(folder, name));
  await rm(join(folder, "made"), { recursive: true });
}

const matrix = (folder: string) => makeSet(folder, `data matrix ${matrixFlags}`, "m.safetensors");
const tensor = (folder: string) => makeSet(folder, `data tensor ${tensorFlags}`, "t.safetensors");

const cadence =
  "--epochs 40 --validate_every 2 --epoch_log_interval 1 --save_checkpoints --save_every_num_val 2 --num_checkpoints 2 --seed 1 --quiet";
const mf = `train mf --dataset_path m.safetensors --num_train_samples 30 ${cadence}`;
const onTensor = (model: string) =>
  `train ${model} --dataset_path t.safetensors --num_train_samples 64 ${cadence}`;
const sweep =
  "sweep mf --dataset_path m.safetensors --num_train_samples 30 --epochs 20 --validate_every 2 --save_checkpoints --save_every_num_val 2 --seed 0,1 --workers 1 --sweep_dir sweep --retry --quiet";

async function pairs(folder: string): Promise<void> {
  await makeImageFolder(join(folder, "images"));
  for (const [name, flags] of [
    ["train", "--train --num_samples 8"],
    ["test", "--num_samples 4"],
  ] as const) {
    const source = "--source folder --source_dir images --seed 1";
    await makeSet(folder, `data is-same ${source} ${flags}`, `${name}.safetensors`);
  }
}

async function raw(folder: string): Promise<void> {
  await doCli(`data pathfinder-raw ${rawFlags} --output_dir raw --quiet`, folder);
}

/** Sets whose name tells the time: a second attempt writes a second file, and the first is whole if it is there. */
function generation(
  name: string,
  kills: number,
  command: string,
  prepare = async () => {},
): Killable {
  const setsOf = async (folder: string): Promise<readonly string[]> => {
    const out = join(folder, "out");
    const names = existsSync(out) ? await readdir(out) : [];
    return names.filter((file) => file.endsWith(".safetensors")).map((file) => join(out, file));
  };
  return {
    name,
    kills,
    prepare: prepare as Killable["prepare"],
    places: ["main"],
    next: async (folder) => ((await setsOf(folder)).length > 0 ? undefined : command),
    async result(folder) {
      const hashes = (await setsOf(folder)).map(async (set) =>
        contentHash(await readSafetensors(set)),
      );
      return [...new Set(await Promise.all(hashes))];
    },
  };
}

const withoutUnfinished = async (folder: string): Promise<unknown> =>
  Object.entries(await hashesBelow(folder)).filter(([name]) => !name.endsWith(".tmp"));

/** All that is long enough to be killed; 100 kills in all. */
export const killables: readonly Killable[] = [
  training("train mf with TensorBoard", 30, `${mf} --tensorboard`, matrix),
  training("train mf with plots", 3, `${mf} --save_metric_plots`, matrix, ["thread", "main"]),
  training("train cp", 14, `${onTensor("cp")} --num_cp_components 3`, tensor),
  training("train ht", 14, `${onTensor("ht")} --ht_layer_widths 3 3 --batch_size 16`, tensor),
  training(
    "train is-same",
    4,
    "train is-same --train_dataset_path train.safetensors --test_dataset_path test.safetensors --source_dir images --input_height 10 --input_width 20 --model_width 2 --batch_size 3 --epochs 4 --save_checkpoints --threads 1 --seed 1 --quiet",
    pairs,
  ),
  {
    name: "sweep",
    kills: 8,
    prepare: matrix,
    places: ["main", "worker"],
    async next(folder) {
      const runs = await runsIn(join(folder, "sweep"));
      const summaries = await Promise.all(runs.map((run) => readSummary(run)));
      const ended = summaries.filter((summary) => summary?.outcome === "completed").length;
      return ended === 2 && existsSync(join(folder, "sweep", "results.json")) ? undefined : sweep;
    },
    result: async (folder) => Promise.all((await runsIn(join(folder, "sweep"))).map(resultOfRun)),
  },
  generation("data matrix", 5, `data matrix ${matrixFlags} --output_dir out --quiet`),
  generation("data tensor", 4, `data tensor ${tensorFlags} --output_dir out --quiet`),
  generation(
    "data is-same",
    4,
    "data is-same --source folder --source_dir images --num_samples 8 --seed 1 --preview --output_dir out --quiet",
    (async (folder: string) => makeImageFolder(join(folder, "images"))) as () => Promise<void>,
  ),
  {
    name: "data pathfinder-raw",
    kills: 9,
    prepare: async (folder) => void (await mkdir(join(folder, "out"), { recursive: true })),
    places: ["thread", "main"],
    next: async (folder) =>
      existsSync(join(folder, "out", "curv_contour_length_3", "metadata.npy"))
        ? undefined
        : `data pathfinder-raw ${rawFlags} --output_dir out --quiet`,
    result: (folder) => withoutUnfinished(join(folder, "out")),
  },
  {
    name: "data pathfinder",
    kills: 5,
    prepare: raw,
    places: ["main"],
    next: async (folder) =>
      existsSync(join(folder, "out")) &&
      (await readdir(join(folder, "out"))).some((name) => name.endsWith(".safetensors"))
        ? undefined
        : `data pathfinder --dataset_path raw --output_dir out ${setFlags} --quiet`,
    result: (folder) => withoutUnfinished(join(folder, "out")),
  },
];
