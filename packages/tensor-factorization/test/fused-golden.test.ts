import { describe, test } from "vitest";
import { compileFused, type FusedStep } from "../src/engines/fused/fused-engine.ts";
import { createFactorization, groupRmsProp, type Optimizer, sgd } from "../src/index.ts";
import { expectClose } from "./closeness.ts";
import { type GoldenCase, goldenCases } from "./golden.ts";

// Single precision sums in another order than PyTorch's: both are within float32 rounding of the truth.
const tolerance = 1e-5;

const forms = ["grid", "gather"] as const;

function compile(
  golden: GoldenCase,
  optimizer: Optimizer,
  form: (typeof forms)[number],
): Promise<FusedStep> {
  const factorization = createFactorization(golden.spec, golden.factorization.values.slice());
  return compileFused(factorization, golden.observations, { kind: "l2" }, optimizer, {
    validation: golden.observations,
    choose: (plans) => plans.find((plan) => plan.form === form) ?? plans[0],
  });
}

async function parametersAfter(
  golden: GoldenCase,
  steps: number,
  optimizer: Optimizer,
  form: (typeof forms)[number],
): Promise<Float32Array> {
  const training = await compile(golden, optimizer, form);
  for (let i = 0; i < steps; i++) training.step();
  const values = Float32Array.from(training.factorization.values);
  training.dispose();
  return values;
}

const cases = goldenCases.flatMap((golden) => forms.map((form) => ({ ...golden, golden, form })));

describe.each(cases)("fused engine, $name, $form", ({ golden, form }) => {
  test("loss and statistics of the predictions", async () => {
    const training = await compile(golden, groupRmsProp(), form);
    const { loss, meanSquaredError, predictionAbsMean, predictionAbsMax } = training.step();
    const sizes = golden.prediction.map(Math.abs);
    expectClose([loss, meanSquaredError], [golden.mse, golden.mse], tolerance);
    expectClose([predictionAbsMax], [Math.max(...sizes)], tolerance);
    expectClose([predictionAbsMean], [sizes.reduce((a, b) => a + b) / sizes.length], tolerance);
    training.dispose();
  });

  test("gradient", async () => {
    const training = await compile(golden, sgd(), form);
    expectClose(training.gradient(), golden.gradients, tolerance);
    training.dispose();
  });

  test("predictions and full tensor", async () => {
    const training = await compile(golden, sgd(), form);
    training.evaluation!.run();
    expectClose(training.evaluation!.predictions(), golden.prediction, tolerance);
    if (golden.tensor !== undefined)
      expectClose(training.evaluation!.tensor()!, golden.tensor.data, tolerance);
    training.dispose();
  });

  test("parameters after steps of GroupRMSprop and of SGD with momentum", async () => {
    const rms = groupRmsProp({ lr: 0.01 });
    expectClose(
      await parametersAfter(golden, 1, rms, form),
      golden.afterOneGroupRmsProp,
      tolerance,
    );
    expectClose(
      await parametersAfter(golden, 5, rms, form),
      golden.afterFiveGroupRmsProp,
      tolerance,
    );
    const momentum = sgd({ lr: 0.01, momentum: 0.9 });
    expectClose(
      await parametersAfter(golden, 5, momentum, form),
      golden.afterFiveMomentum,
      tolerance,
    );
  });
});
