import type { Random } from "@implicit-rank/random";
import { restoreRandom } from "@implicit-rank/random";
import { z } from "zod";
import type { Experiment, Trainable } from "../src/index.ts";

const flags = z.object({
  samples: z.number().int().min(1).default(32).describe("number of samples"),
  batch_size: z.number().int().default(8).describe("samples per batch; 0 or less: all"),
  lr: z.number().positive().default(0.01).describe("learning rate"),
  momentum: z.number().min(0).max(1).default(0.5).describe("momentum of the updates"),
  dimension: z.number().int().min(1).default(4).describe("number of parameters"),
  loss_tolerance: z.number().default(0).describe("stop below this train loss"),
  patience: z.number().int().default(2).describe("checks that it has to stay below"),
  diverge_at: z.number().int().default(-1).describe("epoch in which the parameters become NaN"),
  slow_ms: z.number().default(0).describe("milliseconds that every epoch waits"),
  noise: z.number().default(0).describe("deviation of the noise in the targets"),
  ballast: z.number().int().default(0).describe("numbers that only make checkpoints larger"),
  dataset_hash: z.string().default("data").describe("hash that the data pretend to have"),
});
export type ToyConfig = z.infer<typeof flags>;

/** Linear regression by SGD with momentum on shuffled minibatches: small, and sensitive to every bit of state. */
export const toyExperiment: Experiment<ToyConfig> = {
  name: "toy",
  flags,
  defaultScore: { metric: "distance", source: "validation", largest: false },
  prepare: (config, { random, log }) => {
    log("toy data made");
    return Promise.resolve(createToy(config, random));
  },
  stops: ({ loss_tolerance: tolerance, patience }) => [
    { kind: "zero-train-loss", metric: "train_loss", tolerance, patience },
  ],
};

export function createToy(config: ToyConfig, initial: Random): Trainable {
  const { samples, dimension, momentum } = config;
  let random = initial;
  let lr = config.lr;
  const inputs = new Float64Array(samples * dimension);
  random.fillNormal(inputs, 0, 1);
  const truth = new Float64Array(dimension);
  random.fillNormal(truth, 0, 1);
  const noise = new Float64Array(samples);
  if (config.noise > 0) random.fillNormal(noise, 0, config.noise);
  const weights = new Float64Array(dimension);
  const velocity = new Float64Array(dimension);
  const order = Int32Array.from({ length: samples }, (_, i) => i);
  const batchSize = config.batch_size <= 0 ? samples : config.batch_size;
  const ballast = new Float64Array(config.ballast);
  let epoch = 0;

  const residual = (sample: number): number => {
    let sum = noise[sample]!;
    for (let j = 0; j < dimension; j++)
      sum += inputs[sample * dimension + j]! * (weights[j]! - truth[j]!);
    return sum;
  };
  const gradient = new Float64Array(dimension);
  return {
    metadata: { "dataset size": samples },
    provenance: { backend: "plain", threads: 1, datasetHash: config.dataset_hash },
    numParameters: dimension,
    trainMetrics: [
      { name: "train_loss", tag: "loss" },
      { name: "train_max", tag: "train max" },
    ],
    validationMetrics: [
      { name: "distance" },
      ...Array.from({ length: dimension }, (_, i) => ({ name: `weight_${i}`, tag: "weights" })),
    ],
    batchesPerEpoch: Math.ceil(samples / batchSize),
    startEpoch(number) {
      epoch = number;
      if (batchSize < samples) random.shuffle(order);
    },
    trainBatch(batch, values) {
      const first = batch * batchSize;
      const last = Math.min(first + batchSize, samples);
      gradient.fill(0);
      let loss = 0;
      let max = 0;
      for (let i = first; i < last; i++) {
        const sample = order[i]!;
        const error = residual(sample);
        loss += error * error;
        max = Math.max(max, Math.abs(error));
        for (let j = 0; j < dimension; j++)
          gradient[j] = gradient[j]! + error * inputs[sample * dimension + j]!;
      }
      for (let j = 0; j < dimension; j++) {
        velocity[j] = momentum * velocity[j]! + gradient[j]! / (last - first);
        weights[j] = weights[j]! - lr * velocity[j]!;
      }
      if (epoch === config.diverge_at) weights.fill(Number.NaN);
      values[0] = loss / (last - first);
      values[1] = max;
      const result = last - first;
      return config.slow_ms > 0 && batch === 0
        ? new Promise((resolve) => setTimeout(() => resolve(result), config.slow_ms))
        : result;
    },
    validate(values) {
      values[0] = Math.hypot(...weights.map((weight, j) => weight - truth[j]!));
      values.set(weights, 1);
    },
    save: () => ({
      arrays: {
        weights: { shape: [dimension], data: weights },
        velocity: { shape: [dimension], data: velocity },
        order: { shape: [samples], data: order },
        ballast: { shape: [config.ballast], data: ballast },
      },
      metadata: { random: JSON.stringify(random.state()) },
    }),
    restore({ arrays, metadata }) {
      weights.set(arrays["weights"]!.data as Float64Array);
      velocity.set(arrays["velocity"]!.data as Float64Array);
      order.set(arrays["order"]!.data as Int32Array);
      random = restoreRandom(JSON.parse(metadata["random"]!) as number[]);
    },
    learningRate: {
      get: () => lr,
      set(value) {
        lr = value;
      },
    },
  };
}
