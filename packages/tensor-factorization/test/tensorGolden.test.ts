import ndarray from "ndarray";
import { describe, expect, test } from "vitest";
import { fullTensor, predict } from "../src/index.ts";
import { expectClose } from "./closeness.ts";
import { goldenCases } from "./golden.ts";

// The fixtures are float32 in PyTorch, ours accumulates in double: they agree to float32 rounding.
const tolerance = 1e-5;

describe.each(goldenCases)("$name", (golden) => {
  const { factorization, observations, sensing, prediction } = golden;

  test("prediction at encodings", () => {
    const encodings = ndarray(Float32Array.from(sensing.data), [...sensing.shape]);
    expectClose(predict(factorization, encodings).data, prediction, tolerance);
  });

  test.runIf(observations.task === "completion")("prediction at index tuples", () => {
    if (observations.task !== "completion") return;
    const { indices, samples } = observations;
    const tuples = ndarray(indices, [samples, indices.length / samples]);
    expectClose(predict(factorization, tuples).data, prediction, tolerance);
  });

  test.runIf(golden.tensor !== undefined)("full tensor", () => {
    const tensor = fullTensor(factorization);
    expect(tensor.shape).toEqual(golden.tensor?.shape);
    expectClose(tensor.data, golden.tensor?.data ?? [], tolerance);
  });
});
