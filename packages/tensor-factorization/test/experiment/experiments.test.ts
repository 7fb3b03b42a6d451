import { sharedFlags } from "@implicit-rank/experiment-kit";
import { createRandom } from "@implicit-rank/random";
import { describe, expect, test } from "vitest";
import {
  cpExperiment,
  factorizationExperiments,
  hierarchicalExperiment,
  matrixExperiment,
  matrixFlags,
} from "../../src/experiment/index.ts";
import {
  cpSpec,
  effectiveRank,
  FactorizationError,
  frobeniusNorm,
  hierarchicalSpec,
  nuclearNorm,
  reconstructionError,
  singularValues,
  trackedMatricizations,
} from "../../src/index.ts";
import ndarray from "ndarray";
import { expectClose } from "../closeness.ts";
import { completionData, prepare, trainEpochs, validate } from "./training-data.ts";

const matrixData = completionData({ kind: "mf", sizes: [4, 2, 3] });
const tensorData = completionData(cpSpec({ modeSizes: [3, 3, 3, 3], components: 2 }));
const mf = matrixExperiment(() => Promise.resolve(matrixData));
const cp = cpExperiment(() => Promise.resolve(tensorData));
const ht = hierarchicalExperiment(() => Promise.resolve(tensorData));
const widths = { ht_layer_widths: [3, 2] };

describe("for the command line", () => {
  test("the three experiments, each with the score that its runs are compared by", () => {
    const experiments = factorizationExperiments(() => Promise.resolve(matrixData));
    const train = { metric: "train_mse_loss", source: "train", largest: false };
    expect(experiments.map(({ name, defaultScore }) => [name, defaultScore])).toEqual([
      ["mf", { metric: "normalized_reconstruction_error", source: "validation", largest: false }],
      ["cp", train],
      ["ht", train],
    ]);
  });

  test("training stops when the train loss stays at zero, by the flags", () => {
    const flags = matrixFlags.parse({
      dataset_path: "data.npz",
      stop_on_zero_loss_tol: 0.25,
      stop_on_zero_loss_patience: 7,
    });
    for (const { stops } of factorizationExperiments(() => Promise.resolve(matrixData)))
      expect(stops!({ ...sharedFlags.parse({}), ...flags } as never)).toEqual([
        { kind: "zero-train-loss", metric: "train_mse_loss", tolerance: 0.25, patience: 7 },
      ]);
  });

  test("the flags name the file that is read", async () => {
    const asked: string[] = [];
    const experiment = matrixExperiment((path) => {
      asked.push(path);
      return Promise.resolve(matrixData);
    });
    await prepare(experiment, { dataset_path: "folder/matrix.npz", num_train_samples: 3 });
    expect(asked).toEqual(["folder/matrix.npz"]);
  });

  test("data of the other kind are refused, with the command that takes them", async () => {
    const refused = (message: string): Error => new FactorizationError(message);
    await expect(
      prepare(
        matrixExperiment(() => Promise.resolve(tensorData)),
        {},
      ),
    ).rejects.toThrow(
      refused(
        "--dataset_path: data.safetensors is a tensor data set where a matrix one is needed; use train cp or train ht for it",
      ),
    );
    const ofMatrix = refused(
      "--dataset_path: data.safetensors is a matrix data set where a tensor one is needed; use train mf for it",
    );
    const loadMatrix = () => Promise.resolve(matrixData);
    await expect(prepare(cpExperiment(loadMatrix), {})).rejects.toThrow(ofMatrix);
    await expect(prepare(hierarchicalExperiment(loadMatrix), {})).rejects.toThrow(ofMatrix);
    const { targetTensor: _, ...withoutTarget } = matrixData;
    await expect(
      prepare(
        matrixExperiment(() => Promise.resolve(withoutTarget)),
        {},
      ),
    ).rejects.toThrow(
      refused(
        "--dataset_path: data.safetensors has no target matrix to compare with; generate it anew with data matrix",
      ),
    );
  });

  test("parameters that cannot fit in memory are refused before they are drawn", async () => {
    const huge = { ...tensorData, modeSizes: [2 ** 13, 2 ** 13, 2 ** 13, 2 ** 13] };
    await expect(
      prepare(
        cpExperiment(() => Promise.resolve(huge)),
        { num_cp_components: 2 ** 26 },
      ),
    ).rejects.toThrow(/^memory: 2199023255552 parameters/);
  });
});

