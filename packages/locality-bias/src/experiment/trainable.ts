import type { MetricInfo, PrepareContext, Trainable } from "@implicit-rank/experiment-kit";
import type { Random } from "@implicit-rank/random";
import * as tf from "@tensorflow/tfjs-core";
import { type Model, parameterCount } from "../models/model.ts";
import { createResNet } from "../models/resnet.ts";
import type { ResNetDepth } from "../models/resnet-layout.ts";
import { createAdam } from "../optimizers/adam.ts";
import type { Optimizer } from "../optimizers/optimizer.ts";
import { createSgd } from "../optimizers/sgd.ts";
import type { PatchPair } from "../regularizer/patch.ts";
import { createTrainer, evaluateBatch } from "../training/trainer.ts";
import type { StartedBackend } from "./backend.ts";
import { restoreState, saveState } from "./checkpoint-state.ts";
import type { TrainingFlags } from "./flags.ts";
import type { ImageBatch, ImageBatches } from "./image-batches.ts";
import { withTensors } from "./with-tensors.ts";

export interface TrainableRequest {
  readonly train: ImageBatches;
  readonly test: ImageBatches;
  readonly flags: TrainingFlags;
  readonly context: PrepareContext;
  readonly backend: StartedBackend;
  /** The regularizer's patches of a batch; absent where it is off. */
  readonly drawPatches?: (random: Random) => PatchPair;
}

const trainMetrics: readonly MetricInfo[] = [
  { name: "train loss", tag: "loss" },
  { name: "train accuracy", tag: "accuracy" },
  { name: "regularization" },
];
const validationMetrics: readonly MetricInfo[] = [
  { name: "val loss", tag: "loss" },
  { name: "val accuracy", tag: "accuracy" },
];

/** A network that is ready to be trained by the kit on labelled images. */
export function createTrainable(request: TrainableRequest): Trainable {
  const { train, test, flags, context, backend, drawPatches } = request;
  const model = createModel(flags, train, context.random.fork("init"));
  const optimizer = createOptimizer(flags, model);
  const trainer = createTrainer({
    model,
    optimizer,
    coefficient: flags.grad_change_reg_coeff,
    accumulation: Math.max(1, flags.gradient_accumulation),
  });
  const total = train.batchesPerEpoch;
  let epoch = -1;
  let batches: AsyncIterator<ImageBatch> | undefined;
  let patchRandom = context.random;
  let dropoutRandom = context.random;
  noteSingleSample(request);
  return {
    metadata: {
      "train dataset size": train.count,
      "test dataset size": test.count,
      "input shape": train.sampleShape.join(" × "),
      model: flags.model,
    },
    provenance: {
      backend: backend.name,
      threads: backend.threads,
      datasetHash: `${train.contentHash}${test.contentHash}`,
      versions: { "tfjs-core": tf.version_core },
    },
    settledFlags: { backend: backend.name, threads: backend.threads, ...sourceDirOf(request) },
    numParameters: parameterCount(model),
    trainMetrics,
    validationMetrics,
    batchesPerEpoch: total,
    // All that is drawn in an epoch depends on its number only, so no generator has to be in a checkpoint.
    startEpoch(number) {
      epoch = number;
      batches = train.epoch(number)[Symbol.asyncIterator]();
      patchRandom = context.random.fork(`patches of epoch ${number}`);
      dropoutRandom = context.random.fork(`dropout of epoch ${number}`);
    },
    async trainBatch(number, values) {
      const { value: batch } = (await batches!.next()) as IteratorYieldResult<ImageBatch>;
      const place = `epoch ${epoch}, batch ${number + 1} of ${total}`;
      const result = await withTensors(batch, place, (tensors) =>
        trainer.step({
          ...tensors,
          ...(drawPatches === undefined ? {} : { patches: drawPatches(patchRandom) }),
          random: dropoutRandom,
          last: number === total - 1,
        }),
      );
      values[0] = result.taskLoss;
      values[1] = result.accuracy;
      values[2] = result.regularization;
      return batch.labels.length;
    },
    async validate(values, onProgress) {
      values.fill(0);
      let done = 0;
      for await (const batch of test.epoch(0)) {
        const place = `validation of epoch ${epoch}, batch ${done + 1} of ${test.batchesPerEpoch}`;
        const { taskLoss, accuracy } = await withTensors(batch, place, (tensors) =>
          evaluateBatch(model, tensors),
        );
        const share = batch.labels.length;
        values[0] = values[0]! + taskLoss * share;
        values[1] = values[1]! + accuracy * share;
        onProgress(++done, test.batchesPerEpoch);
        await turnOfTheEventLoop();
      }
      for (let i = 0; i < values.length; i++) values[i] = values[i]! / test.count;
    },
    save: () => saveState(model, optimizer),
    restore: (saved) => restoreState(saved, model, optimizer),
    learningRate: {
      get: () => optimizer.learningRate,
      set: (rate) => {
        optimizer.learningRate = rate;
      },
    },
    async dispose() {
      trainer.dispose();
      optimizer.dispose();
      model.dispose();
      await Promise.all([train.close(), test.close()]);
    },
  };
}

/** So that a run can be resumed from anywhere. */
function sourceDirOf({ train, test }: TrainableRequest): Readonly<Record<string, string>> {
  const { sourceDir } = train;
  return sourceDir === undefined || sourceDir !== test.sourceDir ? {} : { source_dir: sourceDir };
}

function createModel(flags: TrainingFlags, train: ImageBatches, random: Random): Model {
  return createResNet({
    depth: Number(flags.model.slice("resnet".length)) as ResNetDepth,
    channels: train.sampleShape[2],
    width: flags.model_width,
    stem: flags.model_stem,
    dropout: flags.dropout,
    random,
  });
}

function createOptimizer(flags: TrainingFlags, { parameters }: Model): Optimizer {
  const { lr: learningRate, momentum, weight_decay: weightDecay } = flags;
  return flags.optimizer === "sgd"
    ? createSgd(parameters, { learningRate, momentum, weightDecay })
    : createAdam(parameters, { learningRate, weightDecay });
}

function noteSingleSample({ train, flags, context }: TrainableRequest): void {
  const left = flags.batch_size > 0 ? train.count % flags.batch_size : train.count;
  if (left !== 1 && flags.batch_size !== 1) return;
  context.log(
    `A batch of one sample: batch norm has only its own pixels to go by, and the regularizer compares it with itself. Another --batch_size than ${flags.batch_size} avoids it.`,
  );
}

/** Signals and timers are seen between two batches. */
function turnOfTheEventLoop(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
