import {
  type Factorization,
  type TorchOptimizerState,
  type TorchStateDict,
  torchParameterName,
} from "../../src/index.ts";

/** The state dictionary that the PyTorch scripts would save of these parameters. */
export function stateDictionary({ layout, values }: Factorization): TorchStateDict {
  return new Map(
    layout.map(({ name, rows, cols, offset }) => [
      torchParameterName(name),
      { shape: [rows, cols], data: values.slice(offset, offset + rows * cols) },
    ]),
  );
}

/** What `state_dict()` of an optimizer of `count` parameters has. */
export function optimizerState(
  settings: Readonly<Record<string, unknown>>,
  state: ReadonlyMap<unknown, unknown> = new Map(),
  count = 0,
): TorchOptimizerState {
  return {
    groups: [
      {
        settings: new Map(Object.entries(settings)),
        parameters: Array.from({ length: count }, (_, i) => i),
      },
    ],
    state,
  };
}

export const rmsSettings = { lr: 0.02, alpha: 0.99, eps: 1e-6, weight_decay: 0 };
export const sgdSettings = {
  lr: 0.1,
  momentum: 0.9,
  dampening: 0,
  weight_decay: 0,
  nesterov: false,
};
