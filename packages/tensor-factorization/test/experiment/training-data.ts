import { type Experiment, sharedFlags, type Trainable } from "@implicit-rank/experiment-kit";
import { createRandom } from "@implicit-rank/random";
import type { FactorizationData } from "../../src/experiment/index.ts";
import { entryCount, type FactorizationSpec, fullTensor, modeSizesOf } from "../../src/index.ts";
import { randomFactorization, randomInputs } from "../arbitraries.ts";
import { allTuples, denseInputs, valueByDefinition } from "../definition.ts";

/** Every entry of a random tensor of this factorization's rank, in row-major order. */
export function completionData(spec: FactorizationSpec): FactorizationData {
  const targetTensor = Float32Array.from(fullTensor(randomFactorization(spec, 21)).data);
  const modeSizes = modeSizesOf(spec);
  return {
    ...shapeOf(spec),
    task: "completion",
    samples: entryCount(spec),
    indices: Int32Array.from(allTuples(modeSizes).flat()),
    targets: targetTensor.slice(),
    targetTensor,
  };
}

/** Random measurements of such a tensor. */
export function sensingData(spec: FactorizationSpec, samples: number): FactorizationData {
  const target = randomFactorization(spec, 22);
  const inputs = randomInputs(spec, samples, 23);
  const observations = { task: "sensing", inputs, targets: new Float32Array(0), samples } as const;
  return {
    ...shapeOf(spec),
    task: "sensing",
    samples,
    inputs,
    targets: Float32Array.from(denseInputs(target, observations), (input) =>
      valueByDefinition(target, input),
    ),
    targetTensor: Float32Array.from(fullTensor(target).data),
  };
}

function shapeOf(
  spec: FactorizationSpec,
): Pick<FactorizationData, "kind" | "modeSizes" | "contentHash"> {
  return {
    kind: spec.kind === "mf" ? "matrix" : "tensor",
    modeSizes: modeSizesOf(spec),
    contentHash: `hash of ${spec.kind} data`,
  };
}

/** What `train` prepares with these flags, and the lines it logs. */
export async function prepare<Config>(
  experiment: Experiment<Config>,
  flags: Readonly<Record<string, unknown>>,
  seed = 31,
): Promise<{ trainable: Trainable; lines: string[] }> {
  const lines: string[] = [];
  const config = {
    ...sharedFlags.parse({}),
    ...experiment.flags.parse({ dataset_path: "data.safetensors", ...flags }),
  };
  const trainable = await experiment.prepare(
    config as Parameters<Experiment<Config>["prepare"]>[0],
    { random: createRandom(seed), log: (line) => lines.push(line) },
  );
  return { trainable, lines };
}

/** The metrics of the last of some epochs, train metrics averaged over samples as the kit does. */
export function trainEpochs(trainable: Trainable, epochs: number): Record<string, number> {
  const values = new Float64Array(trainable.trainMetrics.length);
  let averages = values;
  for (let epoch = 0; epoch < epochs; epoch++) {
    trainable.startEpoch?.(epoch);
    averages = new Float64Array(values.length);
    let samples = 0;
    for (let batch = 0; batch < trainable.batchesPerEpoch; batch++) {
      const size = trainable.trainBatch(batch, values) as number;
      samples += size;
      values.forEach((value, i) => (averages[i] += size * value));
    }
    averages = averages.map((sum) => sum / samples);
  }
  return Object.fromEntries(trainable.trainMetrics.map(({ name }, i) => [name, averages[i]]));
}

export function validate(trainable: Trainable): Record<string, number> {
  const values = new Float64Array(trainable.validationMetrics.length);
  void trainable.validate(values, () => undefined);
  return Object.fromEntries(trainable.validationMetrics.map(({ name }, i) => [name, values[i]]));
}
