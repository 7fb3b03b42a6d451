import { describe, expect, it } from "vitest";
import type { Callback, Fit, Json, MetricReference, Trainable } from "../src/index.ts";
import {
  batchValuesStatistics,
  cosineSchedule,
  createMetricValues,
  earlyStopping,
  exponentialSchedule,
  learningRateScheduler,
  reduceLearningRateOnPlateau,
  runFit,
  stepSchedule,
  stopOnMetricValue,
  stopOnTimeout,
  stopOnZeroTrainLoss,
  terminateOnNaN,
} from "../src/index.ts";

interface Setting {
  /** The train metric of each epoch (the validation metric is the same). */
  readonly values: readonly number[];
  readonly validateEvery?: number;
  readonly firstEpoch?: number;
  readonly batches?: readonly (readonly number[])[];
}

/** Fits a trainable whose metric takes the given values, with callbacks made for that metric. */
function play(
  { values, validateEvery = 1, firstEpoch = 0, batches }: Setting,
  makeCallbacks: (metric: MetricReference) => readonly Callback[],
  rate = { get: () => 1, set: (_value: number): void => undefined },
): Promise<Fit> {
  let epoch = 0;
  let weight = 0;
  const trainable: Trainable = {
    metadata: {},
    numParameters: 1,
    trainMetrics: [{ name: "loss" }],
    validationMetrics: [{ name: "score" }],
    batchesPerEpoch: batches?.[0]?.length ?? 1,
    startEpoch(number) {
      epoch = number;
    },
    trainBatch(batch, out) {
      weight = epoch + 1;
      out[0] = batches?.[epoch]?.[batch] ?? values[epoch]!;
      return 1;
    },
    validate(out) {
      out[0] = values[epoch]!;
    },
    save: () => ({
      arrays: { weight: { shape: [1], data: Float64Array.of(weight) } },
      metadata: {},
    }),
    restore({ arrays }) {
      weight = Number(arrays["weight"]!.data[0]);
    },
    learningRate: rate,
  };
  const placeholder = { name: "loss", source: "train", index: 0 } as const;
  const extraInfos = makeCallbacks({
    ...placeholder,
    group: createMetricValues(trainable.trainMetrics),
  }).flatMap((callback) => callback.metrics ?? []);
  const metrics = {
    train: createMetricValues(trainable.trainMetrics),
    validation: createMetricValues(trainable.validationMetrics),
    extra: createMetricValues(extraInfos),
  };
  return runFit({
    trainable,
    metrics,
    callbacks: makeCallbacks({ ...placeholder, group: metrics.train }),
    firstEpoch,
    lastEpoch: values.length - 1,
    validateEvery,
    elapsedBefore: 0,
    interruption: { reason: undefined },
  });
}

const repeat = (value: number, times: number): readonly number[] =>
  Array<number>(times).fill(value);

describe("stop on zero train loss", () => {
  it("stops when the loss was below the tolerance at more than patience checks in a row", async () => {
    const values = [1, 0.1, 0.1, 1, 0.1, 0.1, 0.1, 0.1, 0.1];
    const { epoch, stop } = await play({ values }, (metric) => [
      stopOnZeroTrainLoss({ metric, tolerance: 0.2, patience: 2 }),
    ]);
    expect(epoch).toBe(6);
    expect(stop).toMatchObject({
      kind: "rule",
      message: "loss was below 0.2 at 3 checks in a row (now 0.1)",
    });
  });

  it("checks only where (epoch + 1) % validate_every is 0, after the cooldown", async () => {
    const values = repeat(0, 40);
    const epochOf = async (cooldown: number) =>
      (
        await play({ values, validateEvery: 5 }, (metric) => [
          stopOnZeroTrainLoss({ metric, patience: 1, cooldown }),
        ])
      ).epoch;
    expect(await epochOf(0)).toBe(9);
    expect(await epochOf(10)).toBe(19);
  });

  it("is strict: a loss equal to the tolerance does not count", async () => {
    const { stop } = await play({ values: repeat(0.5, 5) }, (metric) => [
      stopOnZeroTrainLoss({ metric, tolerance: 0.5, patience: 0 }),
    ]);
    expect(stop).toBeUndefined();
  });
});

