import { readFileSync } from "node:fs";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { createAdam, createSgd, type Optimizer } from "../src/index.ts";
import { backends, useBackend } from "./backends.ts";
import { expectClose } from "./closeness.ts";

type Trajectory = readonly (readonly [number[], number[]])[];
type Parameters = ReadonlyMap<string, tf.Variable>;

describe.each(backends)("on backend %s", (backend) => {
  beforeAll(() => useBackend(backend));

  const url = new URL("fixtures/optimizers.json", import.meta.url);
  const trajectories = JSON.parse(readFileSync(url, "utf8")) as Readonly<
    Record<string, Trajectory>
  >;

  const optimizers: Readonly<Record<string, (parameters: Parameters) => Optimizer>> = {
    sgd: (parameters) => createSgd(parameters, { learningRate: 0.1 }),
    "sgd with momentum": (parameters) =>
      createSgd(parameters, { learningRate: 0.1, momentum: 0.9 }),
    "sgd with momentum and weight decay": (parameters) =>
      createSgd(parameters, { learningRate: 0.1, momentum: 0.9, weightDecay: 0.05 }),
    adam: (parameters) => createAdam(parameters, { learningRate: 0.1 }),
    "adam with weight decay": (parameters) =>
      createAdam(parameters, { learningRate: 0.05, beta1: 0.8, beta2: 0.95, weightDecay: 0.1 }),
  };

  /** The parameters of fixtures/optimizer_fixtures.py. */
  function createParameters(): Parameters {
    return new Map([
      ["first", tf.variable(tf.linspace(-1, 1, 5))],
      ["second", tf.variable(tf.reshape(tf.linspace(0.5, 2, 4), [2, 2]))],
    ]);
  }

  /** Its gradients in step t. */
  function gradientsOf(step: number): ReadonlyMap<string, tf.Tensor> {
    const entries = (count: number, value: (i: number) => number) =>
      Array.from({ length: count }, (_, i) => value(i));
    return new Map<string, tf.Tensor>([
      ["first", tf.tensor1d(entries(5, (i) => Math.cos(step + i)))],
      [
        "second",
        tf.tensor2d(
          entries(4, (i) => Math.sin(3 * step + i)),
          [2, 2],
        ),
      ],
    ]);
  }

  function takeStep(optimizer: Optimizer, step: number): void {
    if (step === 4) optimizer.learningRate /= 2;
    const gradients = gradientsOf(step);
    optimizer.update(gradients);
    tf.dispose([...gradients.values()]);
  }

  const valuesOf = (parameters: Parameters): number[][] =>
    Array.from(parameters.values(), (parameter) => [...parameter.dataSync()]);

  test.each(Object.keys(optimizers))("%s takes PyTorch's steps", (name) => {
    const parameters = createParameters();
    const optimizer = optimizers[name](parameters);
    trajectories[name].forEach((expected, index) => {
      takeStep(optimizer, index + 1);
      // Float32 rounding of a few operations a step.
      valuesOf(parameters).forEach((values, i) => expectClose(values, expected[i], 2e-6));
    });
  });

  test.each(Object.keys(optimizers))(
    "%s goes on with the same bits from a saved state",
    async (name) => {
      const uninterrupted = createParameters();
      const first = optimizers[name](uninterrupted);
      takeStep(first, 1);
      takeStep(first, 2);
      const saved = await first.save();
      const copies = new Map(
        Array.from(uninterrupted, ([key, value]) => [key, tf.variable(tf.clone(value))] as const),
      );
      const second = optimizers[name](copies);
      second.restore(saved);
      for (const step of [3, 4, 5]) {
        takeStep(first, step);
        takeStep(second, step);
      }
      expect(valuesOf(copies)).toEqual(valuesOf(uninterrupted));
    },
  );

  test("a saved state does not change with the training that goes on", async () => {
    const optimizer = createAdam(createParameters(), { learningRate: 0.1 });
    takeStep(optimizer, 1);
    const saved = await optimizer.save();
    const before = structuredClone(saved);
    takeStep(optimizer, 2);
    expect(saved).toEqual(before);
  });

  test("a state of another optimizer or of other parameters is refused", async () => {
    const parameters = createParameters();
    const sgd = createSgd(parameters, { learningRate: 0.1 });
    const state = await sgd.save();
    expect(() => createAdam(parameters, { learningRate: 0.1 }).restore(state)).toThrow(
      "optimizer state: no step; it is of another optimizer or model",
    );
    const narrow = new Map([["first", tf.variable(tf.zeros([4]))]]);
    expect(() => createSgd(narrow, { learningRate: 0.1 }).restore(state)).toThrow(
      "optimizer state: velocity.first has shape [5], not [4]; it is of another model",
    );
  });

  test.each([
    [{ learningRate: -1 }, "--lr: is -1; give a number of 0 or more"],
    [{ learningRate: 1, momentum: Number.NaN }, "--momentum: is NaN; give a number of 0 or more"],
    [{ learningRate: 1, weightDecay: -0.5 }, "--weight_decay: is -0.5; give a number of 0 or more"],
  ])("bad rates %o are refused", (options, message) => {
    expect(() => createSgd(createParameters(), options)).toThrow(message);
  });

  test("a parameter without a gradient stays as it is", () => {
    const parameters = createParameters();
    const [, before] = valuesOf(parameters);
    const optimizer = createSgd(parameters, { learningRate: 1, weightDecay: 1 });
    optimizer.update(new Map([["first", tf.ones([5])]]));
    expect(valuesOf(parameters)[1]).toEqual(before);
  });

  test("steps and disposal leave no tensors behind", () => {
    const { numTensors } = tf.memory();
    const parameters = createParameters();
    const optimizer = createAdam(parameters, { learningRate: 0.1 });
    for (let step = 1; step <= 20; step++) takeStep(optimizer, step);
    optimizer.dispose();
    tf.dispose([...parameters.values()]);
    // The initial values of the two parameters.
    expect(tf.memory().numTensors - numTensors).toBe(2 + 1);
  });
});
