import { createRandom, type Random } from "@implicit-rank/random";
import { flagError } from "../error.ts";
import { parseOptions, resolveSeed } from "../flags.ts";
import { frobeniusNorm, MAX_ELEMENTS, type FactorizationDataset } from "./dataset.ts";
import {
  matrixDatasetFlags,
  matrixTargetNorm,
  type MatrixDatasetFlags,
  type MatrixDatasetOptions,
} from "./matrix-flags.ts";
import { recordProvenance } from "../provenance.ts";

/**
 * Observations y_i = ⟨A_i, W⟩ of a random low-rank matrix W = U Vᵀ (U: rows × rank, V: columns × rank,
 * standard normal; V = U if symmetric), scaled to a Frobenius norm.
 * Completion: A_i is one at an entry, entries drawn uniformly without replacement (row = index ÷ columns,
 * at most all entries). Sensing: A_i has independent entries normal(0, 1) / √(rows · columns).
 * The target depends on the seed and the sizes only, not on the task or the number of samples.
 *
 * @throws DatasetError (exit code 2) that names the wrong flag
 */
export function generateMatrixDataset(options: MatrixDatasetOptions): FactorizationDataset {
  const flags = parseOptions(matrixDatasetFlags, options);
  refuseImpossible(flags);
  const seed = resolveSeed(flags.random_seed);
  const random = createRandom(seed);
  const targetTensor = drawTarget(flags, random.fork("target"));
  const modeSizes = [flags.num_rows, flags.num_cols];
  const observations =
    flags.task_type === "completion"
      ? drawEntries(flags, targetTensor, random.fork("samples"))
      : drawSensingMatrices(flags, targetTensor, random.fork("samples"));
  return {
    kind: "matrix",
    task: flags.task_type,
    modeSizes,
    ...observations,
    targetTensor,
    provenance: recordProvenance("data matrix", flags, seed),
  };
}

function refuseImpossible(flags: MatrixDatasetFlags): void {
  const { num_rows, num_cols, rank, num_samples } = flags;
  if (flags.use_symmetric_target && num_rows !== num_cols) {
    throw flagError(
      "use_symmetric_target",
      `a ${num_rows} × ${num_cols} matrix cannot be symmetric; make --num_rows and --num_cols equal`,
    );
  }
  if (num_rows * num_cols > MAX_ELEMENTS) {
    throw flagError(
      "num_rows",
      `${num_rows} × ${num_cols} entries do not fit memory; use a smaller matrix`,
    );
  }
  if (Math.max(num_rows, num_cols) * rank > MAX_ELEMENTS) {
    throw flagError("rank", `factors of rank ${rank} do not fit memory; use a smaller rank`);
  }
  if (flags.task_type === "sensing" && num_samples * num_rows * num_cols > MAX_ELEMENTS) {
    throw flagError(
      "num_samples",
      `${num_samples} matrices of ${num_rows} × ${num_cols} do not fit memory; use fewer or smaller ones`,
    );
  }
}

/** W = U Vᵀ scaled in float64, then rounded. */
function drawTarget(flags: MatrixDatasetFlags, random: Random): Float32Array {
  const { num_rows: rows, num_cols: cols, rank } = flags;
  const u = new Float64Array(rows * rank);
  random.fillNormal(u, 0, 1);
  const v = flags.use_symmetric_target ? u : new Float64Array(cols * rank);
  if (v !== u) random.fillNormal(v, 0, 1);
  const product = new Float64Array(rows * cols);
  for (let row = 0; row < rows; row++) {
    for (let col = 0; col < cols; col++) {
      let sum = 0;
      for (let k = 0; k < rank; k++) sum += u[row * rank + k]! * v[col * rank + k]!;
      product[row * cols + col] = sum;
    }
  }
  const scale = matrixTargetNorm(flags) / frobeniusNorm(product);
  return Float32Array.from(product, (value) => value * scale);
}

interface Observations {
  readonly samples: number;
  readonly indices?: Int32Array;
  readonly inputs?: Float32Array;
  readonly targets: Float32Array;
}

function drawEntries(
  flags: MatrixDatasetFlags,
  target: Float32Array,
  random: Random,
): Observations {
  const { num_rows: rows, num_cols: cols } = flags;
  const samples = Math.min(flags.num_samples, rows * cols);
  const entries = random.sampleWithoutReplacement(rows * cols, samples);
  const indices = new Int32Array(2 * samples);
  const targets = new Float32Array(samples);
  entries.forEach((entry, sample) => {
    indices[2 * sample] = Math.floor(entry / cols);
    indices[2 * sample + 1] = entry % cols;
    targets[sample] = target[entry]!;
  });
  return { samples, indices, targets };
}

function drawSensingMatrices(
  flags: MatrixDatasetFlags,
  target: Float32Array,
  random: Random,
): Observations {
  const samples = flags.num_samples;
  const entries = target.length;
  const inputs = new Float32Array(samples * entries);
  random.fillNormal(inputs, 0, 1 / Math.sqrt(entries));
  const targets = new Float32Array(samples);
  for (let sample = 0; sample < samples; sample++) {
    const start = sample * entries;
    let sum = 0;
    for (let i = 0; i < entries; i++) sum += inputs[start + i]! * target[i]!;
    targets[sample] = sum;
  }
  return { samples, inputs, targets };
}