describe("stop on a metric's value", () => {
  it.each([
    [true, [0.5, 1, 1, 1], 2],
    [false, [0.5, 1, 0.1, 0.1], 3],
  ])("largest %s", async (largest, values, epoch) => {
    const threshold = largest ? 1 : 0.1;
    const ended = await play({ values: [...values, 9, 9] }, (metric) => [
      stopOnMetricValue({ metric, threshold, largest, patience: 1 }),
    ]);
    expect(ended.epoch).toBe(epoch);
  });
});

describe("early stopping", () => {
  it.each([
    [true, [1, 2, 3, 3, 2, 3, 9]],
    [false, [-1, -2, -3, -3, -2, -3, -9]],
  ])(
    "stops without improvement at more than patience checks (largest %s)",
    async (largest, values) => {
      const { epoch, stop } = await play({ values }, (metric) => [
        earlyStopping({ metric, largest, patience: 2 }),
      ]);
      expect(epoch).toBe(5);
      expect(stop!.message).toContain("(epoch 2) for 3 checks");
    },
  );

  it("needs more than min_delta for an improvement", async () => {
    const values = [1, 1.4, 1.8, 2.2];
    const epochOf = async (minDelta: number) =>
      (await play({ values }, (metric) => [earlyStopping({ metric, largest: true, minDelta })]))
        .epoch;
    expect(await epochOf(0.3)).toBe(3);
    expect(await epochOf(0.5)).toBe(1);
  });

  it("does not check during the cooldown", async () => {
    const { epoch } = await play({ values: repeat(1, 20) }, (metric) => [
      earlyStopping({ metric, largest: true, cooldown: 7 }),
    ]);
    expect(epoch).toBe(8);
  });

  it("restores the best weights at the end", async () => {
    const { trainable } = await play({ values: [1, 5, 2, 2, 2] }, (metric) => [
      earlyStopping({ metric, largest: true, patience: 10, restoreBestWeights: true }),
    ]);
    expect((await trainable.save()).arrays["weight"]!.data[0]).toBe(2);
  });
});

describe("terminate on NaN", () => {
  it.each([Number.NaN, Infinity, -Infinity])(
    "stops when the train metric is %s, before the validation",
    async (bad) => {
      const { epoch, stop, validated } = await play({ values: [1, bad, 1] }, () => [
        terminateOnNaN(),
      ]);
      expect({ epoch, validated, kind: stop!.kind }).toEqual({
        epoch: 1,
        validated: false,
        kind: "not-finite",
      });
    },
  );

  it("looks into batches only if asked", async () => {
    const setting = { values: [1], batches: [[1, Number.NaN, 2]] };
    let batches = 0;
    const count: Callback = { onTrainBatchStart: () => void batches++ };
    const { stop } = await play(setting, () => [count, terminateOnNaN({ verifyBatches: true })]);
    expect(batches).toBe(2);
    expect(stop?.message).toContain("loss became NaN at epoch 0, batch 2 of 3;");
  });
});

describe("stop on timeout", () => {
  it("stops after the epoch that passes the limit", async () => {
    const slow: Callback = {
      onEpochStart: () => new Promise((resolve) => setTimeout(resolve, 30)),
    };
    const { epoch, stop } = await play({ values: repeat(1, 1000) }, () => [
      slow,
      stopOnTimeout({ seconds: 0.2 }),
    ]);
    expect(stop).toMatchObject({ kind: "timeout" });
    expect(epoch).toBeLessThan(10);
  });

  it("counts CPU time if asked: waiting does not count", async () => {
    const slow: Callback = {
      onEpochStart: () => new Promise((resolve) => setTimeout(resolve, 20)),
    };
    const { stop } = await play({ values: repeat(1, 10) }, () => [
      slow,
      stopOnTimeout({ seconds: 5, useProcessTime: true }),
    ]);
    expect(stop).toBeUndefined();
  });
});

/** A learning rate that remembers what it was set to. */
function recordedRate(initial: number) {
  const rates: number[] = [];
  return {
    rates,
    rate: {
      get: () => rates.at(-1) ?? initial,
      set: (value: number): void => void rates.push(value),
    },
  };
}

