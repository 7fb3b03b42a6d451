import { describe, expect, test } from "vitest";
import {
  createFactorization,
  groupRmsProp,
  hierarchicalSpec,
  importTorchOptimizer,
  matrixSpec,
  sgd,
  type TorchOptimizerState,
} from "../../src/index.ts";
import { randomFactorization } from "../arbitraries.ts";
import { optimizerState, rmsSettings, sgdSettings, stateDictionary } from "./state-dictionary.ts";

const source = "model.ckpt";
const factorization = randomFactorization(
  hierarchicalSpec({ modeSizes: [2, 3], widths: [2] }),
  1,
  "single",
);
const names = [...stateDictionary(factorization).keys()];

const load = (
  saved: TorchOptimizerState,
  of = factorization,
): ReturnType<typeof importTorchOptimizer> => importTorchOptimizer(saved, of, { names, source });

describe("GroupRMSprop", () => {
  const settings = { ...rmsSettings, weight_decay: 0.5 };
  const optimizer = groupRmsProp({ lr: 0.02, weightDecay: 0.5 });

  test("has its step and its running mean, as numbers or as tensors of one", () => {
    for (const state of [
      { square_avg: 0.25, step: 7 },
      {
        square_avg: { shape: [], data: Float32Array.of(0.25) },
        step: { shape: [1], data: BigInt64Array.of(7n) },
      },
    ])
      expect(load(optimizerState(settings, new Map(Object.entries(state))))).toEqual({
        optimizer,
        state: { step: 7, squareAvg: 0.25 },
      });
  });

  test("before its first step has none", () => {
    expect(load(optimizerState(settings))).toEqual({ optimizer, state: { step: 0, squareAvg: 0 } });
  });
});

describe("SGD", () => {
  const optimizer = sgd({ lr: 0.1, momentum: 0.9 });
  const buffer = (rows: number, cols: number, first: number): unknown => ({
    shape: [rows, cols],
    data: Float32Array.from({ length: rows * cols }, (_, i) => first + i),
  });

  test("has a velocity of the buffers of its parameters, zero where there is none", () => {
    const state = new Map<unknown, unknown>([
      [0, new Map([["momentum_buffer", buffer(2, 2, 1)]])],
      [1, new Map([["momentum_buffer", null]])],
      [2, new Map([["momentum_buffer", buffer(2, 1, 11)]])],
    ]);
    expect(load(optimizerState(sgdSettings, state, 3))).toEqual({
      optimizer,
      state: { step: 0, velocity: Float32Array.of(1, 2, 3, 4, 0, 0, 0, 0, 0, 0, 11, 12) },
    });
    const { state: none } = load(optimizerState(sgdSettings, new Map(), 3));
    expect(none).toEqual({ step: 0, velocity: new Float32Array(12) });
  });

  test("finds buffers by the numbers of the parameters, in the dictionary's order", () => {
    const spec = matrixSpec({ rows: 1, cols: 2, depth: 2 });
    const state = new Map<unknown, unknown>([
      [5, new Map([["momentum_buffer", buffer(1, 2, 1)]])],
      [4, new Map([["momentum_buffer", buffer(1, 1, 9)]])],
    ]);
    const saved = {
      groups: [{ settings: new Map(Object.entries(sgdSettings)), parameters: [5, 4] }],
      state,
    };
    const double = createFactorization(spec, new Float64Array(3));
    expect(
      importTorchOptimizer(saved, double, { names: ["layers.1", "layers.0"], source }).state,
    ).toEqual({ step: 0, velocity: Float64Array.of(9, 1, 2) });
  });

  test("may have settings that do nothing, of newer versions too", () => {
    const settings = { ...sgdSettings, maximize: false, foreach: null };
    expect(load(optimizerState(settings, new Map(), 3)).optimizer).toEqual(optimizer);
  });
});

describe("refused in one line that names the field", () => {
  const remedy = "give a checkpoint of GroupRMSprop or SGD, as the PyTorch scripts write it";
  const withBuffer = (buffer: unknown): TorchOptimizerState =>
    optimizerState(sgdSettings, new Map([[0, new Map([["momentum_buffer", buffer]])]]), 3);
  const rms = (state: Record<string, unknown>): TorchOptimizerState =>
    optimizerState(rmsSettings, new Map(Object.entries(state)));

  test.each<[string, TorchOptimizerState, string]>([
    [
      "several groups",
      { groups: [...optimizerState({}).groups, ...optimizerState({}).groups], state: new Map() },
      "param_groups: has 2 groups where one is expected",
    ],
    ["another optimizer", optimizerState({ lr: 1 }), "param_groups: is of an unknown optimizer"],
    ["no rate", optimizerState({ ...sgdSettings, lr: undefined }), "lr: is not a finite number"],
    ["no number", optimizerState({ ...rmsSettings, eps: "1" }), "eps: is not a finite number"],
    [
      "an infinite rate",
      optimizerState({ ...rmsSettings, lr: Infinity }),
      "lr: is not a finite number",
    ],
    ["no step", rms({ square_avg: 1 }), "step: is no count"],
    ["half a step", rms({ square_avg: 1, step: 0.5 }), "step: is no count"],
    ["a step back", rms({ square_avg: 1, step: -1 }), "step: is no count"],
    ["no mean", rms({ step: 1 }), "square_avg: is no number of at least 0"],
    ["a mean of NaN", rms({ step: 1, square_avg: NaN }), "square_avg: is no number of at least 0"],
    [
      "two means",
      rms({ step: 1, square_avg: { shape: [2], data: Float32Array.of(1, 2) } }),
      "square_avg: is no number of at least 0",
    ],
    [
      "dampening",
      optimizerState({ ...sgdSettings, dampening: 0.5 }),
      "dampening: is 0.5, which is not supported",
    ],
    [
      "Nesterov's momentum",
      optimizerState({ ...sgdSettings, nesterov: true }),
      "nesterov: is true, which is not supported",
    ],
    [
      "ascent",
      optimizerState({ ...sgdSettings, maximize: true }),
      "maximize: is true, which is not supported",
    ],
    [
      "fewer parameters than the model",
      optimizerState(sgdSettings, new Map(), 2),
      "param_groups: has 2 parameters, the model 3",
    ],
    [
      "a buffer of another shape",
      withBuffer({ shape: [4, 1], data: new Float32Array(4) }),
      "state.0.momentum_buffer: does not have the shape of per_hidden_layer_parameter_lists.0.0 (2 × 2)",
    ],
    [
      "a buffer that is a number",
      withBuffer(3),
      "state.0.momentum_buffer: does not have the shape of per_hidden_layer_parameter_lists.0.0 (2 × 2)",
    ],
    [
      "a buffer of NaN",
      withBuffer({ shape: [2, 2], data: Float32Array.of(0, 1, NaN, 2) }),
      "state.0.momentum_buffer: is not finite",
    ],
  ])("%s", (_what, saved, problem) => {
    const message = `${source}: optimizer.${problem}; ${remedy}`;
    expect(() => load(saved)).toThrow(
      expect.objectContaining({ name: "FactorizationError", message, exitCode: 1 }) as Error,
    );
  });
});