describe("initial parameters", () => {
  const flags = { engine: "plain", num_train_samples: 5 };
  const parameters = async (
    { trainable }: Awaited<ReturnType<typeof prepare>>,
    name: string,
  ): Promise<number[]> => [...((await trainable.save()).arrays[name].data as Float32Array)];

  test("of a matrix factorization: normal, or a multiple of the identity", async () => {
    const normal = await prepare(mf, { ...flags, init_std: 0.5 }, 8);
    const drawn = new Float32Array(12);
    createRandom(8).fork("init").fillNormal(drawn, 0, 0.5);
    expect(await parameters(normal, "layers.0")).toEqual([...drawn]);
    const identity = { ...flags, init_std: 0.5, weight_init_type: "identity" };
    expect(await parameters(await prepare(mf, identity), "layers.1")).toEqual([
      0.5, 0, 0, 0, 0.5, 0, 0, 0, 0.5,
    ]);
  });

  test("of CP and hierarchical factorizations: normal with the mean of the flags", async () => {
    const init = { ...flags, init_mean: 2, init_std: 0.25, num_cp_components: 4 };
    const drawn = new Float32Array(12);
    createRandom(9).fork("init").fillNormal(drawn, 2, 0.25);
    expect(await parameters(await prepare(cp, init, 9), "factors.0")).toEqual([...drawn]);
    const tree = await prepare(ht, { ...init, ht_layer_widths: [4, 2] }, 9);
    expect(await parameters(tree, "layers.0.factors.0")).toEqual([...drawn]);
  });
});

describe("what is logged of a run", () => {
  const flags = { engine: "plain", num_train_samples: 50, num_test_samples: 20 };

  test("of a matrix: size, norms and ranks of the target", async () => {
    const { trainable } = await prepare(mf, { engine: "plain", num_train_samples: 5, depth: 2 });
    const target = matrixData.targetTensor!;
    const values = singularValues(ndarray(Float64Array.from(target), [4, 3]));
    const { metadata } = trainable;
    expect(Object.keys(metadata)).toEqual([
      "Number of model parameters",
      "Target matrix rows",
      "Target matrix cols",
      "Target Frobenius norm",
      "Target matrix nuclear norm",
      "Target matrix rank",
      "Target matrix effective rank",
      "step",
    ]);
    expect(metadata).toMatchObject({
      "Number of model parameters": 4 * 3 + 3 * 3,
      "Target matrix rows": 4,
      "Target matrix cols": 3,
      "Target matrix rank": 2,
      "Target Frobenius norm": frobeniusNorm(target),
      step: "plain engine",
    });
    expectClose(
      [
        metadata["Target matrix nuclear norm"] as number,
        metadata["Target matrix effective rank"] as number,
      ],
      [nuclearNorm(values), effectiveRank(values)],
      1e-6,
    );
    expect(trainable.numParameters).toBe(21);
  });

  test("of a tensor: samples and norms of both parts, and the shape of the model", async () => {
    const { targets } = tensorData;
    const common = {
      "dataset size": 81,
      "# train samples": 50,
      "# test samples": 20,
      "train targets Fro norm": frobeniusNorm(targets.slice(0, 50)),
      "test targets Fro norm": frobeniusNorm(targets.slice(61)),
      step: "plain engine",
    };
    const { trainable } = await prepare(cp, { ...flags, num_cp_components: 6 });
    expect(trainable.metadata).toEqual({ ...common, "# of components": 6 });
    expect(trainable.numParameters).toBe(4 * 3 * 6);
    expect((await prepare(ht, { ...flags, ...widths })).trainable.metadata).toEqual({
      ...common,
      "HT factorization hidden layers widths": [3, 2],
      "HT factorization num hidden layers": 2,
      "HT factorization depth": 3,
    });
    const untested = await prepare(cp, { ...flags, num_test_samples: 0 });
    expect(untested.trainable.metadata).toMatchObject({
      "# test samples": 0,
      "test targets Fro norm": 0,
      "# of components": 27,
    });
  });

  test("what a resume compares: backend, threads, the content of the data", async () => {
    const { trainable } = await prepare(cp, { ...flags, threads: 3 });
    expect(trainable.provenance).toEqual({
      backend: "plain",
      threads: 3,
      datasetHash: "hash of cp data",
    });
  });
});

