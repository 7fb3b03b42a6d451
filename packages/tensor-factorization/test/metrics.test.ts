import fc from "fast-check";
import { Matrix, SingularValueDecomposition } from "ml-matrix";
import { describe, expect, test } from "vitest";
import {
  balancedness,
  componentNorms,
  cpSpec,
  createCpMetrics,
  createFactorization,
  createHierarchicalMetrics,
  createMatrixMetrics,
  effectiveRank,
  type FactorizationMetrics,
  fullTensor,
  hierarchicalSpec,
  localComponentNorms,
  matricization,
  matrixRank,
  matrixSpec,
  meanSquaredError,
  normalizedReconstructionError,
  nuclearNorm,
  parameterViews,
  reconstructionError,
  singularValues,
  topColumnNorms,
  trackedMatricizations,
} from "../src/index.ts";
import { topValues } from "../src/metrics/top-values.ts";
import { hierarchicalSpecs, randomFactorization, seeds } from "./arbitraries.ts";
import { expectClose } from "./closeness.ts";

function evaluate(metrics: FactorizationMetrics): Map<string, number> {
  const values = new Float64Array(metrics.infos.length);
  metrics.evaluate(values);
  return new Map(metrics.infos.map(({ name }, i) => [name, values[i]]));
}

describe("ranks", () => {
  test("n equal singular values have effective rank n, one has 1", () => {
    expectClose([effectiveRank(Float64Array.of(2, 2, 2, 0))], [3], 1e-14);
    expectClose([effectiveRank(Float64Array.of(5, 0))], [1], 1e-14);
    expectClose([effectiveRank(Float64Array.of(0, 0))], [1], 1e-14);
    const two = Float64Array.of(3, 1);
    const entropy = -(0.75 * Math.log(0.75) + 0.25 * Math.log(0.25));
    expectClose([effectiveRank(two)], [Math.exp(entropy)], 1e-14);
    expect(nuclearNorm(two)).toBe(4);
  });

  test("rank counts what is above float32 rounding of the largest", () => {
    const threshold = 10 * 2 ** -23;
    expect(matrixRank(Float64Array.of(1, 1.01 * threshold, 0.99 * threshold), 3, 10)).toBe(2);
    expect(matrixRank(Float64Array.of(0, 0), 2, 2)).toBe(0);
    expect(matrixRank(Float64Array.of(1, 1e-10), 2, 2, 2 ** -52)).toBe(2);
  });
});

test("the largest values, descending", () => {
  fc.assert(
    fc.property(
      fc.array(fc.double({ noNaN: true, min: -3, max: 3 }), { minLength: 1, maxLength: 20 }),
      fc.nat(),
      (values, draw) => {
        const k = draw % (values.length + 1);
        const out = new Float64Array(k + 2);
        topValues(Float64Array.from(values), values.length, k, out, 1);
        const expected = values.toSorted((a, b) => b - a).slice(0, k);
        expect([...out]).toEqual([0, ...expected.map((value) => value + 0), 0]);
      },
    ),
  );
});

test("reconstruction errors", () => {
  const prediction = [3, 4];
  expect(reconstructionError(prediction, [0, 0])).toBe(5);
  expect(normalizedReconstructionError(prediction, [0, 2])).toBe(Math.sqrt(13) / 2);
  expect(normalizedReconstructionError(prediction, [0, 0])).toBe(5);
  expect(meanSquaredError(prediction, [0, 2])).toBe(6.5);
});

/** Metrics of one plot: the tag that they share, by the names of all of them. */
function plotsOf({ infos }: FactorizationMetrics): Record<string, string[]> {
  const plots: Record<string, string[]> = {};
  for (const { name, tag } of infos) (plots[tag ?? `${name} alone`] ??= []).push(name);
  return plots;
}

