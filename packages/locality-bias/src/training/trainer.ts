import type { Random } from "@implicit-rank/random";
import * as tf from "@tensorflow/tfjs-core";
import { registerMissingGradients } from "../autodiff/missing-gradients.ts";
import { differentiate } from "../autodiff/differentiate.ts";
import { LocalityBiasError } from "../errors.ts";
import { correctCount, taskLoss } from "../losses/task-loss.ts";
import type { Model } from "../models/model.ts";
import type { Optimizer } from "../optimizers/optimizer.ts";
import type { PatchPair } from "../regularizer/patch.ts";
import { regularizedLoss } from "../regularizer/regularized-loss.ts";
import { createAccumulator } from "./gradient-accumulator.ts";

/** What is trained, and how. */
export interface TrainerOptions {
  readonly model: Model;
  readonly optimizer: Optimizer;
  /** Of the regularizer: --grad_change_reg_coeff. Default 0: it is not computed. */
  readonly coefficient?: number;
  /** Batches of one update: --gradient_accumulation. Default 1. */
  readonly accumulation?: number;
}

/** Samples of one step. */
export interface TrainingBatch {
  readonly x: tf.Tensor4D;
  /** 0 and 1 for a single logit, otherwise class numbers. */
  readonly labels: tf.Tensor1D;
  /** Needed with the regularizer. */
  readonly patches?: PatchPair;
  /** Draws dropout masks; needed with dropout. */
  readonly random?: Random;
  /** The epoch ends here: update with the gradients that there are. Default false. */
  readonly last?: boolean;
}

/** Before the update. */
export interface BatchResult {
  /** taskLoss + coefficient · regularization. */
  readonly loss: number;
  readonly taskLoss: number;
  /** The input gradient change; 0 where the coefficient is 0. */
  readonly regularization: number;
  /** Share of the samples. */
  readonly accuracy: number;
}

/** Trains a model batch by batch. */
export interface Trainer {
  /** One batch: the gradients, and an update after every `accumulation` batches. */
  step(batch: TrainingBatch): Promise<BatchResult>;
  /** Frees gradients that were not used; model and optimizer stay. */
  dispose(): void;
}

/**
 * Training of a model, batch by batch.
 *
 * With accumulation, an update takes the mean of the gradients of its batches; at the end of an epoch
 * there may be fewer, and the mean is over those. Four numbers a step are read back, all at once.
 */
export function createTrainer(options: TrainerOptions): Trainer {
  registerMissingGradients();
  const { model, optimizer, coefficient = 0, accumulation = 1 } = options;
  if (!Number.isSafeInteger(accumulation) || accumulation < 1) {
    throw new LocalityBiasError(
      `--gradient_accumulation: is ${accumulation}; give a positive number of batches`,
    );
  }
  const accumulator = createAccumulator(accumulation, optimizer);
  return {
    async step(batch) {
      const { gradients, measured } = gradientsOf(model, coefficient, batch);
      accumulator.add(gradients, batch.last ?? false);
      const [loss, ofTask, regularization, correct] = await measured.data();
      measured.dispose();
      const accuracy = correct / batch.labels.size;
      return { loss, taskLoss: ofTask, regularization, accuracy };
    },
    dispose: () => accumulator.dispose(),
  };
}

/** Gradients by parameter name, and [loss, task loss, regularization, correct samples]. */
function gradientsOf(model: Model, coefficient: number, batch: TrainingBatch) {
  const { x, labels, patches, random } = batch;
  const variables = [...model.parameters.values()];
  let measured: tf.Tensor1D | undefined;
  const objective = (): tf.Scalar => {
    const result = regularizedLoss({
      forward: (images) =>
        model.apply(images, { training: true, ...(random === undefined ? {} : { random }) }),
      x,
      labels,
      coefficient,
      ...(patches === undefined ? {} : { patches }),
    });
    const { loss, taskLoss, regularization, logits } = result;
    const correct = correctCount(logits, labels);
    measured = tf.keep(tf.stack([loss, taskLoss, regularization, correct]) as tf.Tensor1D);
    return loss;
  };
  try {
    const { value, gradients: inOrder } = differentiate(objective, variables);
    value.dispose();
    const gradients = new Map<string, tf.Tensor>();
    [...model.parameters.keys()].forEach((name, index) => {
      const gradient = inOrder[index];
      if (gradient !== undefined) gradients.set(name, gradient);
    });
    return { gradients, measured: measured! };
  } catch (error) {
    measured?.dispose();
    throw error;
  }
}

/** Loss and accuracy of a batch in evaluation mode, read back at once. */
export async function evaluateBatch(
  model: Model,
  { x, labels }: Pick<TrainingBatch, "x" | "labels">,
): Promise<Pick<BatchResult, "taskLoss" | "accuracy">> {
  const measured = tf.tidy(() => {
    const logits = model.apply(x, { training: false });
    return tf.stack([taskLoss(logits, labels), correctCount(logits, labels)]);
  });
  const [loss, correct] = await measured.data();
  measured.dispose();
  return { taskLoss: loss, accuracy: correct / labels.size };
}
