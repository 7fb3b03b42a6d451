import { createRandom } from "@implicit-rank/random";
import fc from "fast-check";
import { Matrix } from "ml-matrix";
import ndarray from "ndarray";
import { describe, expect, test } from "vitest";
import {
  componentNorms,
  cpSpec,
  createCpMetrics,
  createFactorization,
  createHierarchicalMetrics,
  createMatrixMetrics,
  effectiveRank,
  type Factorization,
  type FactorizationMetrics,
  type FactorizationSpec,
  frobeniusNorm,
  fullTensor,
  homogeneityDegree,
  localComponentNorms,
  matricization,
  matrixRank,
  meanSquaredError,
  modeTreeOf,
  normalizedReconstructionError,
  nuclearNorm,
  parameterViews,
  reconstructionError,
  singularValues,
} from "../src/index.ts";
import { hierarchicalSpecs, randomFactorization, scaledPair, seeds, specs } from "./arbitraries.ts";
import { expectClose } from "./closeness.ts";

/** Singular values come from a Gram matrix, which resolves 1e-8 of the largest. */
const spectrumTolerance = 1e-7;

const sizes = fc.integer({ min: 1, max: 7 });

function randomVector(length: number, seed: number): Float64Array {
  const values = new Float64Array(length);
  createRandom(seed).fillNormal(values, 0, 1);
  return values;
}

/** A product of reflections, hence orthogonal. */
function orthogonal(n: number, seed: number): Matrix {
  let product = Matrix.eye(n);
  for (let k = 0; k < n; k++) {
    const v = Matrix.columnVector([...randomVector(n, seed + k)]);
    const reflection = Matrix.eye(n).sub(v.mmul(v.transpose()).mul(2 / v.dot(v)));
    product = product.mmul(reflection);
  }
  return product;
}

/** U diag(values) Vᵀ with orthogonal U and V. */
function matrixOfSpectrum(
  rows: number,
  cols: number,
  values: readonly number[],
  seed: number,
): Float64Array {
  const diagonal = Matrix.zeros(rows, cols);
  values.forEach((value, i) => diagonal.set(i, i, value));
  const matrix = orthogonal(rows, seed)
    .mmul(diagonal)
    .mmul(orthogonal(cols, seed + 100));
  return Float64Array.from(matrix.to1DArray());
}

const matricesOfSpectrum = fc
  .record({ rows: sizes, cols: sizes, seed: fc.nat({ max: 1e6 }) })
  .chain(({ rows, cols, seed }) =>
    fc
      .array(fc.double({ min: 0.1, max: 10, noNaN: true }), { maxLength: Math.min(rows, cols) })
      .map((spectrum) => ({
        rows,
        cols,
        spectrum: spectrum.toSorted((a, b) => b - a),
        data: matrixOfSpectrum(rows, cols, spectrum, seed),
      })),
  );

describe("the spectrum of a matrix", () => {
  test("does not see orthogonal transforms, and its rank counts what is not zero", () => {
    fc.assert(
      fc.property(matricesOfSpectrum, ({ rows, cols, spectrum, data }) => {
        const values = singularValues(ndarray(data, [rows, cols]));
        const all = Array.from({ length: Math.min(rows, cols) }, (_, i) => spectrum[i] ?? 0);
        expectClose(values, all, spectrumTolerance);
        expect(matrixRank(values, rows, cols)).toBe(spectrum.length);
        const expected = spectrum.length === 0 ? 1 : effectiveRank(Float64Array.from(spectrum));
        expectClose([effectiveRank(values)], [expected], 1e-5);
      }),
    );
  });

  test("‖A‖ ≤ ‖A‖_* ≤ √rank · ‖A‖", () => {
    fc.assert(
      fc.property(matricesOfSpectrum, ({ rows, cols, spectrum, data }) => {
        const values = singularValues(ndarray(data, [rows, cols]));
        const norm = frobeniusNorm(data);
        const rounding = 1 + 10 * spectrumTolerance;
        expect(norm).toBeLessThanOrEqual(nuclearNorm(values) * rounding);
        expect(nuclearNorm(values)).toBeLessThanOrEqual(
          Math.sqrt(spectrum.length) * norm * rounding,
        );
      }),
    );
  });
});

