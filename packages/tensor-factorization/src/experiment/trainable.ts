import type { ArrayFile, NamedArray } from "@implicit-rank/array-files";
import type { MetricInfo, PrepareContext, Trainable } from "@implicit-rank/experiment-kit";
import { type Random, restoreRandom } from "@implicit-rank/random";
import type { Evaluation } from "../engines/fused/evaluation.ts";
import type { TrainingStep } from "../engines/engine.ts";
import { FactorizationError } from "../errors.ts";
import type { FactorizationMetrics } from "../metrics/metric.ts";
import { frobeniusNorm } from "../metrics/norms.ts";
import { squaredDistance } from "../metrics/reconstruction.ts";
import type { Factorization, Floats } from "../model/types.ts";
import type { OptimizerState } from "../optimizers/optimizer.ts";
import { compileStep } from "./compile-step.ts";
import type { DataSplit, FactorizationData } from "./factorization-data.ts";
import type { TrainingFlags } from "./flags.ts";

/** Metrics of a validation, computed in the order of `infos`. */
export interface Validation {
  readonly infos: readonly MetricInfo[];
  evaluate(values: Float64Array): void;
}

export interface TrainableRequest {
  readonly factorization: Factorization;
  readonly data: FactorizationData;
  readonly split: DataSplit;
  readonly flags: TrainingFlags;
  readonly context: PrepareContext;
  readonly metadata: Readonly<Record<string, unknown>>;
  /** CP also tracks the scale of its predictions. */
  readonly predictionScale: boolean;
  validation(trained: Factorization, evaluation: Evaluation): Validation;
}

/** A factorization that is ready to be trained by the kit. */
export async function createTrainable(request: TrainableRequest): Promise<Trainable> {
  const { factorization, data, split, flags, context, metadata, predictionScale } = request;
  const { step, evaluation, plan, backend } = await compileStep({
    factorization,
    train: split.train,
    validation: split.both,
    flags,
    log: (line) => context.log(line),
  });
  if (!evaluation.hasTensor)
    context.log(
      "The full tensor is too large to hold: singular values of its matricizations are not tracked.",
    );
  const validation = request.validation(step.factorization, evaluation);
  const batches = createBatches(
    split.train.samples,
    flags.batch_size,
    context.random.fork("batches"),
  );
  const trainMetrics: MetricInfo[] = [
    { name: "train_mse_loss", tag: "mse_loss" },
    { name: `train_${flags.loss}_loss`, tag: `${flags.loss}_loss` },
    ...(predictionScale
      ? [{ name: "train_prediction_abs_mean" }, { name: "train_prediction_abs_max" }]
      : []),
  ];
  return {
    metadata: { ...metadata, step: plan },
    provenance: { backend, threads: flags.threads, datasetHash: data.contentHash },
    numParameters: factorization.values.length,
    trainMetrics,
    validationMetrics: validation.infos,
    batchesPerEpoch: batches.count,
    startEpoch: () => {
      batches.shuffle();
    },
    trainBatch(batch, values) {
      const result = step.step(batches.samples(batch));
      values[0] = result.meanSquaredError;
      values[1] = result.loss;
      if (predictionScale) {
        values[2] = result.predictionAbsMean;
        values[3] = result.predictionAbsMax;
      }
      return batches.size(batch);
    },
    validate: (values) => {
      validation.evaluate(values);
    },
    save: () => saveState(step, batches),
    restore: (saved) => {
      restoreState(saved, step, batches);
    },
    dispose: () => {
      step.dispose();
    },
  };
}

/** The batches of an epoch: all samples at once and unshuffled, or a shuffled partition. */
interface Batches {
  readonly count: number;
  shuffle(): void;
  /** Sample numbers of a batch; undefined: all. */
  samples(batch: number): Int32Array | undefined;
  size(batch: number): number;
  state(): readonly number[];
  restore(state: readonly number[]): void;
}

function createBatches(samples: number, batchSize: number, generator: Random): Batches {
  let random = generator;
  const shared = {
    state: () => random.state(),
    restore: (state: readonly number[]) => {
      random = restoreRandom(state);
    },
  };
  if (batchSize <= 0 || batchSize >= samples)
    return {
      ...shared,
      count: 1,
      shuffle: () => undefined,
      samples: () => undefined,
      size: () => samples,
    };
  const order = new Int32Array(samples);
  const count = Math.ceil(samples / batchSize);
  const parts = Array.from({ length: count }, (_, b) =>
    order.subarray(b * batchSize, (b + 1) * batchSize),
  );
  return {
    ...shared,
    count,
    // From the identity, so that the order depends on the generator's state alone.
    shuffle: () => {
      for (let s = 0; s < samples; s++) order[s] = s;
      random.shuffle(order);
    },
    samples: (batch) => parts[batch],
    size: (batch) => parts[batch].length,
  };
}

