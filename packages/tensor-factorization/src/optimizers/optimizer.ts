/**
 * - `grouprmsprop`: one step size for all parameters, from the running mean of their squared gradient
 *   norm (Li, Luo, Lyu 2021, "Towards resolving the implicit bias of gradient descent for matrix
 *   factorization").
 * - `sgd`: gradient descent with heavy-ball momentum.
 */
export type Optimizer =
  | { kind: "grouprmsprop"; lr: number; alpha: number; eps: number; weightDecay: number }
  | { kind: "sgd"; lr: number; momentum: number; weightDecay: number };

/** All that an optimizer carries from step to step: for checkpoints. */
export type OptimizerState =
  | { readonly step: number; readonly squareAvg: number }
  | { readonly step: number; readonly velocity: Float32Array | Float64Array };

/** GroupRMSprop with the defaults alpha 0.99, eps 1e-6, no weight decay. */
export function groupRmsProp(
  options: { lr?: number; alpha?: number; eps?: number; weightDecay?: number } = {},
): Optimizer {
  const { lr = 0.01, alpha = 0.99, eps = 1e-6, weightDecay = 0 } = options;
  return { kind: "grouprmsprop", lr, alpha, eps, weightDecay };
}

/** SGD with the defaults momentum 0, no weight decay. */
export function sgd(
  options: { lr?: number; momentum?: number; weightDecay?: number } = {},
): Optimizer {
  const { lr = 0.01, momentum = 0, weightDecay = 0 } = options;
  return { kind: "sgd", lr, momentum, weightDecay };
}
