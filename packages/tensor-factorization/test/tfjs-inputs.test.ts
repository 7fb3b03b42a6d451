import { createRandom } from "@implicit-rank/random";
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, expect, test } from "vitest";
import { createFactorization, type Factorization, modeSizesOf } from "../src/index.ts";
import { forward, parameterTensors } from "../src/tfjs.ts";
import { randomFactorization, seeds, specs } from "./arbitraries.ts";
import { expectClose } from "./closeness.ts";
import { useCpuBackend } from "./cpu-backend.ts";
import { valueByDefinition } from "./definition.ts";

// Of float32: at most a few hundred roundings of 6e-8 each.
const tolerance = 1e-5;

beforeAll(useCpuBackend);

/** By definition, which takes a matrix for MF: the outer product of the two vectors. */
function valueAt(factorization: Factorization, vectors: number[][]): number {
  const [rows, cols] = vectors;
  return valueByDefinition(
    factorization,
    factorization.spec.kind === "mf" ? rows.map((row) => cols.map((col) => row * col)) : vectors,
  );
}

/** The same sums with every term positive: what rounding is relative to. */
function termSize({ spec, values }: Factorization, vectors: number[][]): number {
  const positive = createFactorization(spec, values.map(Math.abs));
  return valueAt(
    positive,
    vectors.map((vector) => vector.map(Math.abs)),
  );
}

test("encodings in a list: the value by definition, and a gradient for each of them", () => {
  fc.assert(
    fc.property(specs, seeds, (spec, seed) => {
      const factorization = randomFactorization(spec, seed, "single");
      const random = createRandom(seed).fork("vectors");
      const vectors = modeSizesOf(spec).map((size) =>
        Array.from({ length: size }, () => random.normal()),
      );
      const expected = valueAt(factorization, vectors);
      const terms = termSize(factorization, vectors);
      tf.tidy(() => {
        const encodings = vectors.map((vector) => tf.tensor2d([vector]));
        const value = (...inputs: tf.Tensor[]): tf.Scalar =>
          tf.sum(forward(spec, parameterTensors(factorization), inputs));
        expectClose(value(...encodings).dataSync(), [expected], tolerance, terms);
        // The value is linear in the vector of each mode, so ⟨∂f/∂x, x⟩ = f.
        const products = tf
          .grads(value)(encodings)
          .map((gradient, mode) => tf.sum(tf.mul(gradient, encodings[mode])).dataSync()[0]);
        expectClose(
          products,
          products.map(() => expected),
          tolerance,
          terms,
        );
      });
    }),
  );
});

test("a list that has not one encoding for each mode is refused", () => {
  const spec = { kind: "cp", modeSizes: [2, 3, 2], components: 2, outputWeights: false } as const;
  const parameters = parameterTensors(randomFactorization(spec, 1, "single"));
  expect(() => forward(spec, parameters, [tf.ones([1, 2]), tf.ones([1, 3])])).toThrow(
    "inputs: 2 encodings given for 3 modes; give one for each mode",
  );
});