describe("metrics that are drawn together", () => {
  test("of a matrix factorization", () => {
    const spec = matrixSpec({ rows: 3, cols: 2, depth: 2 });
    const options = {
      targetMatrix: new Float32Array(6),
      determinant: true,
      layers: true,
      entries: [[1, 0]] as const,
    };
    expect(
      plotsOf(createMatrixMetrics({ ...randomFactorization(spec, 1), spec }, options)),
    ).toEqual({
      "Balancedness Fro Dist": ["balancedness_fro_dist_layers_0_1"],
      "Layer 0 Values": ["layer_0_entry_1_0_value"],
      "Layer 1 Values": ["layer_1_entry_1_0_value"],
      "Layers Singular Values": [
        "layer_0_singular_value_0",
        "layer_0_singular_value_1",
        "layer_1_singular_value_0",
        "layer_1_singular_value_1",
      ],
      "fro_e2e_norm alone": ["fro_e2e_norm"],
      "nuc_e2e_norm alone": ["nuc_e2e_norm"],
      "e2e_effective_rank alone": ["e2e_effective_rank"],
      "e2e_rank alone": ["e2e_rank"],
      "e2e_determinant alone": ["e2e_determinant"],
      "E2E Matrix Values": ["e2e_1_0_value"],
      "reconstruction_error alone": ["reconstruction_error"],
      "normalized_reconstruction_error alone": ["normalized_reconstruction_error"],
      "e2e singular values": ["singular_value_0", "singular_value_1"],
    });
  });

  test("of a CP factorization", () => {
    const spec = cpSpec({ modeSizes: [2, 3], components: 2 });
    expect(plotsOf(createCpMetrics({ ...randomFactorization(spec, 1), spec }))).toEqual({
      "factors Fro norm": ["factor_0_fro_norm", "factor_1_fro_norm"],
      "factor 0 top cols Fro norm": ["factor_0_top_col_0_fro_norm", "factor_0_top_col_1_fro_norm"],
      "factor 1 top cols Fro norm": ["factor_1_top_col_0_fro_norm", "factor_1_top_col_1_fro_norm"],
      "top components Fro norm": ["top_component_0_fro_norm", "top_component_1_fro_norm"],
    });
  });

  test("of a hierarchical factorization", () => {
    const spec = hierarchicalSpec({ modeSizes: [2, 2, 2], widths: [1, 1] });
    expect(plotsOf(createHierarchicalMetrics({ ...randomFactorization(spec, 1), spec }))).toEqual({
      "l 0 f 0 top wv norm": ["l_0_f_0_top_0_wv_norm"],
      "l 0 f 1 top wv norm": ["l_0_f_1_top_0_wv_norm"],
      "l 0 f 2 top wv norm": ["l_0_f_2_top_0_wv_norm"],
      "l 1 f 0 top wv norm": ["l_1_f_0_top_0_wv_norm"],
      "l 1 f 1 top wv norm": ["l_1_f_1_top_0_wv_norm"],
      "l 0 f 0_1 top local components norm": ["l_0_f_0_1_top_0_local_comp_norm"],
      "l 0 f 2 top local components norm": ["l_0_f_2_top_0_local_comp_norm"],
      "l 1 f 0_1 top local components norm": ["l_1_f_0_1_top_0_local_comp_norm"],
      "mats effective rank": [
        "mat_0_eff_rank",
        "mat_1_eff_rank",
        "mat_2_eff_rank",
        "mat_0_1_eff_rank",
      ],
      "mat 0 top sing vals": ["mat_0_sing_val_0", "mat_0_sing_val_1"],
      "mat 1 top sing vals": ["mat_1_sing_val_0", "mat_1_sing_val_1"],
      "mat 2 top sing vals": ["mat_2_sing_val_0", "mat_2_sing_val_1"],
      "mat 0_1 top sing vals": ["mat_0_1_sing_val_0", "mat_0_1_sing_val_1"],
    });
  });

  test("as many of the largest as the reference tracks, unless told", () => {
    const wide = cpSpec({ modeSizes: [2, 2], components: 20 });
    const names = createCpMetrics({ ...randomFactorization(wide, 1), spec: wide }).infos.filter(
      ({ tag }) => tag === "top components Fro norm",
    );
    expect(names).toHaveLength(10);
    const tree = hierarchicalSpec({ modeSizes: [20, 20], widths: [20] });
    const vectors = createHierarchicalMetrics({ ...randomFactorization(tree, 1), spec: tree });
    const count = (part: string): number =>
      vectors.infos.filter(({ tag }) => tag?.includes(part)).length;
    expect([count("l 0 f 0 top wv"), count("mat 0 top")]).toEqual([15, 15]);
    const square = matrixSpec({ rows: 12, cols: 12, depth: 1 });
    const { infos } = createMatrixMetrics({ ...randomFactorization(square, 1), spec: square });
    expect(infos.filter(({ tag }) => tag === "e2e singular values")).toHaveLength(10);
  });
});

