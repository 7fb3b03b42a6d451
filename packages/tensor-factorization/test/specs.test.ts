import { createRandom } from "@implicit-rank/random";
import { describe, expect, test } from "vitest";
import {
  cpSpec,
  createFactorization,
  FactorizationError,
  fullTensor,
  hierarchicalSpec,
  homogeneityDegree,
  initializeIdentity,
  initializeNormal,
  initializeOrthogonal,
  matrixSpec,
  maximalCpComponents,
  parameterLayout,
  parameterViews,
  validateSpec,
} from "../src/index.ts";

const cube = [16, 16, 16];

describe("specifications", () => {
  test("a rectangular matrix has hidden sizes of its smaller side", () => {
    expect(matrixSpec({ rows: 6, cols: 4, depth: 4 }).sizes).toEqual([6, 4, 4, 4, 4]);
    expect(matrixSpec({ rows: 64, cols: 64 }).sizes).toEqual([64, 64, 64, 64]);
    expect(matrixSpec({ rows: 6, cols: 4, depth: 1 }).sizes).toEqual([6, 4]);
    expect(matrixSpec({ rows: 1, cols: 1, depth: 10_000 }).sizes).toHaveLength(10_001);
  });

  test("the default number of components leaves out the largest mode", () => {
    expect(maximalCpComponents([2, 5, 3])).toBe(6);
    expect(cpSpec({ modeSizes: cube }).components).toBe(256);
    expect(cpSpec({ modeSizes: cube, components: -1 }).components).toBe(256);
  });

  test("the default problem has the known shapes", () => {
    const spec = hierarchicalSpec({ modeSizes: cube, widths: [512, 512] });
    const shapes = parameterLayout(spec).map(({ name, rows, cols }) => [name, rows, cols]);
    expect(shapes).toEqual([
      ["layers.0.factors.0", 16, 512],
      ["layers.0.factors.1", 16, 512],
      ["layers.0.factors.2", 16, 512],
      ["layers.1.factors.0", 512, 512],
      ["layers.1.factors.1", 512, 512],
      ["output_weights", 512, 1],
    ]);
    expect(createFactorization(spec).values.length).toBe(549_376);
  });

  test("widths default to the maximal CP rank, as many as there are layers", () => {
    expect(hierarchicalSpec({ modeSizes: [2, 3, 4, 2, 2] }).widths).toEqual([24, 24, 24]);
  });

  test.each([
    [matrixSpec({ rows: 3, cols: 3, depth: 4 }), 4],
    [cpSpec({ modeSizes: cube }), 3],
    [cpSpec({ modeSizes: cube, outputWeights: true }), 4],
    // Modes 0 and 1: leaf and layer 1; mode 2: leaf and layer 1; output weights.
    [hierarchicalSpec({ modeSizes: cube, widths: [2, 2] }), 6],
    [hierarchicalSpec({ modeSizes: cube, widths: [2, 2], outputWeights: false }), 5],
    [hierarchicalSpec({ modeSizes: [2, 2, 2, 2], widths: [2, 2] }), 7],
  ])("the degree of homogeneity of case %#", (spec, degree) => {
    expect(homogeneityDegree(spec)).toBe(degree);
  });
});

describe("bad specifications are refused in one line that names the flag", () => {
  const ht = (options: Partial<Parameters<typeof hierarchicalSpec>[0]>) => () =>
    hierarchicalSpec({ modeSizes: [2, 2, 2, 2], widths: [3, 3], ...options });

  test.each<[string, () => unknown, RegExp]>([
    [
      "depth 0",
      () => matrixSpec({ rows: 2, cols: 2, depth: 0 }),
      /^--depth: 0 given; give an integer/,
    ],
    [
      "depth 10001",
      () => matrixSpec({ rows: 2, cols: 2, depth: 10_001 }),
      /^--depth: 10001 given; give at most 10000$/,
    ],
    ["depth 1.5", () => matrixSpec({ rows: 2, cols: 2, depth: 1.5 }), /^--depth: 1.5 given/],
    ["rows 0", () => matrixSpec({ rows: 0, cols: 2 }), /^mode sizes: 0 is not a positive integer/],
    [
      "no columns",
      () => validateSpec({ kind: "mf", sizes: [3] }),
      /^mode sizes: 1 given for a matrix/,
    ],
    ["order 1", () => cpSpec({ modeSizes: [4] }), /^mode sizes: order 1 is not a tensor/],
    ["negative size", () => cpSpec({ modeSizes: [4, -2] }), /^mode sizes: -2 is not a positive/],
    [
      "components 0",
      () => cpSpec({ modeSizes: [4, 4], components: 0 }),
      /^--num_cp_components: 0 is not .*-1 for the maximal/,
    ],
    [
      "one width",
      ht({ widths: [3] }),
      /^--ht_layer_widths: 1 given, but order 4 with pool sizes 2, 2 has 2 hidden layers; give 2/,
    ],
    ["zero width", ht({ widths: [3, 0] }), /^--ht_layer_widths: 0 is not a positive integer/],
    ["pool 1", ht({ poolSize: 1 }), /^--ht_pool_size: 1 never merges 4 modes/],
    ["pool 0", ht({ poolSize: 0 }), /^--ht_pool_size: 0 never merges/],
    ["pool -2", ht({ poolSize: [2, -2] }), /^--ht_pool_size: -2 is not a positive integer/],
    [
      "too few layers",
      ht({ poolSize: [2, 1], widths: [3, 3] }),
      /^--ht_pool_size: 2, 1 leave 2 of 4 modes/,
    ],
    ["too many layers", ht({ poolSize: [4, 2] }), /^--ht_pool_size: 2 layers given, but 1 of them/],
    [
      "square pattern",
      ht({ poolPattern: "checkerboard_sq" }),
      /^--ht_pool_size: 2 is not a square number/,
    ],
    [
      "unknown pattern",
      ht({ poolPattern: "diagonal" as "half" }),
      /^--ht_pool_pattern: "diagonal" is unknown; choose one of checkerboard, half, checkerboard_sq/,
    ],
    ["unknown kind", () => validateSpec({ kind: "tt" } as never), /^factorization kind/],
    [
      "values of another size",
      () => createFactorization(matrixSpec({ rows: 2, cols: 2 }), new Float32Array(3)),
      /^parameters: 3 values given, but the factorization has 12/,
    ],
  ])("%s", (_, make, message) => {
    expect(make).toThrow(FactorizationError);
    expect(make).toThrow(message);
    expect(make).not.toThrow(/\n/);
  });

  test("exit code 2; flags of a generator's target can be named instead", () => {
    const flags = {
      depth: "",
      sizes: "--mode_dim_size",
      components: "--target_tensor_cp_rank",
      widths: "--target_tensor_ht_rank",
      poolSize: "--target_tensor_ht_pool_size",
      poolPattern: "--target_tensor_ht_pool_pattern",
    };
    try {
      hierarchicalSpec({ modeSizes: cube, widths: [5] }, flags);
      expect.unreachable();
    } catch (error) {
      expect(error).toMatchObject({ exitCode: 2 });
      expect((error as Error).message).toMatch(/^--target_tensor_ht_rank: 1 given/);
    }
  });
});

