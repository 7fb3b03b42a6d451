import { FactorizationError } from "../errors.ts";
import type { Factorization } from "../model/types.ts";
import { groupRmsProp, type Optimizer, type OptimizerState, sgd } from "../optimizers/optimizer.ts";
import { copyFinite, torchParameterName, type TorchTensor } from "./torch-factorization.ts";

/** The state of a PyTorch optimizer, as `torchOptimizer` of @implicit-rank/array-files gives it. */
export interface TorchOptimizerState {
  readonly groups: readonly {
    readonly settings: ReadonlyMap<string, unknown>;
    readonly parameters: readonly number[];
  }[];
  readonly state: ReadonlyMap<unknown, unknown>;
}

/** Settings of torch.optim.SGD that ours does not have, and the value at which they do nothing. */
const IDLE_SETTINGS = { dampening: 0, nesterov: false, maximize: false } as const;

/**
 * The optimizer of a checkpoint of the PyTorch scripts, and its state: GroupRMSprop (`step` and
 * `square_avg`) or torch.optim.SGD (a `momentum_buffer` for each parameter; none before the first step or
 * without momentum, which is a velocity of zero). SGD counts no steps: its `step` is 0.
 *
 * @param options.names the names in the model's state dictionary, in its order
 * @throws FactorizationError (exit code 1) for another optimizer or settings that change the update
 */
export function importTorchOptimizer(
  saved: TorchOptimizerState,
  factorization: Factorization,
  options: { readonly names: readonly string[]; readonly source: string },
): { readonly optimizer: Optimizer; readonly state: OptimizerState } {
  const { source } = options;
  const refuse = (field: string, problem: string): FactorizationError =>
    new FactorizationError(
      `${source}: optimizer.${field}: ${problem}; give a checkpoint of GroupRMSprop or SGD, as the PyTorch scripts write it`,
      1,
    );
  if (saved.groups.length !== 1)
    throw refuse("param_groups", `has ${saved.groups.length} groups where one is expected`);
  const { settings } = saved.groups[0];
  const number = (name: string): number => {
    const value = settings.get(name);
    if (typeof value !== "number" || !Number.isFinite(value))
      throw refuse(name, "is not a finite number");
    return value;
  };
  if (saved.state.has("square_avg") || settings.has("alpha")) {
    const square = saved.state.get("square_avg");
    const step = saved.state.get("step");
    return {
      optimizer: groupRmsProp({
        lr: number("lr"),
        alpha: number("alpha"),
        eps: number("eps"),
        weightDecay: number("weight_decay"),
      }),
      state: {
        step: saved.state.size === 0 ? 0 : whole(step, () => refuse("step", "is no count")),
        squareAvg:
          saved.state.size === 0
            ? 0
            : scalar(square, () => refuse("square_avg", "is no number of at least 0")),
      },
    };
  }
  if (!settings.has("momentum")) throw refuse("param_groups", "is of an unknown optimizer");
  for (const [name, idle] of Object.entries(IDLE_SETTINGS)) {
    const value = settings.get(name);
    if (value !== undefined && value !== idle)
      throw refuse(name, `is ${String(value)}, which is not supported`);
  }
  return {
    optimizer: sgd({
      lr: number("lr"),
      momentum: number("momentum"),
      weightDecay: number("weight_decay"),
    }),
    state: { step: 0, velocity: velocityOf(saved, factorization, options.names, refuse) },
  };
}

function velocityOf(
  saved: TorchOptimizerState,
  { layout, values }: Factorization,
  names: readonly string[],
  refuse: (field: string, problem: string) => Error,
): Float32Array | Float64Array {
  const velocity =
    values instanceof Float64Array
      ? new Float64Array(values.length)
      : new Float32Array(values.length);
  const { parameters } = saved.groups[0];
  if (parameters.length !== names.length)
    throw refuse("param_groups", `has ${parameters.length} parameters, the model ${names.length}`);
  for (const { name: ours, rows, cols, offset } of layout) {
    const name = torchParameterName(ours);
    const key = parameters[names.indexOf(name)];
    const state = saved.state.get(key);
    const buffer: unknown = state instanceof Map ? state.get("momentum_buffer") : undefined;
    if (buffer === undefined || buffer === null) continue;
    const field = `state.${key}.momentum_buffer`;
    if (!isTensor(buffer) || buffer.shape.join() !== [rows, cols].join())
      throw refuse(field, `does not have the shape of ${name} (${rows} × ${cols})`);
    copyFinite(buffer.data, velocity, offset, () => refuse(field, "is not finite"));
  }
  return velocity;
}

function isTensor(value: unknown): value is TorchTensor {
  return typeof value === "object" && value !== null && "shape" in value && "data" in value;
}

/** A number, or a tensor of one. */
function scalar(value: unknown, refuse: () => Error): number {
  const number =
    isTensor(value) && value.data.length === 1 ? Number(value.data[0]) : (value as number);
  if (typeof number !== "number" || !Number.isFinite(number) || number < 0) throw refuse();
  return number;
}

function whole(value: unknown, refuse: () => Error): number {
  const number = scalar(value, refuse);
  if (!Number.isSafeInteger(number)) throw refuse();
  return number;
}
