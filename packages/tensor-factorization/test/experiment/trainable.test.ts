import type { ArrayFile, NamedArray } from "@implicit-rank/array-files";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { splitData } from "../../src/experiment/factorization-data.ts";
import { cpExperiment, matrixExperiment } from "../../src/experiment/index.ts";
import {
  cpSpec,
  createFactorization,
  frobeniusNorm,
  groupRmsProp,
  matrixSpec,
  plainEngine,
  predict,
} from "../../src/index.ts";
import ndarray from "ndarray";
import { seeds } from "../arbitraries.ts";
import { expectClose } from "../closeness.ts";
import { completionData, prepare, sensingData, trainEpochs, validate } from "./training-data.ts";

const spec = cpSpec({ modeSizes: [3, 2, 4], components: 2 });
const data = completionData(spec);
const experiment = cpExperiment(() => Promise.resolve(data));
const plain = { engine: "plain", num_train_samples: 13, num_cp_components: 2, init_std: 0.5 };

/** The parameters of a checkpoint as one vector, in the order of the layout. */
function parametersOf({ arrays }: ArrayFile): Float32Array | Float64Array {
  const { layout, values } = createFactorization(spec);
  for (const { name, offset } of layout) values.set(arrays[name].data as Float32Array, offset);
  return values;
}

describe("full batches", () => {
  test("one update an epoch on the train samples, with the metrics before it", async () => {
    const { trainable } = await prepare(experiment, plain);
    const start = parametersOf(await trainable.save());
    const { train } = splitData(data, 13, 0);
    const reference = await plainEngine.compile(
      createFactorization(spec, start),
      train,
      { kind: "l2" },
      groupRmsProp({ lr: 0.01 }),
    );
    expect(trainable.batchesPerEpoch).toBe(1);
    const metrics = trainEpochs(trainable, 1);
    const expected = reference.step();
    // An average over all 13 samples may differ from their common value in its last bit.
    expectClose(
      Object.values(metrics),
      [
        expected.meanSquaredError,
        expected.loss,
        expected.predictionAbsMean,
        expected.predictionAbsMax,
      ],
      1e-15,
    );
    expect(parametersOf(await trainable.save())).toEqual(reference.factorization.values);
  });

  test("train metrics: mean squared error and the loss, each in its plot; of CP the predictions", async () => {
    const cp = await prepare(experiment, { ...plain, loss: "l1" });
    expect(cp.trainable.trainMetrics).toEqual([
      { name: "train_mse_loss", tag: "mse_loss" },
      { name: "train_l1_loss", tag: "l1_loss" },
      { name: "train_prediction_abs_mean" },
      { name: "train_prediction_abs_max" },
    ]);
    const square = completionData(matrixSpec({ rows: 3, cols: 3 }));
    const mf = await prepare(
      matrixExperiment(() => Promise.resolve(square)),
      { engine: "plain", num_train_samples: 4 },
    );
    expect(mf.trainable.trainMetrics.map(({ name }) => name)).toEqual([
      "train_mse_loss",
      "train_l2_loss",
    ]);
    const values = new Float64Array(4).fill(NaN);
    expect(mf.trainable.trainBatch(0, values)).toBe(4);
    expect([...values.slice(2)]).toEqual([NaN, NaN]);
  });
});

describe("minibatches", () => {
  test("every epoch is a partition of the train samples, in an order of its own", async () => {
    // The mean absolute prediction of one sample tells which it is.
    const { trainable } = await prepare(experiment, { ...plain, batch_size: 1, lr: 1e-30 });
    const values = new Float64Array(4);
    const epoch = (number: number): number[] => {
      trainable.startEpoch!(number);
      return Array.from({ length: trainable.batchesPerEpoch }, (_, batch) => {
        expect(trainable.trainBatch(batch, values)).toBe(1);
        return values[0];
      });
    };
    const [first, second] = [epoch(0), epoch(1)];
    expect(first).toHaveLength(13);
    expect(new Set(first).size).toBe(13);
    expect(second.toSorted()).toEqual(first.toSorted());
    expect(second).not.toEqual(first);
  });

  test("are of --batch_size samples, the last of what is left", () => {
    const sizes = fc.integer({ min: -2, max: 16 });
    return fc.assert(
      fc.asyncProperty(sizes, async (batchSize) => {
        const { trainable } = await prepare(experiment, { ...plain, batch_size: batchSize });
        trainable.startEpoch!(0);
        const counts = Array.from(
          { length: trainable.batchesPerEpoch },
          (_, batch) => trainable.trainBatch(batch, new Float64Array(4)) as number,
        );
        const expected = [];
        const size = batchSize <= 0 ? 13 : batchSize;
        for (let left = 13; left > 0; left -= size) expected.push(Math.min(size, left));
        expect(counts).toEqual(expected);
      }),
    );
  });
});

