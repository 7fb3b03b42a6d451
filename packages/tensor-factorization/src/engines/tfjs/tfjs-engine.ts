import * as tf from "@tensorflow/tfjs-core";
import { FactorizationError } from "../../errors.ts";
import type { Loss } from "../../loss/loss.ts";
import { measureBatch } from "../../loss/measure-batch.ts";
import { inputShape } from "../../model/spec.ts";
import type { Factorization } from "../../model/types.ts";
import type { Optimizer } from "../../optimizers/optimizer.ts";
import { assembleStep } from "../assemble-step.ts";
import type { Engine, Observations, StepResult, TrainingStep } from "../engine.ts";
import { validateObservations } from "../validate-observations.ts";
import { forward } from "./forward.ts";
import { parameterTensors } from "./parameters.ts";

/**
 * Training steps by tfjs autodiff, on the backend that is set: one that can be read synchronously
 * (cpu, wasm, node). For checking other formulations, not for speed.
 */
export const tfjsEngine: Engine = {
  name: "tfjs",
  compile: (factorization, observations, loss, optimizer) =>
    tf.ready().then(() => compileTfjs(factorization, observations, loss, optimizer)),
};

function compileTfjs(
  factorization: Factorization,
  observations: Observations,
  loss: Loss,
  optimizer: Optimizer,
): TrainingStep {
  const { spec, layout, values } = factorization;
  validateObservations(spec, observations);
  if (!(values instanceof Float32Array)) {
    throw new FactorizationError(
      "--engine: tfjs computes in float32 only; use the plain engine for float64 parameters",
    );
  }
  const { samples } = observations;
  const gradient = new Float32Array(values.length);
  const inputs = tf.keep(inputTensor(factorization, observations));
  const targets = tf.keep(tf.tensor1d(observations.targets));
  const predictions = new Float64Array(samples);
  const predictionGradient = new Float64Array(samples);
  const evaluate = (batch: Int32Array | undefined, result: StepResult): void => {
    tf.tidy(() => {
      const chosen = batch === undefined ? undefined : tf.tensor1d(batch, "int32");
      const batchInputs = chosen === undefined ? inputs : tf.gather(inputs, chosen);
      const batchTargets = chosen === undefined ? targets : tf.gather(targets, chosen);
      let output: tf.Tensor1D | undefined;
      const batchLoss = (...parameters: tf.Tensor[]): tf.Scalar => {
        output = tf.keep(forward(spec, parameters, batchInputs));
        const losses = sampleLosses(loss, output, batchTargets);
        return tf.mul(tf.sum(losses), 1 / batchTargets.size);
      };
      const gradients = tf.grads(batchLoss)(parameterTensors(factorization));
      gradients.forEach((matrix, i) => gradient.set(matrix.dataSync(), layout[i].offset));
      predictions.set(output!.dataSync());
      output!.dispose();
    });
    const count = batch?.length ?? samples;
    measureBatch(loss, predictions, observations.targets, batch, count, predictionGradient, result);
  };

  return assembleStep({
    factorization,
    optimizer,
    samples,
    gradient,
    evaluate,
    dispose: () => tf.dispose([inputs, targets]),
  });
}

function inputTensor({ spec }: Factorization, observations: Observations): tf.Tensor {
  const { samples } = observations;
  if (observations.task === "sensing") {
    return tf.tensor(observations.inputs, [samples, ...inputShape(spec)]);
  }
  const { indices } = observations;
  return tf.tensor(indices, [samples, indices.length / samples], "int32");
}

/** ρ of each residual, with its derivative as the gradient. */
function sampleLosses(loss: Loss, predictions: tf.Tensor, targets: tf.Tensor): tf.Tensor {
  const measure = tf.customGrad((output, save) => {
    const residuals = tf.sub(output as tf.Tensor, targets);
    (save as tf.GradSaveFunc)([residuals]);
    return {
      value: sampleLoss(loss, residuals),
      gradFunc: (dy, saved) => tf.mul(dy, sampleLossDerivative(loss, saved[0])),
    };
  });
  return measure(predictions);
}

function sampleLoss(loss: Loss, residuals: tf.Tensor): tf.Tensor {
  const size = tf.abs(residuals);
  switch (loss.kind) {
    case "l2":
      return tf.square(residuals);
    case "l1":
      return size;
    case "huber": {
      const { threshold } = loss;
      const quadratic = tf.div(tf.square(residuals), 2 * threshold);
      return tf.where(tf.less(size, threshold), quadratic, tf.sub(size, threshold / 2));
    }
  }
}

function sampleLossDerivative(loss: Loss, residuals: tf.Tensor): tf.Tensor {
  switch (loss.kind) {
    case "l2":
      return tf.mul(residuals, 2);
    case "l1":
      return tf.sign(residuals);
    case "huber":
      return tf.clipByValue(tf.div(residuals, loss.threshold), -1, 1);
  }
}