test("the effective rank lies between 1 and the number of singular values that are not zero, whatever their scale and order", () => {
  const values = fc.array(
    fc.oneof(fc.constant(0), fc.double({ min: 1e-9, max: 1e9, noNaN: true })),
    {
      minLength: 1,
      maxLength: 12,
    },
  );
  fc.assert(
    fc.property(values, fc.double({ min: 1e-3, max: 1e3, noNaN: true }), (spectrum, scale) => {
      const rank = effectiveRank(Float64Array.from(spectrum));
      const nonzero = spectrum.filter((value) => value !== 0).length;
      expect(rank).toBeGreaterThanOrEqual(1 - 1e-12);
      expect(rank).toBeLessThanOrEqual(Math.max(1, nonzero) * (1 + 1e-12));
      const scaled = Float64Array.from(spectrum.toReversed(), (value) => scale * value);
      expectClose([effectiveRank(scaled)], [rank], 1e-9);
    }),
  );
});

test("a tensor's matricizations have the same spectra when its modes change places", () => {
  const cases = fc
    .array(fc.integer({ min: 1, max: 4 }), { minLength: 2, maxLength: 4 })
    .chain((shape) =>
      fc.record({
        shape: fc.constant(shape),
        permutation: fc.shuffledSubarray(
          shape.map((_, mode) => mode),
          { minLength: shape.length },
        ),
        rows: fc.subarray(
          shape.map((_, mode) => mode),
          { minLength: 1, maxLength: shape.length - 1 },
        ),
        seed: seeds,
      }),
    );
  fc.assert(
    fc.property(cases, ({ shape, permutation, rows, seed }) => {
      const entries = shape.reduce((product, size) => product * size, 1);
      const tensor = ndarray(randomVector(entries, seed), shape);
      const expected = singularValues(matricization(tensor, rows));
      const permuted = tensor.transpose(...permutation);
      const moved = rows.map((mode) => permutation.indexOf(mode));
      expectClose(singularValues(matricization(permuted, moved)), expected, spectrumTolerance);
      const others = shape.map((_, mode) => mode).filter((mode) => !rows.includes(mode));
      expectClose(singularValues(matricization(tensor, others)), expected, spectrumTolerance);
    }),
  );
});

test("reconstruction errors are distances", () => {
  const length = fc.integer({ min: 1, max: 20 });
  fc.assert(
    fc.property(length, seeds, (n, seed) => {
      const [a, b, c] = [0, 1, 2].map((k) => randomVector(n, seed + k));
      const distance = reconstructionError(a, b);
      expect(reconstructionError(b, a)).toBe(distance);
      expect(reconstructionError(a, a)).toBe(0);
      expect(distance).toBeLessThanOrEqual(
        (reconstructionError(a, c) + reconstructionError(c, b)) * (1 + 1e-12),
      );
      expectClose([meanSquaredError(a, b) * n], [distance ** 2], 1e-12);
      expectClose([normalizedReconstructionError(a, b) * frobeniusNorm(b)], [distance], 1e-12);
    }),
  );
});

type Named = ReadonlyMap<string, number>;

function evaluate(metrics: FactorizationMetrics): Named {
  const values = new Float64Array(metrics.infos.length);
  metrics.evaluate(values);
  return new Map(metrics.infos.map(({ name }, i) => [name, values[i]]));
}

function metricsOf({ spec, ...rest }: Factorization): FactorizationMetrics {
  switch (spec.kind) {
    case "mf":
      return createMatrixMetrics({ spec, ...rest }, { layers: true, determinant: true });
    case "cp":
      return createCpMetrics({ spec, ...rest });
    case "ht":
      return createHierarchicalMetrics({ spec, ...rest });
  }
}

