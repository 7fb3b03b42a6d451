import type { Loss } from "../../loss/loss.ts";
import { measureBatch } from "../../loss/measure-batch.ts";
import type { Factorization } from "../../model/types.ts";
import { createOptimizer } from "../../optimizers/create-optimizer.ts";
import type { Optimizer } from "../../optimizers/optimizer.ts";
import type { Engine, Observations, StepResult, TrainingStep } from "../engine.ts";
import { requireBatch, validateObservations } from "../validate-observations.ts";
import { bindModel } from "./bind-model.ts";

/**
 * The reference engine: analytic gradients on plain arrays, accumulated in double precision,
 * whatever the precision of the parameters. Every other engine is tested against it.
 */
export const plainEngine: Engine = {
  name: "plain",
  compile: (factorization, observations, loss, optimizer) =>
    Promise.resolve().then(() => compilePlain(factorization, observations, loss, optimizer)),
};

function compilePlain(
  factorization: Factorization,
  observations: Observations,
  loss: Loss,
  optimizer: Optimizer,
): TrainingStep {
  validateObservations(factorization.spec, observations);
  const { targets, samples } = observations;
  const { values } = factorization;
  const model = bindModel(factorization, observations);
  const run = createOptimizer(optimizer, values);
  const predictions = new Float64Array(samples);
  const predictionGradient = new Float64Array(samples);
  const gradient = new Float64Array(values.length);
  const backward = model.differentiate(gradient);
  const result: StepResult = {
    loss: 0,
    meanSquaredError: 0,
    predictionAbsMean: 0,
    predictionAbsMax: 0,
  };

  const evaluate = (batch: Int32Array | undefined): void => {
    requireBatch(batch, samples);
    const count = model.select(batch);
    model.forward(predictions);
    measureBatch(loss, predictions, targets, batch, count, predictionGradient, result);
    backward(predictionGradient);
  };

  return {
    factorization,
    step(batch) {
      evaluate(batch);
      run.update(values, gradient);
      return result;
    },
    gradient(batch) {
      evaluate(batch);
      return gradient;
    },
    optimizerState: () => run.state(),
    restoreOptimizerState: (state) => run.restore(state),
    dispose: () => undefined,
  };
}