describe("initialization", () => {
  test("leaves nothing of the numbers before, and sets output weights to one", () => {
    const matrix = createFactorization({ kind: "mf", sizes: [2, 3] }, new Float32Array(6).fill(9));
    initializeIdentity(matrix, 2);
    expect([...matrix.values]).toEqual([2, 0, 0, 0, 2, 0]);
    const spec = cpSpec({ modeSizes: [2, 1], components: 2, outputWeights: true });
    const orthogonal = createFactorization(spec, new Float32Array(8).fill(9));
    initializeOrthogonal(orthogonal, 3);
    expect([...orthogonal.values]).toEqual([3, 0, 0, 3, 3, 3, 1, 1]);
  });

  test("of another kind is refused by its name", () => {
    const [matrix, tensor] = [
      createFactorization({ kind: "mf", sizes: [2, 2] }),
      createFactorization(cpSpec({ modeSizes: [2, 2], components: 1 })),
    ];
    expect(() => {
      initializeIdentity(tensor, 1);
    }).toThrow(
      new FactorizationError(
        "--weight_init_type: identity initialization is for mf only, not for cp; use normal",
      ),
    );
    expect(() => {
      initializeOrthogonal(matrix, 1);
    }).toThrow(
      new FactorizationError(
        "--weight_init_type: orthogonal initialization is for cp only, not for mf; use normal",
      ),
    );
  });

  test("normal numbers fill the flat vector in layout order", () => {
    const factorization = createFactorization(cpSpec({ modeSizes: [2, 3], components: 2 }));
    initializeNormal(factorization, createRandom(4), { mean: 1, std: 0.5 });
    const expected = new Float32Array(10);
    createRandom(4).fillNormal(expected, 1, 0.5);
    expect(factorization.values).toEqual(expected);
  });

  test("identity makes a multiple of the identity, rectangular too", () => {
    const factorization = createFactorization(matrixSpec({ rows: 3, cols: 2, depth: 3 }));
    initializeIdentity(factorization, 0.5);
    expect([...fullTensor(factorization).data]).toEqual([0.125, 0, 0, 0.125, 0, 0]);
  });

  test("orthogonal components are every outer product of one-hot vectors once", () => {
    const spec = cpSpec({ modeSizes: [2, 3, 2], components: 12 });
    const factorization = createFactorization(spec);
    initializeOrthogonal(factorization, 0.5);
    expect([...fullTensor(factorization).data]).toEqual(Array.from({ length: 12 }, () => 0.125));
    for (const factor of parameterViews(factorization)) {
      for (let r = 0; r < 12; r++) {
        const column = Array.from({ length: factor.shape[0] }, (_, i) => factor.get(i, r));
        expect(column.toSorted()).toEqual([...column.slice(1).fill(0), 0.5]);
      }
    }
  });

  test("orthogonal initialization needs Π d components, identity needs a matrix", () => {
    const cp = createFactorization(cpSpec({ modeSizes: [2, 3], components: 4 }));
    expect(() => initializeOrthogonal(cp, 1)).toThrow(/^--num_cp_components: 4 given.*give 6$/);
    expect(() => initializeIdentity(cp, 1)).toThrow(/^--weight_init_type: .* for mf only/);
  });

  test("parameter views share memory with the flat vector", () => {
    const factorization = createFactorization(cpSpec({ modeSizes: [2, 3], components: 2 }));
    parameterViews(factorization)[1].set(2, 1, 7);
    expect(factorization.values[4 + 5]).toBe(7);
  });
});