describe("learning-rate schedules", () => {
  it("are set after every epoch's training", async () => {
    const { rates, rate } = recordedRate(8);
    await play({ values: repeat(1, 6) }, () => [learningRateScheduler(stepSchedule(2, 0.5))], rate);
    expect(rates).toEqual([8, 4, 4, 2, 2, 1]);
  });

  it("follow their formulas", () => {
    expect(exponentialSchedule(0.5)(3, 8)).toBe(1);
    const cosine = cosineSchedule(10, 1);
    expect(
      [cosine(0, 5), cosine(5, 5), cosine(10, 5), cosine(99, 5)].map((rate) =>
        Number(rate.toFixed(12)),
      ),
    ).toEqual([5, 3, 1, 1]);
  });

  it("need an experiment that allows it", async () => {
    await expect(
      runFit({
        trainable: { trainMetrics: [], batchesPerEpoch: 1 } as unknown as Trainable,
        metrics: {
          train: createMetricValues([]),
          validation: createMetricValues([]),
          extra: createMetricValues([]),
        },
        callbacks: [learningRateScheduler(stepSchedule(1, 1))],
        firstEpoch: 0,
        lastEpoch: 0,
        validateEvery: 1,
        elapsedBefore: 0,
        interruption: { reason: undefined },
      }),
    ).rejects.toMatchObject({ exitCode: 2 });
  });

  it("reduce on a plateau after more than patience checks, not below the minimum", async () => {
    const { rates, rate } = recordedRate(1);
    const values = [5, 4, 3.99995, 4, 4, 4, 4, 4, 4, 4];
    await play(
      { values },
      (metric) => [
        reduceLearningRateOnPlateau({
          metric,
          largest: false,
          factor: 0.1,
          patience: 1,
          minRate: 0.05,
        }),
      ],
      rate,
    );
    // The changes by 5e-5 stay below the threshold of 1e-4: checks 2 and 3 are one too many, then 4 and 5, …
    expect(rates).toEqual([0.1, 0.05, 0.05, 0.05]);
  });

  it("measure improvement relative to the best with mode rel", async () => {
    const { rates, rate } = recordedRate(1);
    const options = {
      largest: true,
      factor: 0.5,
      patience: 0,
      threshold: 0.1,
      mode: "rel",
    } as const;
    await play(
      { values: [10, 10.5, 11.5] },
      (metric) => [reduceLearningRateOnPlateau({ metric, ...options })],
      rate,
    );
    expect(rates).toEqual([0.5]);
  });
});

describe("statistics of batch values", () => {
  it.each([
    ["mean", 3],
    ["median", 2.5],
    ["max", 7],
    ["min", 0],
    ["std", Math.sqrt((9 + 1 + 0 + 16) / 4)],
  ] as const)("%s", async (statistic, expected) => {
    const trainMetrics = [{ name: "loss" }];
    const { metrics } = await play({ values: [0], batches: [[0, 2, 3, 7]] }, () => [
      batchValuesStatistics({ trainMetrics, statistic }),
    ]);
    expect(metrics.extra.infos).toEqual([{ name: `batch loss ${statistic}` }]);
    expect(metrics.extra.values[0]).toBeCloseTo(expected, 12);
    expect(metrics.extra.epochs[0]).toBe(0);
  });

  it("are made for the chosen metrics only", () => {
    const trainMetrics = [{ name: "a" }, { name: "b" }, { name: "c" }];
    const names = (options: { createOnlyFor?: readonly string[]; exclude?: readonly string[] }) =>
      batchValuesStatistics({ trainMetrics, statistic: "max", ...options }).metrics!.map(
        ({ name }) => name,
      );
    expect(names({ createOnlyFor: ["a", "b"], exclude: ["b"] })).toEqual(["batch a max"]);
  });
});

describe("states of callbacks", () => {
  const metric: MetricReference = {
    name: "m",
    source: "train",
    index: 0,
    group: createMetricValues([{ name: "m" }]),
  };
  it.each([
    ["early stopping", () => earlyStopping({ metric, largest: true })],
    ["zero loss", () => stopOnZeroTrainLoss({ metric })],
    ["plateau", () => reduceLearningRateOnPlateau({ metric, largest: false })],
    ["schedule", () => learningRateScheduler(stepSchedule(1, 0.5))],
  ])("of %s survive JSON, also before the first epoch", (_name, make) => {
    const state = JSON.parse(JSON.stringify(make().state!())) as Json;
    const restored = make();
    restored.restoreState!(state);
    expect(restored.state!()).toEqual(state);
  });
});
