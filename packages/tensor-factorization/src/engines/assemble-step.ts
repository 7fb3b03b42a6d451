import type { Factorization, Floats } from "../model/types.ts";
import { createOptimizer } from "../optimizers/create-optimizer.ts";
import type { Optimizer } from "../optimizers/optimizer.ts";
import type { StepResult, TrainingStep } from "./engine.ts";
import { requireBatch } from "./validate-observations.ts";

/** What an engine computes; the rest of a training step is the same for the engines on plain arrays. */
export interface StepParts {
  readonly factorization: Factorization;
  readonly optimizer: Optimizer;
  readonly samples: number;
  /** Where `evaluate` leaves the gradient, in the order of the layout. */
  readonly gradient: Floats;
  /** Computes loss, statistics and gradient of a batch, or of all samples. */
  evaluate(batch: Int32Array | undefined, result: StepResult): void;
  dispose(): void;
}

/** A training step whose update runs on the parameters in place. */
export function assembleStep(parts: StepParts): TrainingStep {
  const { factorization, optimizer, samples, gradient } = parts;
  const run = createOptimizer(optimizer, factorization.values);
  const result: StepResult = {
    loss: 0,
    meanSquaredError: 0,
    predictionAbsMean: 0,
    predictionAbsMax: 0,
  };
  const evaluate = (batch: Int32Array | undefined): void => {
    requireBatch(batch, samples);
    parts.evaluate(batch, result);
  };
  return {
    factorization,
    step(batch) {
      evaluate(batch);
      run.update(factorization.values, gradient);
      return result;
    },
    gradient(batch) {
      evaluate(batch);
      return gradient;
    },
    optimizerState: () => run.state(),
    restoreOptimizerState: (state) => run.restore(state),
    dispose: () => parts.dispose(),
  };
}
