import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { createFactorization, groupRmsProp } from "../src/index.ts";
import { assignParameters, forward, parameterTensors, tfjsEngine } from "../src/tfjs.ts";
import { expectClose } from "./closeness.ts";
import { useCpuBackend } from "./cpu-backend.ts";
import { goldenCases } from "./golden.ts";

// tfjs adds up in float32 in an order of its own.
const tolerance = 1e-5;

beforeAll(useCpuBackend);

describe.each(goldenCases)("tfjs, $name", (golden) => {
  const { spec, factorization, observations } = golden;

  test("forward at encodings", () => {
    const encodings = tf.tensor([...golden.sensing.data], [...golden.sensing.shape]);
    const output = forward(spec, parameterTensors(factorization), encodings);
    expectClose(output.dataSync(), golden.prediction, tolerance);
  });

  test("gradient by autodiff", async () => {
    const training = await tfjsEngine.compile(
      factorization,
      observations,
      { kind: "l2" },
      groupRmsProp(),
    );
    expectClose(training.gradient(), golden.gradients, tolerance);
    training.dispose();
  });

  test("parameters after 5 steps of GroupRMSprop; no tensor is left", async () => {
    const before = tf.memory().numTensors;
    const own = createFactorization(spec, factorization.values.slice());
    const training = await tfjsEngine.compile(own, observations, { kind: "l2" }, groupRmsProp());
    for (let i = 0; i < 5; i++) training.step();
    training.dispose();
    expectClose(own.values, golden.afterFiveGroupRmsProp, tolerance);
    expect(tf.memory().numTensors).toBe(before);
  });

  test("parameters go to tensors and back", async () => {
    const copy = createFactorization(spec);
    await assignParameters(copy, parameterTensors(factorization));
    expect(copy.values).toEqual(factorization.values);
  });
});
