import {
  checkTensorFlags,
  frobeniusNorm,
  generateTensorDataset,
  resolveSeed,
  type TensorDatasetFlags,
  tensorDatasetFlags,
  tensorDatasetName,
  type TensorTarget,
  tensorTargetNorm,
} from "@implicit-rank/datasets";
import { listFlags, parseFlags } from "@implicit-rank/experiment-kit";
import { createRandom } from "@implicit-rank/random";
import {
  cpSpec,
  createFactorization,
  type FactorizationSpec,
  fullTensor,
  hierarchicalSpec,
  initializeNormal,
  normalize,
  parameterCount,
  parameterLayout,
  predict,
} from "@implicit-rank/tensor-factorization";
import ndarray from "ndarray";
import type { CommandDefinition } from "../command.ts";
import { UsageError } from "../errors.ts";
import { seedAlias } from "../flags/seed-alias.ts";
import { formatNumber } from "../output/quantities.ts";
import { saveAndDescribe } from "./save-dataset.ts";

export const dataTensor: CommandDefinition = {
  description:
    "Makes a data set of observations of a random tensor of low CP or hierarchical rank, for train cp and train ht.",
  flagGroups: [{ title: "Data set", flags: listFlags(tensorDatasetFlags) }],
  aliases: seedAlias,
  examples: [
    "implicit-rank data tensor --order 3 --mode_dim_size 16 --target_tensor_cp_rank 5 --seed 1",
    "implicit-rank data tensor --order 4 --mode_dim_size 8 --target_tensor_factorization_type ht --target_tensor_ht_rank 3 3",
  ],
  async run({ flags, output }) {
    const given = checkTensorFlags(parseFlags(tensorDatasetFlags, flags));
    const parsed = { ...given, random_seed: resolveSeed(given.random_seed) };
    const target = drawTensorTarget(parsed);
    const dataset = generateTensorDataset(parsed, target);
    const norm = frobeniusNorm(target.tensor);
    const place = {
      folder: parsed.output_dir,
      name: tensorDatasetName(parsed, new Date()),
      asked: parsed.num_samples,
    };
    const facts = {
      values: { frobenius_norm: norm },
      lines: [`target: ${describeRank(parsed)}, Frobenius norm ${formatNumber(norm)}`],
    };
    await saveAndDescribe(dataset, place, facts, output);
    return 0;
  },
};

/** A random factorization of the kind that the flags name, scaled to the norm that they ask for. */
export function drawTensorTarget(flags: TensorDatasetFlags): TensorTarget {
  if (flags.target_init_mean === 0 && flags.target_init_std === 0) {
    throw new UsageError(
      "--target_init_std: 0 with --target_init_mean 0 makes a tensor of zeros, which has no rank; give a deviation above 0",
    );
  }
  const spec = targetSpec(flags);
  const parameters = new Float64Array(parameterCount(parameterLayout(spec)));
  const factorization = createFactorization(spec, parameters);
  const random = createRandom(flags.random_seed).fork("target");
  initializeNormal(factorization, random, {
    mean: flags.target_init_mean,
    std: flags.target_init_std,
  });
  normalize(factorization, tensorTargetNorm(flags));
  const modeSizes = modeSizesOf(flags);
  return {
    modeSizes,
    tensor: Float32Array.from(fullTensor(factorization).data),
    measure(inputs, samples) {
      const shaped = ndarray(inputs, [samples, flags.order, flags.mode_dim_size]);
      return Float32Array.from(predict(factorization, shaped).data);
    },
  };
}

function targetSpec(flags: TensorDatasetFlags): FactorizationSpec {
  const modeSizes = modeSizesOf(flags);
  if (flags.target_tensor_factorization_type === "cp") {
    return cpSpec({ modeSizes, components: flags.target_tensor_cp_rank });
  }
  return hierarchicalSpec({
    modeSizes,
    widths: flags.target_tensor_ht_rank,
    poolSize: flags.target_tensor_ht_pool_size,
    poolPattern: flags.target_tensor_ht_pool_pattern,
  });
}

function modeSizesOf(flags: TensorDatasetFlags): readonly number[] {
  return new Array<number>(flags.order).fill(flags.mode_dim_size);
}

function describeRank(flags: TensorDatasetFlags): string {
  return flags.target_tensor_factorization_type === "cp"
    ? `CP rank ${flags.target_tensor_cp_rank}`
    : `hierarchical rank ${flags.target_tensor_ht_rank.join(" ")}`;
}
