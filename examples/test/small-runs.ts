import { type Experiment, runExperiment } from "@implicit-rank/experiment-kit";
import { createRandom } from "@implicit-rank/random";
import {
  cpSpec,
  createFactorization,
  fullTensor,
  initializeNormal,
} from "@implicit-rank/tensor-factorization";
import {
  factorizationExperiments,
  type LoadData,
} from "@implicit-rank/tensor-factorization/experiment";

const product = (sizes: readonly number[]): number => sizes.reduce((all, size) => all * size, 1);

/** All entries of a random tensor of rank 2, in the place of a data set file. */
function rankTwo(modeSizes: readonly number[]): LoadData {
  const target = createFactorization(cpSpec({ modeSizes, components: 2 }));
  initializeNormal(target, createRandom(1), { std: 1 });
  const targets = Float32Array.from(fullTensor(target).data);
  const strides = modeSizes.map((_, mode) => product(modeSizes.slice(mode + 1)));
  const indices = Int32Array.from(
    Array.from(targets.keys()).flatMap((entry) =>
      modeSizes.map((size, mode) => Math.floor(entry / strides[mode]!) % size),
    ),
  );
  return () =>
    Promise.resolve({
      kind: modeSizes.length === 2 ? "matrix" : "tensor",
      task: "completion",
      modeSizes,
      samples: targets.length,
      indices,
      targets,
      targetTensor: targets,
      contentHash: "drawn",
    });
}

const models = {
  mf: { modeSizes: [8, 8], flags: {} },
  cp: { modeSizes: [5, 5, 5], flags: { init_std: 0.05 } },
  // The first layer pools three nodes, with a remainder of one.
  ht: {
    modeSizes: [3, 3, 3, 3],
    flags: { ht_layer_widths: [4, 3], ht_pool_size: 3, init_std: 0.3 },
  },
} as const;

/** A run of 400 epochs with checkpoints after each 200; returns its folder. */
export async function trainSmallRun(name: keyof typeof models, outputs: string): Promise<string> {
  const { modeSizes, flags } = models[name];
  const experiments = factorizationExperiments(rankTwo(modeSizes)) as readonly Experiment[];
  const { folder } = await runExperiment(
    experiments.find((experiment) => experiment.name === name)!,
    {
      ...flags,
      dataset_path: "drawn",
      num_train_samples: product(modeSizes),
      ...(name === "mf" ? {} : { num_test_samples: 0 }),
      epochs: 400,
      validate_every: 10,
      epoch_log_interval: 10,
      save_every_num_val: 20,
      save_checkpoints: true,
      num_checkpoints: 2,
      random_seed: 1,
      outputs_dir: outputs,
    },
    { output: "quiet" },
  );
  return folder;
}