describe("validation metrics", () => {
  test("of a matrix factorization compare with the whole target", async () => {
    const { trainable } = await prepare(mf, {
      num_train_samples: 5,
      num_top_to_track: 2,
      depth: 2,
      init_std: 0.4,
    });
    trainEpochs(trainable, 2);
    const values = validate(trainable);
    const { arrays } = await trainable.save();
    const [first, second] = ["layers.0", "layers.1"].map((name) => arrays[name].data);
    const product = Float64Array.from({ length: 12 }, (_, position) => {
      const [i, j] = [Math.floor(position / 3), position % 3];
      let sum = 0;
      for (let k = 0; k < 3; k++) sum += Number(first[3 * i + k]) * Number(second[3 * k + j]);
      return sum;
    });
    const spectrum = singularValues(ndarray(product, [4, 3]));
    expect(Object.keys(values)).toEqual([
      "fro_e2e_norm",
      "nuc_e2e_norm",
      "e2e_effective_rank",
      "e2e_rank",
      "reconstruction_error",
      "normalized_reconstruction_error",
      "singular_value_0",
      "singular_value_1",
    ]);
    const target = matrixData.targetTensor!;
    const error = reconstructionError(product, target);
    expectClose(
      [values["reconstruction_error"], values["normalized_reconstruction_error"]],
      [error, error / frobeniusNorm(target)],
      1e-5,
    );
    expectClose([values["singular_value_1"]], [spectrum[1]], 1e-4);
  });

  test("of CP and hierarchical factorizations follow the errors; as many as are asked for", async () => {
    const flags = { num_train_samples: 50, num_top_to_track: 2 };
    const names = ({ trainable }: Awaited<ReturnType<typeof prepare>>): string[] =>
      trainable.validationMetrics.map(({ name }) => name);
    const ofCp = names(await prepare(cp, flags));
    expect(ofCp.slice(0, 3)).toEqual([
      "test_mse_loss",
      "normalized_reconstruction_error",
      "factor_0_fro_norm",
    ]);
    expect(ofCp.filter((name) => name.startsWith("top_component"))).toHaveLength(2);
    const additional = { additional_matricizations_to_track: ["0 2", "1_3"] };
    const ofHt = names(await prepare(ht, { ...flags, ...widths, ...additional }));
    const spec = hierarchicalSpec({ modeSizes: [3, 3, 3, 3], widths: [3, 2] });
    const tracked = trackedMatricizations(spec, [
      [0, 2],
      [1, 3],
    ]);
    expect(ofHt.filter((name) => name.endsWith("_eff_rank"))).toEqual(
      tracked.map((modes) => `mat_${modes.join("_")}_eff_rank`),
    );
    expect(ofHt.filter((name) => name.startsWith("mat_0_2_sing_val"))).toHaveLength(2);
  });

  test("the tree is of the flags' pool size and pattern", async () => {
    const flags = { num_train_samples: 50, ht_pool_pattern: "half", ...widths };
    const halves = await prepare(ht, flags);
    const names = halves.trainable.validationMetrics.map(({ name }) => name);
    expect(names).toContain("mat_0_2_eff_rank");
    const wide = await prepare(ht, {
      num_train_samples: 50,
      ht_pool_size: 4,
      ht_layer_widths: [3],
    });
    expect(wide.trainable.numParameters).toBe(4 * 3 * 3 + 3);
  });

  test("a tensor too large to hold has no matricizations, which the log tells", async () => {
    const modeSizes = Array.from({ length: 9 }, () => 10);
    const few = {
      ...tensorData,
      modeSizes,
      samples: 4,
      indices: Int32Array.from({ length: 36 }, (_, i) => i % 10),
      targets: Float32Array.of(1, 2, 3, 4),
    };
    const { trainable, lines } = await prepare(
      hierarchicalExperiment(() => Promise.resolve(few)),
      { engine: "plain", num_train_samples: 3, ht_layer_widths: [2, 2, 2, 2], ht_pool_size: 2 },
    );
    expect(lines).toEqual([
      "The full tensor is too large to hold: singular values of its matricizations are not tracked.",
    ]);
    const names = trainable.validationMetrics.map(({ name }) => name);
    expect(names.filter((name) => name.startsWith("mat_"))).toEqual([]);
    const { lines: silent } = await prepare(ht, {
      engine: "plain",
      num_train_samples: 3,
      ...widths,
    });
    expect(silent).toEqual([]);
  });
});
