import { FactorizationError } from "../errors.ts";
import type { Floats } from "../model/types.ts";
import type { Optimizer, OptimizerState } from "./optimizer.ts";

/** An optimizer at work on one parameter vector. */
export interface OptimizerRun {
  /** One update; adds weight decay to `gradient` in place first, if there is any. */
  update(values: Floats, gradient: Floats): void;
  state(): OptimizerState;
  /** @throws FactorizationError if the state is of another optimizer or another size. */
  restore(state: OptimizerState): void;
}

/** Starts an optimizer on a vector like `values`; the velocity of SGD has its precision. */
export function createOptimizer(optimizer: Optimizer, values: Floats): OptimizerRun {
  return optimizer.kind === "grouprmsprop"
    ? createGroupRmsProp(optimizer)
    : createSgd(optimizer, values);
}

/**
 * At step t, with g2 = ‖grad‖² over all parameters: v ← α v + (1 - α) g2 and
 * p ← p - lr / (√(v / (1 - αᵗ)) + ε) · grad.
 */
function createGroupRmsProp(optimizer: Extract<Optimizer, { kind: "grouprmsprop" }>): OptimizerRun {
  const { lr, alpha, eps, weightDecay } = optimizer;
  let step = 0;
  let squareAvg = 0;
  return {
    update(values, gradient) {
      addWeightDecay(values, gradient, weightDecay);
      step += 1;
      squareAvg = alpha * squareAvg + (1 - alpha) * squaredNorm(gradient);
      const rate = lr / (Math.sqrt(squareAvg / (1 - alpha ** step)) + eps);
      for (let i = 0; i < values.length; i++) values[i] -= rate * gradient[i];
    },
    state: () => ({ step, squareAvg }),
    restore(state) {
      if (!("squareAvg" in state)) throw wrongState("grouprmsprop");
      step = state.step;
      squareAvg = state.squareAvg;
    },
  };
}

/** v ← m v + grad, p ← p - lr v. */
function createSgd(optimizer: Extract<Optimizer, { kind: "sgd" }>, like: Floats): OptimizerRun {
  const { lr, momentum, weightDecay } = optimizer;
  const velocity =
    like instanceof Float32Array ? new Float32Array(like.length) : new Float64Array(like.length);
  let step = 0;
  return {
    update(values, gradient) {
      addWeightDecay(values, gradient, weightDecay);
      step += 1;
      for (let i = 0; i < values.length; i++) {
        velocity[i] = momentum * velocity[i] + gradient[i];
        values[i] -= lr * velocity[i];
      }
    },
    state: () => ({ step, velocity: velocity.slice() }),
    restore(state) {
      if (!("velocity" in state)) throw wrongState("sgd");
      if (state.velocity.length !== velocity.length) {
        throw new FactorizationError(
          `optimizer state: velocity has ${state.velocity.length} values for ${velocity.length} parameters; resume with the sizes it was saved with`,
        );
      }
      step = state.step;
      velocity.set(state.velocity);
    },
  };
}

function wrongState(kind: Optimizer["kind"]): FactorizationError {
  return new FactorizationError(
    `--optimizer: the saved state is not of ${kind}; resume with the optimizer it was saved with`,
  );
}

function addWeightDecay(values: Floats, gradient: Floats, weightDecay: number): void {
  if (weightDecay === 0) return;
  for (let i = 0; i < values.length; i++) gradient[i] += weightDecay * values[i];
}

function squaredNorm(vector: Floats): number {
  let sum = 0;
  for (let i = 0; i < vector.length; i++) sum += vector[i] * vector[i];
  return sum;
}
