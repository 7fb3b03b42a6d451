import type { Loss } from "../loss/loss.ts";
import type { Factorization } from "../model/types.ts";
import type { Optimizer, OptimizerState } from "../optimizers/optimizer.ts";

/**
 * What a factorization is fitted to.
 * - Completion: `indices` is samples × order (MF: row, column), never one-hot.
 * - Sensing: `inputs` is samples × rows × cols for MF, else samples × order × largest mode size,
 *   padded with zeros at smaller modes.
 */
export type Observations =
  | {
      readonly task: "completion";
      readonly indices: Int32Array;
      readonly targets: Float32Array;
      readonly samples: number;
    }
  | {
      readonly task: "sensing";
      readonly inputs: Float32Array;
      readonly targets: Float32Array;
      readonly samples: number;
    };

/** What a step saw, all before its update, over its batch. */
export interface StepResult {
  loss: number;
  meanSquaredError: number;
  predictionAbsMean: number;
  predictionAbsMax: number;
}

/** A factorization, observations, a loss and an optimizer, compiled to run step after step. */
export interface TrainingStep {
  readonly factorization: Factorization;
  /** One update on the samples of `batch`, or on all. The result object is reused. */
  step(batch?: Int32Array): StepResult;
  /** The gradient of the loss in the order of the layout, without an update. The array is reused. */
  gradient(batch?: Int32Array): Float32Array | Float64Array;
  /** A copy of what the optimizer carries. */
  optimizerState(): OptimizerState;
  /** @throws FactorizationError if the state is of another optimizer or another size. */
  restoreOptimizerState(state: OptimizerState): void;
  /** Gives back memory and threads; the factorization keeps its values. */
  dispose(): void;
}

/** A way to compute training steps: all give the same numbers, at their own speed. */
export interface Engine {
  readonly name: "plain" | "fused" | "tfjs";
  /** @throws FactorizationError if the observations do not fit the factorization. */
  compile(
    factorization: Factorization,
    observations: Observations,
    loss: Loss,
    optimizer: Optimizer,
  ): Promise<TrainingStep>;
}
