import fc from "fast-check";
import ndarray, { type NdArray } from "ndarray";
import { describe, expect, test } from "vitest";
import { createRandom } from "@implicit-rank/random";
import { FactorizationError, matricization, predict } from "../src/index.ts";
import { contiguous } from "../src/tensor/contiguous.ts";
import { randomFactorization, seeds } from "./arbitraries.ts";
import { expectClose } from "./closeness.ts";
import { allTuples, oneHotInput, valueByDefinition } from "./definition.ts";

type Numbers = Float32Array | Float64Array | Int32Array;

/** A part of an array of any kind, its axes in any order. */
const views: fc.Arbitrary<NdArray<Numbers>> = fc
  .array(fc.integer({ min: 1, max: 4 }), { minLength: 1, maxLength: 4 })
  .chain((shape) =>
    fc.record({
      shape: fc.constant(shape),
      kind: fc.constantFrom(Float32Array, Float64Array, Int32Array),
      ends: fc.tuple(...shape.map((size) => fc.integer({ min: 1, max: size }))),
      starts: fc.tuple(...shape.map((size) => fc.nat({ max: size - 1 }))),
      order: fc.shuffledSubarray(
        shape.map((_, axis) => axis),
        { minLength: shape.length },
      ),
    }),
  )
  .map(({ shape, kind, ends, starts, order }) => {
    const size = shape.reduce((product, length) => product * length, 1);
    const data: Numbers = kind.from(Array.from({ length: size }, (_, i) => i + 1));
    const lows = starts.map((start, axis) => Math.min(start, ends[axis] - 1));
    return ndarray(data, shape)
      .hi(...ends)
      .lo(...lows)
      .transpose(...order);
  });

test("any view's numbers in row-major order: its own where they lie so, else copies of its kind", () => {
  fc.assert(
    fc.property(views, (view) => {
      const tuples = allTuples(view.shape);
      const numbers = contiguous(view);
      expect([...numbers]).toEqual(tuples.map((tuple) => view.get(...tuple)));
      expect(numbers.constructor).toBe(view.data.constructor);
      // The numbers 1, 2, … of the array tell where an entry lies.
      const isInOrder = numbers.every((value, i) => value === numbers[0] + i);
      expect(numbers.buffer === view.data.buffer).toBe(isInOrder);
    }),
  );
});

describe("predictions", () => {
  const spec = { kind: "cp", modeSizes: [3, 4], components: 2, outputWeights: false } as const;

  test("of many samples, far more than are evaluated at a time, each its own", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 2500 }), seeds, (samples, seed) => {
        const factorization = randomFactorization(spec, seed);
        const random = createRandom(seed);
        const indices = Int32Array.from({ length: 2 * samples }, (_, i) => random.int(3 + (i % 2)));
        const byTuple = allTuples(spec.modeSizes).map((tuple) =>
          valueByDefinition(factorization, oneHotInput(factorization, tuple)),
        );
        const expected = Array.from(
          { length: samples },
          (_, s) => byTuple[4 * indices[2 * s] + indices[2 * s + 1]],
        );
        const predictions = predict(factorization, ndarray(indices, [samples, 2]));
        expect(predictions.shape).toEqual([samples]);
        expectClose(predictions.data, expected, 1e-12);
        const encodings = Float64Array.from({ length: 8 * samples }, (_, i) =>
          i % 4 === indices[Math.floor(i / 4)] ? 1 : 0,
        );
        const inputs = ndarray(encodings, [samples, 2, 4]);
        expectClose(predict(factorization, inputs).data, expected, 1e-12);
      }),
      { numRuns: 6 },
    );
  });

  test.each([
    [[2, 3], "2×3", "samples×2 is needed for index tuples"],
    [[6], "6", "samples×2 is needed for index tuples"],
    [[1, 2, 3], "1×2×3", "samples×2 is needed for index tuples"],
  ])("index tuples of shape %j are refused", (shape, given, needed) => {
    expect(() => predict(randomFactorization(spec, 1), ndarray(new Int32Array(6), shape))).toThrow(
      new FactorizationError(`inputs: shape ${given} given where ${needed}`),
    );
  });

  test.each([
    [[1, 3, 4], "1×3×4"],
    [[2, 2, 3], "2×2×3"],
    [[12], "12"],
    [[1, 2, 4, 1], "1×2×4×1"],
  ])("encodings of shape %j are refused", (shape, given) => {
    expect(() =>
      predict(randomFactorization(spec, 1), ndarray(new Float32Array(12), shape)),
    ).toThrow(
      new FactorizationError(
        `inputs: shape ${given} given where samples×2×4 is needed for encodings`,
      ),
    );
  });
});

test.each([
  [[-1], "-1 is not a mode of a tensor of order 3; give modes 0 … 2"],
  [[3], "3 is not a mode of a tensor of order 3; give modes 0 … 2"],
  [[0.5], "0.5 is not a mode of a tensor of order 3; give modes 0 … 2"],
  [[0, 1, 1], "0 1 1 names a mode twice; give each once"],
  [[0, 1, 2], "3 of 3 modes leave no rows or no columns; give 1 … 2 modes"],
  [[], "0 of 3 modes leave no rows or no columns; give 1 … 2 modes"],
])("rows of a matricization at modes %j are refused", (modes, message) => {
  const tensor = ndarray(new Float64Array(24), [2, 3, 4]);
  expect(() => matricization(tensor, modes)).toThrow(message);
});