describe("metrics of a matrix factorization", () => {
  const spec = matrixSpec({ rows: 4, cols: 3, depth: 3 });
  const factorization = { ...randomFactorization(spec, 11), spec };

  test("optional ones: determinant, balancedness, entries and singular values of layers", () => {
    const metrics = createMatrixMetrics(factorization, {
      determinant: true,
      layers: true,
      entries: [
        [3, 2],
        [0, 1],
      ],
      numSingularValues: 2,
    });
    const values = evaluate(metrics);
    const [first, second] = parameterViews(factorization);
    const tensor = fullTensor(factorization);
    const leading = tensor.hi(3, 3);
    const at = (i: number, j: number): number => leading.get(i, j);
    const expectedDeterminant =
      at(0, 0) * (at(1, 1) * at(2, 2) - at(1, 2) * at(2, 1)) -
      at(0, 1) * (at(1, 0) * at(2, 2) - at(1, 2) * at(2, 0)) +
      at(0, 2) * (at(1, 0) * at(2, 1) - at(1, 1) * at(2, 0));
    expectClose([values.get("e2e_determinant") ?? NaN], [expectedDeterminant], 1e-10);
    expect(values.get("e2e_3_2_value")).toBe(tensor.get(3, 2));
    expect(values.get("layer_0_entry_3_2_value")).toBe(first.get(3, 2));
    expect(values.has("layer_1_entry_3_2_value")).toBe(false);
    expect(values.get("layer_1_entry_0_1_value")).toBe(second.get(0, 1));
    for (const [name, matrix] of [
      ["0", first],
      ["1", second],
    ] as const) {
      const expected = singularValues(matrix);
      for (const k of [0, 1]) {
        const value = values.get(`layer_${name}_singular_value_${k}`) ?? NaN;
        expectClose([value], [expected[k]], 1e-12);
      }
    }
    expect(values.get("balancedness_fro_dist_layers_0_1")).toBe(balancedness(factorization, 0));
    expect(metrics.infos.find(({ name }) => name === "singular_value_1")?.tag).toBe(
      "e2e singular values",
    );
    expect(values.has("reconstruction_error")).toBe(false);
    expect(values.has("singular_value_2")).toBe(false);
  });

  test("balancedness is the distance of the neighboring Gram matrices", () => {
    const [first, second] = parameterViews(factorization).map((view) =>
      Matrix.from1DArray(view.shape[0], view.shape[1], [
        ...view.data.slice(view.offset, view.offset + view.size),
      ]),
    );
    const inner = first.transpose().mmul(first);
    const outer = second.mmul(second.transpose());
    const distance = Matrix.sub(inner, outer).norm("frobenius");
    expectClose([balancedness(factorization, 0)], [distance], 1e-12);
    const mean = (inner.norm("frobenius") + outer.norm("frobenius")) / 2;
    expectClose([balancedness(factorization, 0, true)], [distance / mean], 1e-12);
  });
});

describe("metrics of a CP factorization", () => {
  const spec = cpSpec({ modeSizes: [2, 3], components: 4 });
  const factorization = { ...randomFactorization(spec, 12), spec };

  test("component norms are products of column norms, sorted", () => {
    const norms = parameterViews(factorization).map((factor) =>
      Array.from({ length: 4 }, (_, r) =>
        Math.hypot(...Array.from({ length: factor.shape[0] }, (_, i) => factor.get(i, r))),
      ),
    );
    const products = norms[0].map((norm, r) => norm * norms[1][r]).toSorted((a, b) => b - a);
    expectClose(componentNorms(factorization), products, 1e-13);
    expectClose(
      topColumnNorms(factorization, 1, 2),
      norms[1].toSorted((a, b) => b - a).slice(0, 2),
      1e-13,
    );
    const values = evaluate(createCpMetrics(factorization, { numTopToTrack: 3 }));
    expectClose([values.get("top_component_2_fro_norm") ?? NaN], [products[2]], 1e-13);
    expect(values.has("top_component_3_fro_norm")).toBe(false);
    expect(values.get("factor_1_top_col_1_fro_norm")).toBe(topColumnNorms(factorization, 1, 2)[1]);
    expectClose([values.get("factor_0_fro_norm") ?? NaN], [Math.hypot(...norms[0])], 1e-13);
  });
});

