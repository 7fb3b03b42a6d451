import { createHash } from "node:crypto";
import { join } from "node:path";
import {
  expandGrid,
  type Experiment,
  experimentFlags,
  type FlagInfo,
  listFlags,
  nearest,
  parseFlags,
  runSweep,
  type SweepTask,
} from "@implicit-rank/experiment-kit";
import type { CommandDefinition, TypedFlags } from "../command.ts";
import { UsageError } from "../errors.ts";
import { allExperiments } from "../experiments.ts";
import { seedAlias } from "../flags/seed-alias.ts";
import type { Output } from "../output/output.ts";
import { adjustFlag } from "../sweep/adjust-flag.ts";
import { commandAgain } from "../sweep/command-again.ts";
import { defaultWorkers } from "../sweep/default-workers.ts";
import { finishSweep } from "../sweep/finish-sweep.ts";
import { checkOutput } from "../sweep/results.ts";
import { slurmFlags, sweepFlags } from "../sweep/sweep-flags.ts";
import { sweepOnSlurm } from "../sweep/sweep-on-slurm.ts";
import { progressStream } from "../sweep/progress-stream.ts";
import { workerModule } from "../sweep/worker-module.ts";

export function sweep(): CommandDefinition {
  const experiments = allExperiments();
  return {
    description:
      'Runs a grid: every combination of the values of the train flags that are given with several. Values are separated by commas (--lr 0.01,0.001), those of lists by semicolons (--ht_layer_widths "128 128;512 512"), 0..4 are the integers from 0 to 4, and mf=A,cp+ht=B gives a kind its own. Each run has a folder of its own in the folder of the sweep. Given again, the command goes on: finished runs are left alone, interrupted ones resumed.',
    operands: [
      {
        name: "kinds",
        description: `what to train: ${experiments.map(({ name }) => name).join(", ")}, or several separated by commas`,
      },
    ],
    flagGroups: [
      { title: "Options", flags: listFlags(sweepFlags) },
      { title: "Options of --executor slurm", flags: listFlags(slurmFlags) },
      { title: "Train flags, each with one value or several", flags: gridFlags(experiments) },
    ],
    aliases: seedAlias,
    examples: [
      "implicit-rank sweep mf --dataset_path DATA.safetensors --lr 0.01,0.001 --seed 0..4",
      "implicit-rank sweep mf,cp,ht --dataset_path mf=MATRIX.safetensors,cp+ht=TENSOR.safetensors --seed 0..4 --epochs 20000 --validate_every 25 --epoch_log_interval 25 --plot_config_path mf_tf_htf_dyn",
      "implicit-rank sweep cp --dataset_path DATA.safetensors --seed 0..99 --executor slurm --slurm_time 30 --wait",
    ],
    run: ({ flags, operands, output }) => runCommand(experiments, operands[0]!, flags, output),
  };
}

async function runCommand(
  experiments: readonly Experiment[],
  kinds: string,
  typed: TypedFlags,
  output: Output,
): Promise<number> {
  const own = parseFlags(sweepFlags, pick(typed, sweepFlags.shape));
  const slurm = parseFlags(slurmFlags, pick(typed, slurmFlags.shape));
  await checkOutput(own);
  const chosen = chooseKinds(experiments, kinds);
  const grid = Object.fromEntries(
    Object.entries(typed).filter(
      ([name]) => !(name in sweepFlags.shape) && !(name in slurmFlags.shape),
    ),
  );
  const expand = (folder: string): readonly SweepTask[] =>
    expandGrid(chosen, grid, { folder, adjust: adjustFlag });
  const folder = own.sweep_dir === "" ? defaultFolder(kinds, expand("outputs")) : own.sweep_dir;
  const planned = { folder, tasks: expand(folder) };
  const again = commandAgain();
  if (own.executor === "slurm")
    return sweepOnSlurm({ planned, flags: { ...own, ...slurm }, again, output });
  if (slurm.status) throw new UsageError("--status: is for --executor slurm; see sweep status");
  output.note(`Sweep of ${planned.tasks.length} runs in ${folder}`);
  const stream = progressStream(output);
  const result = await runSweep(planned, {
    workerModule,
    workers: own.workers ?? defaultWorkers(planned.tasks),
    retry: own.retry,
    ...(stream === undefined ? {} : { stream }),
  });
  return finishSweep({ folder, ...result, flags: own, again }, output);
}

function pick(typed: TypedFlags, shape: object): TypedFlags {
  return Object.fromEntries(Object.entries(typed).filter(([name]) => name in shape));
}

function chooseKinds(experiments: readonly Experiment[], text: string): readonly Experiment[] {
  const names = experiments.map(({ name }) => name);
  return [...new Set(text.split(","))].map((kind) => {
    const experiment = experiments.find(({ name }) => name === kind);
    if (experiment !== undefined) return experiment;
    const similar = nearest(kind, names);
    throw new UsageError(
      `${kind}: is no kind of experiment; ${similar === undefined ? `give ${names.join(", ")}` : `did you mean ${similar}?`}`,
    );
  });
}

/** The same for the same grid, so that the same command finds its runs again. */
function defaultFolder(kinds: string, tasks: readonly SweepTask[]): string {
  const identities = tasks.map(({ identity }) => identity).sort();
  const hash = createHash("sha256").update(identities.join()).digest("hex").slice(0, 8);
  return join("outputs", "sweeps", `${kinds.replaceAll(",", "-")}_${hash}`);
}

/** The flags of all kinds; where the kinds have different defaults, none is shown. */
function gridFlags(experiments: readonly Experiment[]): readonly FlagInfo[] {
  const flags = new Map<string, FlagInfo>();
  for (const flag of experiments.flatMap((experiment) => experimentFlags(experiment))) {
    const known = flags.get(flag.name);
    const differs = known !== undefined && String(known.default) !== String(flag.default);
    // The folder of a sweep's runs is --sweep_dir.
    if (flag.name === "outputs_dir") continue;
    flags.set(flag.name, differs ? { ...known, default: undefined } : flag);
  }
  return [...flags.values()].map((flag) =>
    flag.name === "random_seed" ? { ...flag, default: 0, description: seedDescription } : flag,
  );
}

const seedDescription = "seeds of the runs";
