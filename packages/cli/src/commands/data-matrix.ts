import {
  type FactorizationDataset,
  generateMatrixDataset,
  matrixDatasetFlags,
  matrixDatasetName,
  matrixTargetFacts,
} from "@implicit-rank/datasets";
import { listFlags, parseFlags } from "@implicit-rank/experiment-kit";
import type { CommandDefinition } from "../command.ts";
import { seedAlias } from "../flags/seed-alias.ts";
import { formatNumber } from "../output/quantities.ts";
import { type DatasetFacts, saveAndDescribe } from "./save-dataset.ts";

const singularValuesShown = 10;

export const dataMatrix: CommandDefinition = {
  description: "Makes a data set of observations of a random low-rank matrix, for train mf.",
  flagGroups: [{ title: "Data set", flags: listFlags(matrixDatasetFlags) }],
  aliases: seedAlias,
  examples: [
    "implicit-rank data matrix --task_type completion --num_rows 64 --num_cols 64 --rank 5 --seed 1",
  ],
  async run({ flags, output }) {
    const parsed = parseFlags(matrixDatasetFlags, flags);
    const dataset = generateMatrixDataset(parsed);
    const place = {
      folder: parsed.output_dir,
      name: matrixDatasetName(parsed, new Date()),
      asked: parsed.num_samples,
    };
    await saveAndDescribe(dataset, place, describeTarget(dataset), output);
    return 0;
  },
};

function describeTarget({ modeSizes, targetTensor }: FactorizationDataset): DatasetFacts {
  const target = { modeSizes, targetTensor: targetTensor! };
  const { singularValues, frobeniusNorm } = matrixTargetFacts(target, singularValuesShown);
  const shown = singularValues.map((value) => formatNumber(value)).join(" ");
  return {
    values: { singular_values: singularValues, frobenius_norm: frobeniusNorm },
    lines: [`target: Frobenius norm ${formatNumber(frobeniusNorm)}, singular values ${shown}`],
  };
}