/** The power of c that a metric is multiplied by when all parameters are multiplied by c. */
function degreeOf(name: string, spec: FactorizationSpec): number | undefined {
  const whole = homogeneityDegree(spec);
  const local = /^l_(\d+)_f_([\d_]+)_top_\d+_local_comp_norm$/.exec(name);
  if (local !== null && spec.kind === "ht") {
    const isLast = Number(local[1]) === spec.widths.length - 1;
    return local[2].split("_").length + (isLast && !spec.outputWeights ? 0 : 1);
  }
  if (/eff(ective)?_rank$/.test(name)) return 0;
  // Rank counts what is above a threshold, which rounding may cross.
  if (name === "e2e_rank") return undefined;
  if (name === "e2e_determinant" && spec.kind === "mf")
    return whole * Math.min(spec.sizes[0], spec.sizes.at(-1)!);
  if (name.startsWith("balancedness")) return 2;
  if (name.startsWith("top_component") && spec.kind === "cp") return spec.modeSizes.length;
  if (/^(layer_\d|factor_|l_\d+_f_\d+_top_\d+_wv)/.test(name)) return 1;
  return whole;
}

test("every metric is homogeneous in the parameters, of its own degree", () => {
  fc.assert(
    fc.property(specs, seeds, fc.double({ min: 0.5, max: 2, noNaN: true }), (spec, seed, c) => {
      const { factorization, scaled } = scaledPair(spec, seed, c);
      const [before, after] = [factorization, scaled].map((of) => evaluate(metricsOf(of)));
      const norm = frobeniusNorm(fullTensor(factorization).data);
      for (const [name, value] of before) {
        const degree = degreeOf(name, spec);
        if (degree === undefined) continue;
        const isOfSpectrum = /sing|nuc|rank/.test(name);
        const size = /sing|nuc/.test(name) ? norm : name === "e2e_determinant" ? norm ** 4 : 1;
        const tolerance = isOfSpectrum ? 1e-5 : 1e-12;
        expectClose([after.get(name)! / c ** degree], [value], tolerance, size);
      }
    }),
  );
});

describe("components", () => {
  test("of CP: their norms are those of the outer products that the tensor is the sum of", () => {
    const cases = fc.record({
      modeSizes: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 2, maxLength: 4 }),
      components: fc.integer({ min: 1, max: 4 }),
      seed: seeds,
    });
    fc.assert(
      fc.property(cases, ({ modeSizes, components, seed }) => {
        const spec = cpSpec({ modeSizes, components });
        const factorization = { ...randomFactorization(spec, seed), spec };
        const norms = Array.from({ length: components }, (_, r) => {
          const alone = createFactorization(spec, factorization.values.slice());
          for (const factor of parameterViews(alone))
            for (let i = 0; i < factor.shape[0]; i++)
              for (let other = 0; other < components; other++)
                if (other !== r) factor.set(i, other, 0);
          return frobeniusNorm(fullTensor(alone).data);
        });
        expectClose(
          componentNorms(factorization),
          norms.toSorted((a, b) => b - a),
          1e-12,
        );
      }),
    );
  });

  test("of a hierarchical factorization: a child's matricization has at most as high a rank as its node has local components", () => {
    fc.assert(
      fc.property(hierarchicalSpecs, seeds, fc.nat(), fc.nat(), (spec, seed, place, kept) => {
        const { layers } = modeTreeOf(spec);
        const l = place % layers.length;
        const group = seed % layers[l].groups.length;
        const left = kept % (spec.widths[l] + 1);
        const factorization = { ...randomFactorization(spec, seed), spec };
        const before = layers.slice(0, l).reduce((count, { nodes }) => count + nodes.length, 0);
        const [first] = layers[l].groups[group];
        const matrix = parameterViews(factorization)[before + first];
        for (let i = 0; i < matrix.shape[0]; i++)
          for (let r = left; r < spec.widths[l]; r++) matrix.set(i, r, 0);
        const norms = localComponentNorms(factorization, l, group);
        expect(norms.filter((norm) => norm > 0)).toHaveLength(left);
        const tensor = fullTensor(factorization);
        for (const child of layers[l].groups[group]) {
          const modes = layers[l].nodes[child];
          if (modes.length === spec.modeSizes.length) continue;
          const [rows, cols] = matricization(tensor, modes).shape;
          const values = singularValues(matricization(tensor, modes));
          expect(matrixRank(values, rows, cols)).toBeLessThanOrEqual(left);
        }
      }),
    );
  });
});