describe("validation", () => {
  test.each(["completion", "sensing"] as const)(
    "%s: errors on train and test samples together, and on test samples alone",
    async (task) => {
      const all = task === "completion" ? data : sensingData(spec, 24);
      const { trainable } = await prepare(
        cpExperiment(() => Promise.resolve(all)),
        { ...plain, num_test_samples: 5 },
      );
      trainEpochs(trainable, 3);
      const values = validate(trainable);
      const trained = createFactorization(spec, parametersOf(await trainable.save()));
      const inputs =
        all.task === "completion"
          ? ndarray(all.indices!, [24, 3])
          : ndarray(all.inputs!, [24, 3, 4]);
      const residuals = predict(trained, inputs).data.map((value, s) => value - all.targets[s]);
      const squared = (from: number, to: number): number =>
        residuals.slice(from, to).reduce((sum, residual) => sum + residual ** 2, 0);
      expectClose([values["test_mse_loss"]], [squared(19, 24) / 5], 1e-6);
      const norm = Math.hypot(...all.targets.slice(0, 13), ...all.targets.slice(19));
      expectClose(
        [values["normalized_reconstruction_error"]],
        [Math.sqrt(squared(0, 13) + squared(19, 24)) / norm],
        1e-6,
      );
      expectClose([values["factor_0_fro_norm"]], [frobeniusNorm(trained.values.slice(0, 6))], 1e-6);
    },
  );

  test("without test samples there is no test error", async () => {
    const { trainable } = await prepare(experiment, { ...plain, num_test_samples: 0 });
    expect(trainable.validationMetrics[0]).toEqual({ name: "normalized_reconstruction_error" });
    const { train } = splitData(data, 13, 0);
    const first = trainEpochs(trainable, 1)["train_mse_loss"];
    const { trainable: fresh } = await prepare(experiment, { ...plain, num_test_samples: 0 });
    const error = validate(fresh)["normalized_reconstruction_error"];
    expectClose([error], [Math.sqrt(13 * first) / frobeniusNorm(train.targets)], 1e-6);
  });

  test("of targets that are all zero the error is not divided", async () => {
    const zero = { ...data, targets: new Float32Array(24), targetTensor: new Float32Array(24) };
    const { trainable } = await prepare(
      cpExperiment(() => Promise.resolve(zero)),
      { ...plain, num_test_samples: 0 },
    );
    const error = validate(trainable)["normalized_reconstruction_error"];
    expectClose([error], [Math.sqrt(13 * trainEpochs(trainable, 1)["train_mse_loss"])], 1e-6);
  });
});

