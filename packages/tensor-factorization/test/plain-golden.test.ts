import { describe, expect, test } from "vitest";
import {
  createFactorization,
  groupRmsProp,
  type Optimizer,
  plainEngine,
  sgd,
  type TrainingStep,
} from "../src/index.ts";
import { expectClose } from "./closeness.ts";
import { type GoldenCase, goldenCases } from "./golden.ts";

// The fixtures are float32 in PyTorch, ours accumulates in double: they agree to float32 rounding.
const tolerance = 1e-5;

function compile(golden: GoldenCase, optimizer: Optimizer): Promise<TrainingStep> {
  const factorization = createFactorization(golden.spec, golden.factorization.values.slice());
  return plainEngine.compile(factorization, golden.observations, { kind: "l2" }, optimizer);
}

async function parametersAfter(
  golden: GoldenCase,
  steps: number,
  optimizer: Optimizer,
): Promise<ArrayLike<number>> {
  const training = await compile(golden, optimizer);
  for (let i = 0; i < steps; i++) training.step();
  return training.factorization.values;
}

describe.each(goldenCases)("plain engine, $name", (golden) => {
  test("loss and statistics of the predictions", async () => {
    const { loss, meanSquaredError, predictionAbsMean, predictionAbsMax } = (
      await compile(golden, groupRmsProp())
    ).step();
    const sizes = golden.prediction.map(Math.abs);
    expectClose([loss, meanSquaredError], [golden.mse, golden.mse], tolerance);
    expectClose([predictionAbsMax], [Math.max(...sizes)], tolerance);
    expectClose([predictionAbsMean], [sizes.reduce((a, b) => a + b) / sizes.length], tolerance);
  });

  test("gradient", async () => {
    expectClose((await compile(golden, sgd())).gradient(), golden.gradients, tolerance);
  });

  test("parameters after 1 and 5 steps of GroupRMSprop", async () => {
    const optimizer = groupRmsProp({ lr: 0.01 });
    expectClose(
      await parametersAfter(golden, 1, optimizer),
      golden.afterOneGroupRmsProp,
      tolerance,
    );
    expectClose(
      await parametersAfter(golden, 5, optimizer),
      golden.afterFiveGroupRmsProp,
      tolerance,
    );
  });

  test("parameters after 5 steps of SGD with momentum 0.9", async () => {
    const optimizer = sgd({ lr: 0.01, momentum: 0.9 });
    expectClose(await parametersAfter(golden, 5, optimizer), golden.afterFiveMomentum, tolerance);
  });
});

test("all fourteen fixtures are there", () => {
  expect(goldenCases.length).toBe(14);
});
