import { createRandom, type Random } from "@implicit-rank/random";
import { DatasetError, flagError } from "../error.ts";
import { parseOptions, resolveSeed } from "../flags.ts";
import { MAX_ELEMENTS, type FactorizationDataset, type TensorTarget } from "./dataset.ts";
import { recordProvenance } from "../provenance.ts";
import {
  checkHierarchicalRank,
  tensorDatasetFlags,
  type TensorDatasetFlags,
  type TensorDatasetOptions,
} from "./tensor-flags.ts";

/**
 * Observations of a target tensor T with N modes of size d.
 * Completion: entries at distinct index tuples drawn uniformly (at most all dᴺ). Sensing: inputs
 * X_i (N × d) with independent entries normal(0, 1) / (dᴺ)^(1/(2N)), measured by the target as
 * ⟨x_1 ⊗ … ⊗ x_N, T⟩.
 *
 * @param target the normalized target, with the mode sizes of the flags; its parameters should be drawn
 *   from `createRandom(seed).fork("target")`, which shares nothing with what is drawn here
 * @throws DatasetError (exit code 2) that names the wrong flag
 */
export function generateTensorDataset(
  options: TensorDatasetOptions,
  target: TensorTarget,
): FactorizationDataset {
  const flags = checkTensorFlags(parseOptions(tensorDatasetFlags, options));
  const modeSizes = new Array<number>(flags.order).fill(flags.mode_dim_size);
  refuseOtherTarget(modeSizes, target);
  const seed = resolveSeed(flags.random_seed);
  const random = createRandom(seed).fork("samples");
  const observations =
    flags.task_type === "completion"
      ? drawEntries(flags, target, random)
      : drawInputs(flags, target, random);
  return {
    kind: "tensor",
    task: flags.task_type,
    modeSizes,
    ...observations,
    targetTensor: target.tensor,
    provenance: recordProvenance("data tensor", flags, seed),
  };
}

/**
 * The checks that concern several flags, to be made before the target is built; returns the flags.
 * @throws DatasetError (exit code 2)
 */
export function checkTensorFlags(flags: TensorDatasetFlags): TensorDatasetFlags {
  const { order, mode_dim_size: size, num_samples: samples } = flags;
  checkHierarchicalRank(flags);
  if (size ** order > MAX_ELEMENTS) {
    throw flagError(
      "order",
      `${size}^${order} entries do not fit memory; use a smaller order or mode_dim_size`,
    );
  }
  if (flags.task_type === "sensing" && samples * order * size > MAX_ELEMENTS) {
    throw flagError(
      "num_samples",
      `${samples} inputs of ${order} × ${size} do not fit memory; use fewer`,
    );
  }
  return flags;
}

function refuseOtherTarget(modeSizes: readonly number[], target: TensorTarget): void {
  const entries = modeSizes.reduce((product, size) => product * size, 1);
  if (target.modeSizes.join() !== modeSizes.join() || target.tensor.length !== entries) {
    throw new DatasetError(
      `target: has mode sizes ${target.modeSizes.join(" × ")}, the flags ask for ${modeSizes.join(" × ")}; build it from the same flags`,
      2,
    );
  }
}

interface Observations {
  readonly samples: number;
  readonly indices?: Int32Array;
  readonly inputs?: Float32Array;
  readonly targets: Float32Array;
}

function drawEntries(
  flags: TensorDatasetFlags,
  target: TensorTarget,
  random: Random,
): Observations {
  const { order, mode_dim_size: size } = flags;
  const samples = Math.min(flags.num_samples, target.tensor.length);
  const entries = random.sampleWithoutReplacement(target.tensor.length, samples);
  const indices = new Int32Array(samples * order);
  const targets = new Float32Array(samples);
  entries.forEach((entry, sample) => {
    let rest = entry;
    for (let mode = order - 1; mode >= 0; mode--) {
      indices[sample * order + mode] = rest % size;
      rest = Math.floor(rest / size);
    }
    targets[sample] = target.tensor[entry]!;
  });
  return { samples, indices, targets };
}

function drawInputs(flags: TensorDatasetFlags, target: TensorTarget, random: Random): Observations {
  const { order, mode_dim_size: size, num_samples: samples } = flags;
  const inputs = new Float32Array(samples * order * size);
  random.fillNormal(inputs, 0, 1 / Math.sqrt(size)); // (dᴺ)^(1/(2N)) = √d
  const targets = target.measure(inputs, samples);
  if (targets.length !== samples) {
    throw new DatasetError(`target: measured ${targets.length} values for ${samples} inputs`, 1);
  }
  return { samples, inputs, targets };
}
