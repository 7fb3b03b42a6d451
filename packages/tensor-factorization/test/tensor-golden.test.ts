import ndarray from "ndarray";
import { describe, expect, test } from "vitest";
import { fullTensor, type Observations, predict } from "../src/index.ts";
import { expectClose } from "./closeness.ts";
import { goldenCases } from "./golden.ts";

// The fixtures are float32 in PyTorch, ours accumulates in double: they agree to float32 rounding.
const tolerance = 1e-5;

describe("predictions and full tensor", () => {
  test.each(goldenCases)("at encodings, $name", ({ factorization, sensing, prediction }) => {
    const encodings = ndarray(Float32Array.from(sensing.data), [...sensing.shape]);
    expectClose(predict(factorization, encodings).data, prediction, tolerance);
  });

  const completion = goldenCases.filter(({ observations }) => observations.task === "completion");
  test.each(completion)("at index tuples, $name", ({ factorization, observations, prediction }) => {
    const { indices } = observations as Extract<Observations, { task: "completion" }>;
    const tuples = ndarray(indices, [prediction.length, indices.length / prediction.length]);
    expectClose(predict(factorization, tuples).data, prediction, tolerance);
  });

  const withTensor = goldenCases.filter(({ tensor }) => tensor !== undefined);
  test.each(withTensor)("full tensor, $name", ({ factorization, tensor: expected }) => {
    const tensor = fullTensor(factorization);
    expect(tensor.shape).toEqual(expected?.shape);
    expectClose(tensor.data, expected?.data ?? [], tolerance);
  });
});