describe("metrics of a hierarchical factorization", () => {
  test("singular values are those of the matricizations by ml-matrix's SVD", () => {
    fc.assert(
      fc.property(hierarchicalSpecs, seeds, (spec, seed) => {
        const factorization = { ...randomFactorization(spec, seed), spec };
        const values = evaluate(createHierarchicalMetrics(factorization));
        const tensor = fullTensor(factorization);
        const largest = Math.max(...tensor.data.map(Math.abs), Number.MIN_VALUE);
        for (const modes of trackedMatricizations(spec)) {
          const matrix = matricization(tensor, modes);
          const [rows, cols] = matrix.shape;
          const expected = new SingularValueDecomposition(
            Matrix.from1DArray(rows, cols, [...matrix.data]),
            { autoTranspose: true },
          ).diagonal.toSorted((a, b) => b - a);
          const label = modes.join("_");
          for (let k = 0; k < Math.min(15, expected.length); k++) {
            const value = values.get(`mat_${label}_sing_val_${k}`) ?? NaN;
            // The Gram matrix resolves 1e-8 of the largest singular value.
            expect(Math.abs(value - expected[k])).toBeLessThanOrEqual(
              1e-7 * Math.max(expected[0], largest),
            );
          }
          expect(values.has(`mat_${label}_sing_val_${expected.length}`)).toBe(false);
          expect(values.has(`mat_${label}_eff_rank`)).toBe(true);
        }
      }),
    );
  });

  test("every name is there once and has a value, whatever the tree", () => {
    fc.assert(
      fc.property(hierarchicalSpecs, seeds, (spec, seed) => {
        const metrics = createHierarchicalMetrics({ ...randomFactorization(spec, seed), spec });
        const values = evaluate(metrics);
        expect(values.size).toBe(metrics.infos.length);
        for (const value of values.values()) expect(value).toBeGreaterThanOrEqual(0);
      }),
    );
  });

  test("a matricization has at most as high a rank as there are local components", () => {
    const spec = hierarchicalSpec({ modeSizes: [4, 4, 4, 4], widths: [5, 5] });
    const factorization = { ...randomFactorization(spec, 13), spec };
    const [leaf] = parameterViews(factorization);
    for (let r = 2; r < 5; r++) for (let i = 0; i < 4; i++) leaf.set(i, r, 0);
    const norms = localComponentNorms(factorization, 0, 0);
    expect([...norms.slice(2)]).toEqual([0, 0, 0]);
    expect(norms[1]).toBeGreaterThan(0);
    const tensor = fullTensor(factorization);
    for (const modes of [[0], [1]]) {
      const values = singularValues(matricization(tensor, modes));
      expect(matrixRank(values, 4, 64)).toBe(2);
    }
  });

  test("the last layer's local components count the output weights", () => {
    const spec = hierarchicalSpec({ modeSizes: [2, 2], widths: [2] });
    const factorization = createFactorization(spec, Float32Array.of(3, 0, 4, 1, 1, 0, 0, 2, -2, 7));
    const local = localComponentNorms({ ...factorization, spec }, 0, 0);
    expectClose(local, [14, 10], 1e-7);
    const plain = hierarchicalSpec({ modeSizes: [2, 2], widths: [2], outputWeights: false });
    const without = createFactorization(plain, Float32Array.of(3, 0, 4, 1, 1, 0, 0, 2));
    expectClose(localComponentNorms({ ...without, spec: plain }, 0, 0), [5, 2], 1e-7);
  });

  test("additional matricizations are tracked beside those of the tree, none twice", () => {
    const spec = hierarchicalSpec({ modeSizes: [2, 2, 2, 2], widths: [2, 2] });
    const labels = trackedMatricizations(spec, [
      [0, 2],
      [0, 1],
    ]).map((modes) => modes.join("_"));
    expect(labels).toEqual(["0", "1", "2", "3", "0_1", "2_3", "0_2"]);
    const factorization = { ...randomFactorization(spec, 14), spec };
    const metrics = createHierarchicalMetrics(factorization, {
      additionalMatricizations: [[0, 2]],
      numTopToTrack: 2,
    });
    const expected = singularValues(matricization(fullTensor(factorization), [0, 2]));
    expectClose([evaluate(metrics).get("mat_0_2_sing_val_1") ?? NaN], [expected[1]], 1e-7);
    expect(() =>
      createHierarchicalMetrics(factorization, { additionalMatricizations: [[0, 4]] }),
    ).toThrow(/^--additional_matricizations_to_track: 4 is not a mode/);
  });
});
