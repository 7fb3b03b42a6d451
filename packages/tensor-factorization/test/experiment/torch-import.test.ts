import type { NamedArray } from "@implicit-rank/array-files";
import type { TorchCheckpoint } from "@implicit-rank/experiment-kit";
import { describe, expect, test } from "vitest";
import {
  cpTorchImport,
  hierarchicalTorchImport,
  matrixTorchImport,
} from "../../src/experiment/torch-import.ts";
import {
  cpSpec,
  createCpMetrics,
  createHierarchicalMetrics,
  createMatrixMetrics,
  type Factorization,
  hierarchicalSpec,
  matrixSpec,
} from "../../src/index.ts";
import { randomFactorization } from "../arbitraries.ts";
import {
  optimizerState,
  rmsSettings,
  sgdSettings,
  stateDictionary,
} from "../torch/state-dictionary.ts";

const rms = optimizerState(rmsSettings, new Map(Object.entries({ square_avg: 0.25, step: 40 })));

/** A checkpoint of the scripts after epoch 39 with these metrics. */
function checkpoint(
  factorization: Factorization,
  metrics: readonly string[] = [],
  optimizer = rms,
): TorchCheckpoint {
  const tracked = metrics.map((name) => ({ name }));
  return {
    path: "model.ckpt",
    sha256: "",
    epoch: 39,
    model: stateDictionary(factorization) as ReadonlyMap<string, NamedArray>,
    optimizer: optimizer as TorchCheckpoint["optimizer"],
    metrics: {
      train: tracked.filter(({ name }) => name.startsWith("train_")),
      validation: tracked.filter(({ name }) => !name.startsWith("train_")),
      extra: [],
    } as unknown as TorchCheckpoint["metrics"],
  };
}

const namesOf = ({ infos }: { infos: readonly { name: string }[] }): string[] =>
  infos.map(({ name }) => name);

const mfSpec = matrixSpec({ rows: 4, cols: 3, depth: 3 });
const mf = { ...randomFactorization(mfSpec, 1, "double"), spec: mfSpec };
const cpSpecOfTwo = cpSpec({ modeSizes: [3, 3, 3], components: 2 });
const cp = { ...randomFactorization(cpSpecOfTwo, 2, "single"), spec: cpSpecOfTwo };
const htSpec = hierarchicalSpec({ modeSizes: [2, 2, 2, 2], widths: [3, 2], poolPattern: "half" });
const ht = { ...randomFactorization(htSpec, 3, "single"), spec: htSpec };

const imports = [matrixTorchImport, cpTorchImport, hierarchicalTorchImport];

test("each import recognizes the models of its own kind alone", () => {
  const models = [mf, cp, ht].map((factorization) => checkpoint(factorization).model);
  expect(imports.map((own) => models.map((model) => own.recognizes(model)))).toEqual([
    [true, false, false],
    [false, true, false],
    [false, false, true],
  ]);
});

describe("flags that a checkpoint tells", () => {
  const optimizer = { optimizer: "grouprmsprop", lr: 0.02 };

  test("of a matrix factorization: depth, tracked singular values, optimizer, loss", () => {
    const names = ["train_mse_loss", ...namesOf(createMatrixMetrics(mf, { numSingularValues: 2 }))];
    const { flags, untold } = matrixTorchImport.convert(checkpoint(mf, names), {});
    expect(flags).toEqual({ depth: 3, num_top_to_track: 2, ...optimizer, loss: "l2" });
    expect(untold).toEqual([
      "dataset_path",
      "num_train_samples",
      "init_std",
      "stop_on_zero_loss_tol",
      "stop_on_zero_loss_patience",
      "weight_init_type",
    ]);
    const all = namesOf(createMatrixMetrics(mf));
    expect(matrixTorchImport.convert(checkpoint(mf, all), {}).flags).not.toHaveProperty(
      "num_top_to_track",
    );
  });

  test("of a CP factorization: components, -1 for all that can be needed", () => {
    const names = ["train_l1_loss", ...namesOf(createCpMetrics(cp, { numTopToTrack: 1 }))];
    const { flags, untold } = cpTorchImport.convert(checkpoint(cp, names), {});
    expect(flags).toEqual({ num_cp_components: 2, num_top_to_track: 1, ...optimizer, loss: "l1" });
    expect(untold).toContain("init_mean");
    expect(untold).not.toContain("huber_loss_thresh");
    const spec = cpSpec({ modeSizes: [2, 3] });
    const maximal = checkpoint(randomFactorization(spec, 1, "single"), ["train_huber_loss"]);
    const converted = cpTorchImport.convert(maximal, {});
    expect(converted.flags).toEqual({ num_cp_components: -1, ...optimizer, loss: "huber" });
    expect(converted.untold).toContain("huber_loss_thresh");
  });

  test("of a hierarchical factorization: its tree and what was tracked of it", () => {
    const options = {
      numTopToTrack: 2,
      additionalMatricizations: [
        [0, 1],
        [1, 2, 3],
      ],
    };
    const names = namesOf(createHierarchicalMetrics(ht, options));
    const expected = {
      ht_pool_size: 2,
      ht_pool_pattern: "half",
      ht_layer_widths: [3, 2],
      num_top_to_track: 2,
      additional_matricizations_to_track: ["0 1", "1 2 3"],
      ...optimizer,
      loss: "l2",
    };
    expect(hierarchicalTorchImport.convert(checkpoint(ht, names), {}).flags).toEqual(expected);
    const given = { ht_pool_size: 2, ht_pool_pattern: "half" };
    const { flags } = hierarchicalTorchImport.convert(checkpoint(ht), given);
    expect(flags).toMatchObject({ ...given, additional_matricizations_to_track: [] });
    expect(() => hierarchicalTorchImport.convert(checkpoint(ht), {})).toThrow(
      /^--ht_pool_size: is needed/,
    );
  });
});

