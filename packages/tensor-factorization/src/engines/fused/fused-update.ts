import type { KernelRuntime } from "@implicit-rank/simd-backend";
import { FactorizationError } from "../../errors.ts";
import type { Optimizer, OptimizerState } from "../../optimizers/optimizer.ts";
import { type Arena, reserveDoubles, reserveFloats } from "./arena.ts";
import type { FitPointers } from "./fit-program.ts";

/** Buffers of an optimizer's update. */
export interface UpdateBuffers {
  /** Float64: the squared norm of the gradient. */
  readonly squaredNorm: number;
  /** Float32: minus the step size. */
  readonly scale: number;
  /** SGD with momentum: the velocity. */
  readonly velocity: number;
}

/** Updates the parameters from the gradient, in kernel memory. */
export interface FusedUpdate {
  apply(): void;
  state(): OptimizerState;
  restore(state: OptimizerState): void;
}

export function reserveUpdate(
  arena: Arena,
  optimizer: Optimizer,
  parameters: number,
): UpdateBuffers {
  return {
    squaredNorm: reserveDoubles(arena, "gradient norm", 1),
    scale: reserveFloats(arena, "step size", 1),
    velocity:
      optimizer.kind === "sgd" ? reserveFloats(arena, "velocity of the optimizer", parameters) : 0,
  };
}

export function recordUpdate(
  runtime: KernelRuntime,
  optimizer: Optimizer,
  pointers: FitPointers,
  buffers: UpdateBuffers,
  parameters: number,
): FusedUpdate {
  return optimizer.kind === "grouprmsprop"
    ? recordGroupRmsProp(runtime, optimizer, pointers, buffers, parameters)
    : recordSgd(runtime, optimizer, pointers, buffers, parameters);
}

/**
 * GroupRMSprop: v ← α v + (1 - α) Σ ‖g‖² over all parameters together, step size
 * lr / (sqrt(v / (1 - αᵗ)) + ε). The norm is reduced in kernel memory, the scalars here in float64.
 */
function recordGroupRmsProp(
  runtime: KernelRuntime,
  optimizer: Extract<Optimizer, { kind: "grouprmsprop" }>,
  pointers: FitPointers,
  buffers: UpdateBuffers,
  parameters: number,
): FusedUpdate {
  const { lr, alpha, eps, weightDecay } = optimizer;
  const { values, gradient } = pointers;
  const measuring = runtime.program();
  if (weightDecay !== 0)
    measuring.axpy({ count: parameters, alpha: weightDecay, x: values, y: gradient });
  measuring.squaredNorm({ values: gradient, count: parameters, out: buffers.squaredNorm });
  const measure = measuring.compile();
  const moving = runtime.program();
  moving.axpy({ count: parameters, alphaPointer: buffers.scale, x: gradient, y: values });
  const move = moving.compile();

  const norm = runtime.doubles(buffers.squaredNorm, 1);
  const scale = runtime.floats(buffers.scale, 1);
  let step = 0;
  let squareAvg = 0;
  return {
    apply() {
      measure.run();
      step += 1;
      squareAvg = alpha * squareAvg + (1 - alpha) * norm[0];
      scale[0] = -lr / (Math.sqrt(squareAvg / (1 - alpha ** step)) + eps);
      move.run();
    },
    state: () => ({ step, squareAvg }),
    restore(state) {
      if (!("squareAvg" in state)) throw wrongState("grouprmsprop");
      ({ step, squareAvg } = state);
    },
  };
}

/** SGD: v ← m v + g, p ← p - lr v. */
function recordSgd(
  runtime: KernelRuntime,
  optimizer: Extract<Optimizer, { kind: "sgd" }>,
  pointers: FitPointers,
  buffers: UpdateBuffers,
  parameters: number,
): FusedUpdate {
  const program = runtime.program();
  program.momentumUpdate({
    count: parameters,
    momentum: optimizer.momentum,
    learningRate: optimizer.lr,
    weightDecay: optimizer.weightDecay,
    gradient: pointers.gradient,
    velocity: buffers.velocity,
    parameters: pointers.values,
  });
  const update = program.compile();
  const velocity = runtime.floats(buffers.velocity, parameters);
  let step = 0;
  return {
    apply() {
      update.run();
      step += 1;
    },
    state: () => ({ step, velocity: velocity.slice() }),
    restore(state) {
      if (!("velocity" in state)) throw wrongState("sgd");
      if (state.velocity.length !== parameters)
        throw new FactorizationError(
          `optimizer state: velocity has ${state.velocity.length} values where ${parameters} are needed; restore the state of the same factorization`,
        );
      velocity.set(state.velocity);
      step = state.step;
    },
  };
}

function wrongState(kind: string): FactorizationError {
  return new FactorizationError(
    `optimizer state: it is not one of ${kind}; restore it with the optimizer that saved it`,
  );
}
