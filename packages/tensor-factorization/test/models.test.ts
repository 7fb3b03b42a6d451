import fc from "fast-check";
import ndarray from "ndarray";
import { describe, expect, test } from "vitest";
import {
  createFactorization,
  frobeniusNorm,
  fullTensor,
  homogeneityDegree,
  inputShape,
  matricization,
  modeSizesOf,
  normalize,
  predict,
} from "../src/index.ts";
import { problems, randomFactorization, scaledPair, seeds, specs } from "./arbitraries.ts";
import { expectClose } from "./closeness.ts";
import { allTuples, denseInputs, oneHotInput, valueByDefinition } from "./definition.ts";

// Everything here is double precision with sums of fewer than a thousand terms.
const tolerance = 1e-11;

describe("predictions", () => {
  test("are the values by definition, at index tuples and at encodings", () => {
    fc.assert(
      fc.property(problems, ({ spec, observations, seed }) => {
        const factorization = randomFactorization(spec, seed);
        const inputs =
          observations.task === "completion"
            ? ndarray(observations.indices, [observations.samples, modeSizesOf(spec).length])
            : ndarray(observations.inputs, [observations.samples, ...inputShape(spec)]);
        const expected = denseInputs(factorization, observations).map((input) =>
          valueByDefinition(factorization, input),
        );
        expectClose(predict(factorization, inputs).data, expected, tolerance);
      }),
    );
  });

  test("more samples than are evaluated at a time, from a strided view", () => {
    const spec = { kind: "cp", modeSizes: [3, 4], components: 2, outputWeights: false } as const;
    const factorization = randomFactorization(spec, 5);
    const columns = Int32Array.from({ length: 2 * 1300 }, (_, i) => (i < 1300 ? i % 3 : i % 4));
    const strided = ndarray(columns, [2, 1300]).transpose(1, 0);
    const tensor = fullTensor(factorization);
    const expected = Array.from({ length: 1300 }, (_, s) =>
      tensor.get(columns[s], columns[1300 + s]),
    );
    expectClose(predict(factorization, strided).data, expected, tolerance);
  });

  test("an index out of range and a wrong shape are refused in one line", () => {
    const factorization = randomFactorization({ kind: "mf", sizes: [2, 3] }, 1);
    const indices = (values: number[]): ReturnType<typeof predict> =>
      predict(factorization, ndarray(Int32Array.from(values), [values.length / 2, 2]));
    expect(() => indices([0, 0, 1, 3])).toThrow(/sample 1 has index 3 at mode 1, which has size 3/);
    expect(() => predict(factorization, ndarray(new Float32Array(6), [3, 2]))).toThrow(
      /shape 3×2 given where samples×2×3/,
    );
  });
});

describe("the full tensor", () => {
  test("has the value by definition at every index tuple, axes in mode order", () => {
    fc.assert(
      fc.property(specs, seeds, (spec, seed) => {
        const factorization = randomFactorization(spec, seed);
        const tensor = fullTensor(factorization);
        const modeSizes = modeSizesOf(spec);
        const tuples = allTuples(modeSizes);
        expect(tensor.shape).toEqual([...modeSizes]);
        const expected = tuples.map((tuple) =>
          valueByDefinition(factorization, oneHotInput(factorization, tuple)),
        );
        expectClose(
          tuples.map((tuple) => tensor.get(...tuple)),
          expected,
          tolerance,
        );
      }),
    );
  });

  test("scales with c^k when all parameters are scaled by c", () => {
    fc.assert(
      fc.property(specs, seeds, fc.double({ min: 0.5, max: 2, noNaN: true }), (spec, seed, c) => {
        const { factorization, scaled } = scaledPair(spec, seed, c);
        const factor = c ** homogeneityDegree(spec);
        const expected = fullTensor(factorization).data.map((value) => factor * value);
        expectClose(fullTensor(scaled).data, expected, tolerance);
      }),
    );
  });

  test("has the norm asked for after normalize", () => {
    fc.assert(
      fc.property(
        specs,
        seeds,
        fc.double({ min: 0.1, max: 100, noNaN: true }),
        (spec, seed, norm) => {
          const factorization = randomFactorization(spec, seed);
          normalize(factorization, norm);
          expectClose([frobeniusNorm(fullTensor(factorization).data)], [norm], tolerance);
        },
      ),
    );
  });

  test("a zero tensor cannot be normalized", () => {
    expect(() => normalize(createFactorization({ kind: "mf", sizes: [2, 2] }), 1)).toThrow(
      /norm 0 and cannot be scaled/,
    );
  });
});

describe("matricization", () => {
  const tensor = ndarray(
    Float64Array.from({ length: 24 }, (_, i) => i),
    [2, 3, 4],
  );

  test("has rows over the given modes and columns over the others in ascending order", () => {
    fc.assert(
      fc.property(
        fc.subarray([0, 1, 2], { minLength: 1, maxLength: 2 }),
        fc.boolean(),
        (modes, flip) => {
          const rowModes = flip ? modes.toReversed() : modes;
          const colModes = [0, 1, 2].filter((mode) => !rowModes.includes(mode));
          const matrix = matricization(tensor, rowModes);
          const sizes = [2, 3, 4];
          for (const tuple of allTuples(sizes)) {
            const position = (of: number[]): number =>
              of.reduce((at, mode) => at * sizes[mode] + tuple[mode], 0);
            expect(matrix.get(position(rowModes), position(colModes))).toBe(tensor.get(...tuple));
          }
        },
      ),
    );
  });

  test.each([
    [[3], /3 is not a mode of a tensor of order 3/],
    [[0, 0], /names a mode twice/],
    [[], /leave no rows or no columns/],
    [[0, 1, 2], /leave no rows or no columns/],
  ])("refuses %j", (modes, message) => {
    expect(() => matricization(tensor, modes)).toThrow(message);
  });
});
