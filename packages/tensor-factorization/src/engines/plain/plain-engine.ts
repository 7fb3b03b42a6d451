import type { Loss } from "../../loss/loss.ts";
import { measureBatch } from "../../loss/measure-batch.ts";
import type { Factorization } from "../../model/types.ts";
import type { Optimizer } from "../../optimizers/optimizer.ts";
import { assembleStep } from "../assemble-step.ts";
import type { Engine, Observations, TrainingStep } from "../engine.ts";
import { validateObservations } from "../validate-observations.ts";
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
  const predictions = new Float64Array(samples);
  const predictionGradient = new Float64Array(samples);
  const gradient = new Float64Array(values.length);
  const backward = model.differentiate(gradient);
  return assembleStep({
    factorization,
    optimizer,
    samples,
    gradient,
    evaluate(batch, result) {
      const count = model.select(batch);
      model.forward(predictions);
      measureBatch(loss, predictions, targets, batch, count, predictionGradient, result);
      backward(predictionGradient);
    },
    dispose: () => undefined,
  });
}
