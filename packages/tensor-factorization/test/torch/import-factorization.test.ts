import fc from "fast-check";
import { describe, expect, test } from "vitest";
import {
  cpSpec,
  createFactorization,
  createHierarchicalMetrics,
  type FactorizationSpec,
  hierarchicalSpec,
  type HierarchicalSpec,
  importTorchFactorization,
  matrixSpec,
  modeTreeOf,
  parameterLayout,
  parameterNameFromTorch,
  type PoolPattern,
  torchFactorizationKind,
  torchParameterName,
  type TorchStateDict,
} from "../../src/index.ts";
import { randomFactorization, seeds, specs } from "../arbitraries.ts";
import { stateDictionary } from "./state-dictionary.ts";

const source = "model.ckpt";

/** Trees of one pool size, as the scripts make them. */
const trees: fc.Arbitrary<HierarchicalSpec> = fc
  .record({
    modeSizes: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 2, maxLength: 9 }),
    poolSize: fc.constantFrom(2, 3, 4),
    poolPattern: fc.constantFrom<PoolPattern>("checkerboard", "half", "checkerboard_sq"),
    width: fc.integer({ min: 1, max: 3 }),
    outputWeights: fc.boolean(),
  })
  .map(({ width, poolPattern, poolSize, ...options }) => {
    const pattern = poolSize === 4 || poolPattern !== "checkerboard_sq" ? poolPattern : "half";
    const deepest = hierarchicalSpec({ ...options, poolSize, poolPattern: pattern });
    const widths = deepest.widths.map((_, l) => width + l);
    return { ...deepest, widths };
  });

function groupsOf(spec: FactorizationSpec): unknown {
  return spec.kind === "ht" ? modeTreeOf(spec).layers.map(({ groups }) => groups) : undefined;
}

function metricNames(spec: HierarchicalSpec): string[] {
  const factorization = { ...createFactorization(spec), spec };
  return createHierarchicalMetrics(factorization).infos.map(({ name }) => name);
}

describe("a factorization comes back from the state dictionary of the scripts", () => {
  const flat = specs.filter(({ kind }) => kind !== "ht");

  test("matrix and CP factorizations from the shapes alone", () => {
    fc.assert(
      fc.property(flat, seeds, fc.boolean(), (spec, seed, isDouble) => {
        const original = randomFactorization(spec, seed, isDouble ? "double" : "single");
        const state = stateDictionary(original);
        expect(torchFactorizationKind(state.keys())).toBe(spec.kind);
        const imported = importTorchFactorization(state, { source });
        expect(imported.spec).toEqual(spec);
        expect(imported.values).toEqual(original.values);
      }),
    );
  });

  test("hierarchical ones with the flags of their pooling, or the names of their metrics", () => {
    fc.assert(
      fc.property(trees, seeds, (spec, seed) => {
        const original = randomFactorization(spec, seed, "single");
        const state = stateDictionary(original);
        expect(torchFactorizationKind(state.keys())).toBe("ht");
        const { poolSizes, poolPattern } = spec;
        for (const hints of [
          { poolSize: poolSizes[0], poolPattern },
          { metrics: ["train_mse_loss", ...metricNames(spec)] },
        ]) {
          const imported = importTorchFactorization(state, { source, ...hints });
          expect(groupsOf(imported.spec)).toEqual(groupsOf(spec));
          expect(imported.spec).toMatchObject({
            kind: "ht",
            modeSizes: spec.modeSizes,
            widths: spec.widths,
            outputWeights: spec.outputWeights,
          });
          expect(imported.values).toEqual(original.values);
        }
      }),
    );
  });

  test("whatever the order of the dictionary; integers are numbers too", () => {
    const spec = cpSpec({ modeSizes: [2, 2], components: 1 });
    const state: TorchStateDict = new Map([
      ["factors.1", { shape: [2, 1], data: BigInt64Array.of(3n, -4n) }],
      ["factors.0", { shape: [2, 1], data: Int32Array.of(1, 2) }],
    ]);
    const { values, spec: found } = importTorchFactorization(state, { source });
    expect(found).toEqual(spec);
    expect(values).toEqual(Float32Array.of(1, 2, 3, -4));
  });
});