describe("the state that training goes on from", () => {
  test("has our names, single precision and the optimizer's mean", () => {
    const { saved, numParameters } = matrixTorchImport.convert(checkpoint(mf), {});
    expect(numParameters).toBe(4 * 3 + 3 * 3 + 3 * 3);
    expect(saved.metadata).toEqual({ source: "PyTorch" });
    expect(saved.arrays).toMatchObject({
      "layers.0": { shape: [4, 3], data: Float32Array.from(mf.values.slice(0, 12)) },
      "layers.2": { shape: [3, 3], data: Float32Array.from(mf.values.slice(21)) },
      "optimizer.step": { shape: [1], data: Float64Array.of(40) },
      "optimizer.square_avg": { shape: [1], data: Float64Array.of(0.25) },
    });
  });

  test("of SGD counts the epochs, and has the velocity", () => {
    const state = optimizerState(sgdSettings, new Map(), 3);
    const { saved, flags } = cpTorchImport.convert(checkpoint(cp, [], state), {});
    expect(flags).toMatchObject({ optimizer: "sgd", lr: 0.1, momentum: 0.9 });
    expect(saved.arrays).toMatchObject({
      "optimizer.step": { data: Float64Array.of(40) },
      "optimizer.velocity": { shape: [18], data: new Float32Array(18) },
    });
  });
});

test("plots and notes of what may differ", () => {
  const matrix = matrixTorchImport.convert(checkpoint(mf, ["train_huber_loss"]), {});
  expect(matrix.tags.get("train_mse_loss")).toBe("mse_loss");
  expect(matrix.tags.get("test_mse_loss")).toBe("mse_loss");
  expect(matrix.tags.get("train_huber_loss")).toBe("huber_loss");
  expect(matrix.tags.get("singular_value_1")).toBe("e2e singular values");
  expect(matrix.tags.has("fro_e2e_norm")).toBe(false);
  expect(matrix.mayDiffer("e2e_rank")).toMatch(/threshold/);
  expect(matrix.mayDiffer("fro_e2e_norm")).toBeUndefined();
  expect(matrix.metadata).toEqual({});

  const components = cpTorchImport.convert(checkpoint(cp), {});
  expect(components.tags.get("top_component_1_fro_norm")).toBe("top components Fro norm");
  expect(components.mayDiffer("e2e_rank")).toBeUndefined();
  expect(components.metadata).toEqual({ "# of components": 2 });

  const given = { ht_pool_size: 2, ht_pool_pattern: "half" };
  const tree = hierarchicalTorchImport.convert(checkpoint(ht), given);
  expect(tree.tags.get("mat_0_2_eff_rank")).toBe("mats effective rank");
  expect(tree.mayDiffer("mat_0_2_eff_rank")).toMatch(/permuted with the pool pattern half$/);
  expect(tree.mayDiffer("l_0_f_0_top_0_wv_norm")).toBeUndefined();
  expect(tree.metadata).toMatchObject({ "HT factorization depth": 3 });
  const inOrder = hierarchicalSpec({ modeSizes: [2, 2], widths: [2] });
  const plain = hierarchicalTorchImport.convert(
    checkpoint(randomFactorization(inOrder, 1, "single")),
    {},
  );
  expect(plain.mayDiffer("mat_0_eff_rank")).toBeUndefined();
});

describe("refused, since train cannot go on with it", () => {
  const ending = "data convert writes its parameters into a file of their own";
  const refused = (convert: () => unknown, message: string): void => {
    expect(convert).toThrow(
      expect.objectContaining({ name: "FactorizationError", exitCode: 1, message }) as Error,
    );
  };
  const untrainable = (
    own: (typeof imports)[number],
    spec: Parameters<typeof randomFactorization>[0],
    problem: string,
    flags = {},
  ): void => {
    refused(
      () => own.convert(checkpoint(randomFactorization(spec, 1, "single")), flags),
      `model.ckpt: model: ${problem}; ${ending}`,
    );
  };

  test("models of other shapes", () => {
    untrainable(
      matrixTorchImport,
      { kind: "mf", sizes: [4, 2, 5, 3] },
      "has the hidden sizes 2, 5 instead of the smaller of rows and columns",
    );
    untrainable(
      cpTorchImport,
      { ...cpSpecOfTwo, outputWeights: true },
      "has output weights, which train cp has not",
    );
    untrainable(
      hierarchicalTorchImport,
      hierarchicalSpec({ modeSizes: [2, 2], widths: [2], outputWeights: false }),
      "has no output weights, which train ht has",
    );
  });

  test("optimizers with settings that train has not", () => {
    const message = (name: string, value: number, ours: number): string =>
      `model.ckpt: optimizer.${name}: is ${value}, but training here has ${ours}; data convert writes the parameters into a file of their own`;
    const decayed = optimizerState({ ...sgdSettings, weight_decay: 0.5 }, new Map(), 3);
    refused(
      () => cpTorchImport.convert(checkpoint(cp, [], decayed), {}),
      message("weightDecay", 0.5, 0),
    );
    const other = optimizerState({ ...rmsSettings, alpha: 0.5 });
    refused(
      () => cpTorchImport.convert(checkpoint(cp, [], other), {}),
      message("alpha", 0.5, 0.99),
    );
  });
});
