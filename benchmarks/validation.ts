/**
 * What validation costs in the default training commands: milliseconds of a step and of a validation,
 * and the share of validation in a run with `--validate_every 25`.
 *
 *   node benchmarks/validation.ts [--threads 1] [--seconds 2]
 */
import { parseArgs } from "node:util";
import { listFlags, type Experiment } from "@implicit-rank/experiment-kit";
import { createRandom } from "@implicit-rank/random";
import { fullTensor, createFactorization } from "@implicit-rank/tensor-factorization";
import { factorizationExperiments } from "@implicit-rank/tensor-factorization/experiment";
import { cp } from "./factorization-cases.ts";
import { markdownTable, timePerStep } from "./timing.ts";

const { values: options } = parseArgs({
  options: {
    threads: { type: "string", default: "1" },
    seconds: { type: "string", default: "2" },
  },
});
const validateEvery = 25;

/** Completion of a random target with all entries in the set, as `data matrix` and `data tensor` draw it. */
function drawData(modeSizes: readonly number[]): Parameters<typeof factorizationExperiments>[0] {
  const random = createRandom(1);
  const target = createFactorization({
    ...cp(modeSizes.length, modeSizes[0], 5),
    modeSizes,
  } as never);
  random.fillNormal(target.values, 0, 1);
  const entries = Float32Array.from(fullTensor(target).data);
  const norm = Math.hypot(...entries);
  for (let i = 0; i < entries.length; i++) entries[i] *= Math.sqrt(entries.length) / norm;
  const order = random.sampleWithoutReplacement(entries.length, entries.length);
  const indices = new Int32Array(entries.length * modeSizes.length);
  order.forEach((position, s) => {
    let rest = position;
    for (let mode = modeSizes.length - 1; mode >= 0; mode--) {
      indices[s * modeSizes.length + mode] = rest % modeSizes[mode];
      rest = Math.floor(rest / modeSizes[mode]);
    }
  });
  const data = {
    kind: modeSizes.length === 2 ? ("matrix" as const) : ("tensor" as const),
    task: "completion" as const,
    modeSizes,
    samples: entries.length,
    indices,
    targets: Float32Array.from(order, (position) => entries[position]),
    targetTensor: entries,
    contentHash: "drawn",
  };
  return () => Promise.resolve(data);
}

/** The defaults of an experiment's flags, with the data set that `loadData` ignores the path of. */
function defaultFlags(experiment: Experiment<never>): Record<string, unknown> {
  const defaults = listFlags(experiment.flags).map(({ name, default: value }) => [name, value]);
  return {
    ...Object.fromEntries(defaults),
    dataset_path: "drawn",
    threads: Number(options.threads),
  };
}

const rows: string[][] = [];
for (const [index, modeSizes] of [
  [64, 64],
  [16, 16, 16],
  [16, 16, 16],
].entries()) {
  const experiment = factorizationExperiments(drawData(modeSizes))[index] as Experiment<never>;
  const trainable = await experiment.prepare(defaultFlags(experiment) as never, {
    random: createRandom(1),
    log: () => undefined,
  });
  const trained = new Float64Array(trainable.trainMetrics.length);
  const validated = new Float64Array(trainable.validationMetrics.length);
  const seconds = Number(options.seconds);
  const step = timePerStep(() => void trainable.trainBatch(0, trained), seconds).milliseconds;
  const validation = timePerStep(() => void trainable.validate(validated), seconds).milliseconds;
  const share = validation / (validation + validateEvery * step);
  rows.push([
    experiment.name,
    step.toFixed(3),
    validation.toFixed(3),
    `${(100 * share).toFixed(1)}%`,
  ]);
  await trainable.dispose?.();
}
console.log(
  markdownTable(["model", "step (ms)", "validation (ms)", `share at every ${validateEvery}`], rows),
);