test("names are translated to the scripts and back", () => {
  fc.assert(
    fc.property(specs, (spec) => {
      for (const { name } of parameterLayout(spec))
        expect(parameterNameFromTorch(torchParameterName(name))).toBe(name);
    }),
  );
  expect(torchParameterName("layers.2.factors.13")).toBe("per_hidden_layer_parameter_lists.2.13");
  expect(torchParameterName("layers.2")).toBe("layers.2");
  expect(torchParameterName("factors.1")).toBe("factors.1");
  expect(torchParameterName("output_weights")).toBe("output_layer_parameters");
  expect(parameterNameFromTorch("running_mean")).toBe("running_mean");
});

test.each([
  [[], undefined],
  [["layers.0", "output_layer_parameters"], undefined],
  [["layers.0", "factors.0"], undefined],
  [["layers.0.weight"], undefined],
  [["my.layers.0"], undefined],
  [["factors.0x"], undefined],
  [["output_layer_parameters"], undefined],
  [["factors.0", "output_layer_parameters"], "cp"],
  [["layers.10", "layers.2"], "mf"],
])("a model of the parameters %j is %s", (names, kind) => {
  expect(torchFactorizationKind(names)).toBe(kind);
});

describe("what is no such model is refused in one line", () => {
  const tensor = (
    rows: number,
    cols: number,
  ): TorchStateDict extends ReadonlyMap<string, infer T> ? T : never => ({
    shape: [rows, cols],
    data: new Float32Array(rows * cols),
  });
  const refused = (
    state: Record<string, ReturnType<typeof tensor>>,
    message: string,
    options: Partial<Parameters<typeof importTorchFactorization>[1]> = {},
    exitCode = 1,
  ): void => {
    const dictionary = new Map(Object.entries(state));
    expect(() => importTorchFactorization(dictionary, { source, ...options })).toThrow(
      expect.objectContaining({ name: "FactorizationError", message, exitCode }) as Error,
    );
  };
  const scripts = "as the PyTorch scripts wrote it";
  const diverged = `give a checkpoint of a run that did not diverge, ${scripts}`;
  const tree = (...counts: number[]): Record<string, ReturnType<typeof tensor>> =>
    Object.fromEntries([
      ...counts.flatMap((count, l) =>
        Array.from({ length: count }, (_, i) => [
          `per_hidden_layer_parameter_lists.${l}.${i}`,
          tensor(2, 2),
        ]),
      ),
      ["output_layer_parameters", tensor(2, 1)],
    ]) as Record<string, ReturnType<typeof tensor>>;

  test("parameters of another model", () => {
    refused(
      {
        "conv1.weight": tensor(1, 1),
        "bn1.weight": tensor(1, 1),
        a: tensor(1, 1),
        b: tensor(1, 1),
      },
      `${source}: model: has the parameters conv1.weight, bn1.weight, a …; give a matrix, CP or hierarchical tensor factorization of the PyTorch scripts`,
    );
  });

  test("gaps in their numbers", () => {
    const message = (prefix: string): string =>
      `${source}: model.${prefix}: is not numbered from 0 without gaps; give a checkpoint ${scripts}`;
    refused({ "layers.1": tensor(2, 2) }, message("layers"));
    refused({ "factors.0": tensor(2, 2), "factors.2": tensor(2, 2) }, message("factors"));
    refused(
      { "per_hidden_layer_parameter_lists.1.0": tensor(2, 2) },
      message("per_hidden_layer_parameter_lists.0"),
    );
    refused(
      {
        "per_hidden_layer_parameter_lists.0.0": tensor(2, 2),
        "per_hidden_layer_parameter_lists.0.2": tensor(2, 2),
      },
      message("per_hidden_layer_parameter_lists.0"),
    );
  });

  test("shapes that do not fit one another, or are none of a matrix", () => {
    refused(
      { "layers.0": tensor(2, 3), "layers.1": tensor(4, 2) },
      `${source}: model.layers.1: is 4 × 2 where 3 × 2 is needed; ${diverged}`,
    );
    refused(
      { "factors.0": tensor(2, 3), "factors.1": tensor(2, 2) },
      `${source}: model.factors.1: is 2 × 2 where 2 × 3 is needed; ${diverged}`,
    );
    refused(
      { "factors.0": { shape: [2], data: new Float32Array(2) } },
      `${source}: model.factors.0: has the shape (2) instead of two sizes; ${diverged}`,
    );
    refused(
      { "factors.0": tensor(0, 2) },
      `${source}: model.factors.0: has the shape (0, 2) instead of two sizes; ${diverged}`,
    );
  });

  test("numbers that are not finite", () => {
    for (const value of [NaN, Infinity])
      refused(
        { "layers.0": { shape: [1, 2], data: Float32Array.of(1, value) } },
        `${source}: model.layers.0: is not finite; ${diverged}`,
      );
  });

  test("layers that do not merge into one", () => {
    const message = (counts: string): string =>
      `${source}: model: layers of ${counts} matrices do not merge into one; give a checkpoint ${scripts}`;
    refused(tree(2, 3), message("2, 3"));
    refused(tree(5, 4), message("5, 4"));
    const many = tree(300);
    refused(many, message("300"));
  });

  test("pooling that is not told, with what it can be", () => {
    refused(
      tree(4, 2),
      `--ht_pool_pattern: is needed, since ${source} does not say which nodes are pooled together; give --ht_pool_size 2 --ht_pool_pattern checkerboard or --ht_pool_size 2 --ht_pool_pattern half`,
      { poolSize: 2 },
      2,
    );
    refused(
      tree(5, 2),
      `--ht_pool_size: is needed, since ${source} does not say which nodes are pooled together; give --ht_pool_size 3 --ht_pool_pattern checkerboard or --ht_pool_size 3 --ht_pool_pattern half or --ht_pool_size 4 --ht_pool_pattern checkerboard or --ht_pool_size 4 --ht_pool_pattern half`,
      {},
      2,
    );
  });

  test("flags that contradict the shapes or the metrics", () => {
    refused(
      tree(4, 2),
      `--ht_pool_size 4: contradicts ${source}, whose nodes are pooled otherwise; give --ht_pool_size 2 --ht_pool_pattern checkerboard`,
      { poolSize: 4 },
      2,
    );
    const halves = hierarchicalSpec({
      modeSizes: [2, 2, 2, 2],
      widths: [2, 2],
      poolPattern: "half",
    });
    refused(
      tree(4, 2),
      `--ht_pool_size 2 --ht_pool_pattern checkerboard: contradicts ${source}, whose nodes are pooled otherwise; give --ht_pool_size 2 --ht_pool_pattern half`,
      { poolSize: 2, poolPattern: "checkerboard", metrics: metricNames(halves) },
      2,
    );
    refused(
      tree(4, 2),
      `--ht_pool_size: contradicts ${source}, whose nodes are pooled otherwise; give --ht_pool_size 2 --ht_pool_pattern checkerboard`,
      { metrics: ["l_0_f_1_3_top_0_local_comp_norm"] },
      2,
    );
  });

  test("one mode of pooling is enough where all give the same groups", () => {
    const state = new Map(Object.entries(tree(2)));
    expect(importTorchFactorization(state, { source }).spec).toMatchObject({
      poolSizes: [2],
      poolPattern: "checkerboard",
    });
    const matrix = matrixSpec({ rows: 2, cols: 2, depth: 1 });
    expect(
      importTorchFactorization(new Map([["layers.0", tensor(2, 2)]]), { source }).spec,
    ).toEqual(matrix);
  });
});
