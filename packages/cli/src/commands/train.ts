import { readFactorizationDataset } from "@implicit-rank/datasets";
import {
  type Experiment,
  experimentFlags,
  listFlags,
  runExperiment,
} from "@implicit-rank/experiment-kit";
import { isSameExperiment, pathfinderExperiment } from "@implicit-rank/locality-bias/experiment";
import {
  cpExperiment,
  hierarchicalExperiment,
  matrixExperiment,
} from "@implicit-rank/tensor-factorization/experiment";
import type { CommandDefinition } from "../command.ts";
import { experimentEnvironment } from "../experiments.ts";
import { seedAlias } from "../flags/seed-alias.ts";
import { adjustFlag } from "../sweep/adjust-flag.ts";
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

export function trainIsSame(): CommandDefinition {
  return trainCommand(isSameExperiment(experimentEnvironment()), {
    description:
      "Trains a convolutional network to tell whether two images on a canvas are of the same class, at a distance that a network's local layers do not bridge easily.",
    example:
      "implicit-rank train is-same --train_dataset_path TRAIN.safetensors --test_dataset_path TEST.safetensors --distance 64 --num_train_samples 5000 --epochs 150 --stop_on_perfect_train_acc",
    cadence: "--save_checkpoints --seed 1",
  });
}

export function trainPathfinder(): CommandDefinition {
  return trainCommand(pathfinderExperiment(experimentEnvironment()), {
    description:
      "Trains a convolutional network to tell whether two points of an image are connected by a path, which is the harder the longer the paths are.",
    example:
      "implicit-rank train pathfinder --dataset_path LENGTH_9.safetensors --grad_change_reg_coeff 0.1 --reg_distance 8 --epochs 150 --stop_on_perfect_train_acc",
    cadence: "--save_checkpoints --seed 1",
  });
}

const usualCadence =
  "--validate_every 25 --epoch_log_interval 25 --save_every_num_val 50 --save_checkpoints --save_metric_plots --seed 1";

function trainCommand<Config>(
  experiment: Experiment<Config>,
  texts: { readonly description: string; readonly example: string; readonly cadence?: string },
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
    examples: [`${texts.example} ${texts.cadence ?? usualCadence}`],
    async run({ flags, output }) {
      const adjusted = Object.fromEntries(
        Object.entries(flags).map(([name, value]) => [name, adjustFlag(name, value)]),
      );
      const result = await runExperiment(experiment, adjusted, runOptions(output));
      return reportRun(result, output);
    },
  };
}