describe("checkpoints", () => {
  const optimizers = ["grouprmsprop", "sgd"] as const;

  test.each(["plain", "fused"])(
    "%s: from any epoch training goes on with the same bits",
    (engine) =>
      fc.assert(
        fc.asyncProperty(
          fc.constantFrom(...optimizers),
          fc.constantFrom(-1, 1, 5, 13),
          fc.integer({ min: 0, max: 3 }),
          seeds,
          async (optimizer, batchSize, epochs, seed) => {
            const flags = { ...plain, engine, optimizer, momentum: 0.5, batch_size: batchSize };
            const { trainable: whole } = await prepare(experiment, flags, seed);
            trainEpochs(whole, epochs);
            const saved = structuredClone(await whole.save());
            const { trainable: resumed } = await prepare(experiment, flags, seed + 1);
            await resumed.restore(saved);
            expect(await resumed.save()).toEqual(saved);
            const last = trainEpochs(whole, 2);
            expect(trainEpochs(resumed, 2)).toEqual(last);
            expect(await resumed.save()).toEqual(await whole.save());
            expect(validate(resumed)).toEqual(validate(whole));
            await whole.dispose!();
            await resumed.dispose!();
          },
        ),
        { numRuns: 8 },
      ),
  );

  test("hold every matrix under its name, the optimizer's state and the generator's", async () => {
    const { trainable } = await prepare(experiment, plain);
    trainEpochs(trainable, 2);
    const { arrays, metadata } = await trainable.save();
    const shapes = Object.entries(arrays).map(([name, { shape }]) => [name, shape]);
    expect(shapes).toEqual([
      ["factors.0", [3, 2]],
      ["factors.1", [2, 2]],
      ["factors.2", [4, 2]],
      ["optimizer.step", [1]],
      ["optimizer.square_avg", [1]],
    ]);
    expect([...arrays["optimizer.step"].data]).toEqual([2]);
    expect(JSON.parse(metadata["batches"])).toBeInstanceOf(Array);
    const momentum = await prepare(experiment, { ...plain, optimizer: "sgd" });
    const { arrays: ofSgd } = await momentum.trainable.save();
    expect(ofSgd["optimizer.velocity"].shape).toEqual([18]);
  });

  test("a checkpoint keeps its numbers while training goes on", async () => {
    for (const optimizer of optimizers) {
      const { trainable } = await prepare(experiment, { ...plain, optimizer });
      const saved = await trainable.save();
      const copy = structuredClone(saved);
      trainEpochs(trainable, 2);
      expect(saved).toEqual(copy);
    }
  });

  test("of the PyTorch scripts hold no generator: the run's own goes on", async () => {
    const flags = { ...plain, batch_size: 4 };
    const { trainable: other } = await prepare(experiment, flags, 5);
    const { arrays } = await other.save();
    const { trainable } = await prepare(experiment, flags, 6);
    const before = (await trainable.save()).metadata;
    await trainable.restore({ arrays, metadata: { source: "PyTorch" } });
    expect(await trainable.save()).toEqual({ arrays, metadata: before });
  });

  describe("that do not fit are refused in one line", () => {
    const refused = async (
      change: Record<string, NamedArray | undefined>,
      message: string,
      metadata?: ArrayFile["metadata"],
    ): Promise<void> => {
      const { trainable } = await prepare(experiment, plain);
      const saved = await trainable.save();
      const changed = Object.entries({ ...saved.arrays, ...change });
      const arrays = Object.fromEntries(
        changed.filter((entry): entry is [string, NamedArray] => entry[1] !== undefined),
      );
      const file = { arrays, metadata: metadata ?? saved.metadata };
      expect(() => trainable.restore(file)).toThrow(
        expect.objectContaining({ name: "FactorizationError", message }) as Error,
      );
    };

    test.each(["factors.1", "optimizer.step", "optimizer.square_avg"])("without %s", (name) =>
      refused(
        { [name]: undefined },
        `checkpoint: it has no array ${name}; resume with the model and optimizer that saved it`,
      ),
    );

    test("of other sizes", () =>
      refused(
        { "factors.2": { shape: [9], data: new Float32Array(9) } },
        "checkpoint: array factors.2 has 9 values where 8 floats are needed; resume with the sizes that saved it",
      ));

    test("of integers", () =>
      refused(
        { "factors.2": { shape: [4, 2], data: new Int32Array(8) } },
        "checkpoint: array factors.2 has 8 values where 8 floats are needed; resume with the sizes that saved it",
      ));

    test.each([{}, { batches: "7" }, { batches: '["1"]' }, { batches: "null" }])(
      "with the metadata %j",
      (metadata) =>
        refused(
          {},
          "checkpoint: its metadata has no generator state (batches); resume from another checkpoint",
          metadata as Record<string, string>,
        ),
    );
  });
});
