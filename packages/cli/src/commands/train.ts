import { resolve } from "node:path";
import { readFactorizationDataset } from "@implicit-rank/datasets";
import {
  type Experiment,
  experimentFlags,
  listFlags,
  runExperiment,
} from "@implicit-rank/experiment-kit";
import {
  cpExperiment,
  hierarchicalExperiment,
  matrixExperiment,
} from "@implicit-rank/tensor-factorization/experiment";
import type { CommandDefinition } from "../command.ts";
import { seedAlias } from "../flags/seed-alias.ts";
import { reportRun, runOptions } from "./report-run.ts";

export function trainMatrix(): CommandDefinition {
  return trainCommand(matrixExperiment(readFactorizationDataset), {
    description:
      "Trains a product of matrices on a matrix data set by gradient descent, and records how the rank of the product grows.",
    example: "implicit-rank train mf --dataset_path DATA.safetensors --epochs 10000",
  });
}

export function trainCp(): CommandDefinition {
  return trainCommand(cpExperiment(readFactorizationDataset), {
    description:
      "Trains a CP factorization on a tensor data set by gradient descent, and records how its components grow.",
    example: "implicit-rank train cp --dataset_path DATA.safetensors --epochs 10000",
  });
}

export function trainHierarchical(): CommandDefinition {
  return trainCommand(hierarchicalExperiment(readFactorizationDataset), {
    description:
      "Trains a hierarchical tensor factorization on a tensor data set by gradient descent, and records how its local components and the ranks of the matricizations along its mode tree grow.",
    example:
      "implicit-rank train ht --dataset_path DATA.safetensors --ht_layer_widths 512 512 --epochs 20000",
  });
}

const usualCadence =
  "--validate_every 25 --epoch_log_interval 25 --save_every_num_val 50 --save_checkpoints --save_metric_plots --seed 1";

function trainCommand<Config>(
  experiment: Experiment<Config>,
  texts: { readonly description: string; readonly example: string },
): CommandDefinition {
  const own = listFlags(experiment.flags);
  const ownNames = new Set(own.map((flag) => flag.name));
  const shared = experimentFlags(experiment as Experiment).filter(
    ({ name }) => !ownNames.has(name),
  );
  return {
    description: texts.description,
    flagGroups: [
      { title: `Options of train ${experiment.name}`, flags: own },
      { title: "Options of every train command", flags: shared },
    ],
    aliases: seedAlias,
    examples: [`${texts.example} ${usualCadence}`],
    async run({ flags, output }) {
      const { dataset_path: path } = flags;
      // A run can be resumed from anywhere, so its data set is named by its whole path.
      const found = typeof path === "string" && path !== "" ? { dataset_path: resolve(path) } : {};
      const result = await runExperiment(experiment, { ...flags, ...found }, runOptions(output));
      return reportRun(result, output);
    },
  };
}