function saveState(step: TrainingStep, batches: Batches): ArrayFile {
  const arrays = stateArrays(step.factorization, step.optimizerState());
  return { arrays, metadata: { batches: JSON.stringify(batches.state()) } };
}

/** Marks the state of a run of the PyTorch scripts. */
export const TORCH_SOURCE = "PyTorch";

/** Parameters and optimizer state by their names in a checkpoint. */
export function stateArrays(
  { layout, values }: Factorization,
  state: OptimizerState,
): Record<string, NamedArray> {
  const arrays: Record<string, NamedArray> = {};
  for (const { name, rows, cols, offset } of layout)
    arrays[name] = { shape: [rows, cols], data: values.slice(offset, offset + rows * cols) };
  arrays["optimizer.step"] = { shape: [1], data: Float64Array.of(state.step) };
  if ("squareAvg" in state)
    arrays["optimizer.square_avg"] = { shape: [1], data: Float64Array.of(state.squareAvg) };
  else
    arrays["optimizer.velocity"] = { shape: [state.velocity.length], data: state.velocity.slice() };
  return arrays;
}

function restoreState(saved: ArrayFile, step: TrainingStep, batches: Batches): void {
  const { layout, values } = step.factorization;
  for (const { name, rows, cols, offset } of layout)
    values.set(readFloats(saved, name, rows * cols), offset);
  step.restoreOptimizerState(readOptimizer(saved, step.optimizerState(), values.length));
  // The PyTorch scripts save no generator: the run's own begins.
  if (saved.metadata["source"] !== TORCH_SOURCE) batches.restore(readBatches(saved));
}

function readOptimizer(
  saved: ArrayFile,
  current: OptimizerState,
  parameters: number,
): OptimizerState {
  const [step] = readFloats(saved, "optimizer.step", 1);
  return "squareAvg" in current
    ? { step, squareAvg: readFloats(saved, "optimizer.square_avg", 1)[0] }
    : { step, velocity: readFloats(saved, "optimizer.velocity", parameters) };
}

function readFloats(saved: ArrayFile, name: string, length: number): Floats {
  const data = Object.hasOwn(saved.arrays, name) ? saved.arrays[name].data : undefined;
  if (data === undefined)
    throw new FactorizationError(
      `checkpoint: it has no array ${name}; resume with the model and optimizer that saved it`,
    );
  if (!(data instanceof Float32Array || data instanceof Float64Array) || data.length !== length)
    throw new FactorizationError(
      `checkpoint: array ${name} has ${data.length} values where ${length} floats are needed; resume with the sizes that saved it`,
    );
  return data;
}

function readBatches(saved: ArrayFile): readonly number[] {
  const state: unknown = JSON.parse(saved.metadata["batches"] ?? "null");
  if (Array.isArray(state) && state.every((word) => typeof word === "number")) return state;
  throw new FactorizationError(
    "checkpoint: its metadata has no generator state (batches); resume from another checkpoint",
  );
}

/** Validation metrics over all samples, then those of the model. */
export function tensorValidation(
  split: DataSplit,
  evaluation: Evaluation,
  metrics: FactorizationMetrics,
): Validation {
  const { train, test, both } = split;
  const infos: MetricInfo[] = [
    ...(test === undefined ? [] : [{ name: "test_mse_loss", tag: "mse_loss" }]),
    { name: "normalized_reconstruction_error" },
    ...metrics.infos,
  ];
  const modelValues = new Float64Array(metrics.infos.length);
  const first = infos.length - metrics.infos.length;
  const targetNorm = frobeniusNorm(both.targets);
  return {
    infos,
    evaluate(values) {
      evaluation.run();
      const predictions = evaluation.predictions();
      const trainError = squaredDistance(predictions, both.targets, 0, train.samples);
      const testError = squaredDistance(predictions, both.targets, train.samples, both.samples);
      if (test !== undefined) values[0] = testError / test.samples;
      const error = Math.sqrt(trainError + testError);
      values[first - 1] = targetNorm === 0 ? error : error / targetNorm;
      metrics.evaluate(modelValues, evaluation.tensor());
      values.set(modelValues, first);
    },
  };
}
