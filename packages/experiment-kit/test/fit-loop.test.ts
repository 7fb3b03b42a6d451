import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Callback, Fit, FitOptions, Trainable } from "../src/index.ts";
import { createMetricValues, runFit, StopRequest } from "../src/index.ts";

interface Recorder {
  readonly trainable: Trainable;
  readonly updates: () => number;
}

/** Its train metric is the number of updates so far, its validation metric too: timing can be read off. */
function counting(
  options: { batches?: number; sizes?: readonly number[]; promises?: boolean } = {},
): Recorder {
  const { batches = 1, sizes = [], promises = false } = options;
  let updates = 0;
  const trainable: Trainable = {
    metadata: {},
    numParameters: 1,
    trainMetrics: [{ name: "updates before" }],
    validationMetrics: [{ name: "updates after" }],
    batchesPerEpoch: batches,
    trainBatch(batch, values) {
      values[0] = updates++;
      const size = sizes[batch] ?? 1;
      return promises ? Promise.resolve(size) : size;
    },
    validate(values) {
      values[0] = updates;
      return promises ? Promise.resolve() : undefined;
    },
    save: () => ({ arrays: {}, metadata: {} }),
    restore: () => undefined,
  };
  return { trainable, updates: () => updates };
}

function fit(
  trainable: Trainable,
  callbacks: readonly Callback[],
  options: Partial<FitOptions> = {},
): Promise<Fit> {
  const metrics = {
    train: createMetricValues(trainable.trainMetrics),
    validation: createMetricValues(trainable.validationMetrics),
    extra: createMetricValues([]),
  };
  return runFit({
    trainable,
    metrics,
    callbacks,
    firstEpoch: 0,
    lastEpoch: 9,
    validateEvery: 1,
    elapsedBefore: 0,
    interruption: { reason: undefined },
    ...options,
  });
}

const HOOKS = [
  "onFitInitialization",
  "onFitStart",
  "onEpochStart",
  "onEpochTrainStart",
  "onTrainBatchStart",
  "onTrainBatchEnd",
  "onEpochTrainEnd",
  "onEpochValidationStart",
  "onEpochValidationEnd",
  "onEpochTrainAndValidationEnd",
  "onEpochEnd",
  "onException",
  "onFitEnd",
  "onFitTermination",
] as const;

/** Records the hooks that are called; throws at one of them if asked to. */
function hookRecorder(
  calls: string[],
  failure?: { hook: string; error: Error; epoch?: number },
): Callback {
  const callback: Record<string, (fit: Fit) => void> = {};
  for (const hook of HOOKS) {
    callback[hook] = (state) => {
      calls.push(`${hook} ${state.epoch}`);
      if (failure?.hook === hook && state.epoch === (failure.epoch ?? 0)) throw failure.error;
    };
  }
  return callback;
}

describe("the fit loop", () => {
  it.each([false, true])("calls the hooks in order (promises: %s)", async (promises) => {
    const calls: string[] = [];
    await fit(counting({ batches: 2, promises }).trainable, [hookRecorder(calls)], {
      lastEpoch: 1,
      validateEvery: 2,
    });
    expect(calls).toEqual([
      "onFitInitialization -1",
      "onFitStart -1",
      "onEpochStart 0",
      "onEpochTrainStart 0",
      "onTrainBatchStart 0",
      "onTrainBatchEnd 0",
      "onTrainBatchStart 0",
      "onTrainBatchEnd 0",
      "onEpochTrainEnd 0",
      "onEpochTrainAndValidationEnd 0",
      "onEpochEnd 0",
      "onEpochStart 1",
      "onEpochTrainStart 1",
      "onTrainBatchStart 1",
      "onTrainBatchEnd 1",
      "onTrainBatchStart 1",
      "onTrainBatchEnd 1",
      "onEpochTrainEnd 1",
      "onEpochValidationStart 1",
      "onEpochValidationEnd 1",
      "onEpochTrainAndValidationEnd 1",
      "onEpochEnd 1",
      "onFitEnd 1",
      "onFitTermination 1",
    ]);
  });

  it("takes train metrics before the update and validation metrics after it, 0-based, and forces the last validation", async () => {
    const rows: (readonly number[])[] = [];
    const record: Callback = {
      onEpochEnd({ epoch, validated, metrics }) {
        rows.push([
          epoch,
          metrics.train.values[0]!,
          validated ? metrics.validation.values[0]! : -1,
        ]);
      },
    };
    await fit(counting().trainable, [record], { lastEpoch: 6, validateEvery: 3 });
    expect(rows).toEqual([
      [0, 0, -1],
      [1, 1, -1],
      [2, 2, 3],
      [3, 3, -1],
      [4, 4, -1],
      [5, 5, 6],
      [6, 6, 7],
    ]);
  });

  it("averages the batches of an epoch by their samples", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 9 }),
        fc.boolean(),
        async (sizes, promises) => {
          const { trainable } = counting({ batches: sizes.length, sizes, promises });
          const { metrics } = await fit(trainable, [], { lastEpoch: 0 });
          const expected =
            sizes.reduce((sum, n, i) => sum + n * i, 0) / sizes.reduce((a, b) => a + b);
          expect(metrics.train.values[0]).toBeCloseTo(expected, 12);
        },
      ),
      { numRuns: 30 },
    );
  });

  it.each([
    ["onEpochTrainStart", ["onException 0", "onEpochTrainAndValidationEnd 0", "onEpochEnd 0"]],
    ["onTrainBatchEnd", ["onException 0", "onEpochTrainAndValidationEnd 0", "onEpochEnd 0"]],
    ["onEpochTrainEnd", ["onException 0", "onEpochTrainAndValidationEnd 0", "onEpochEnd 0"]],
    ["onEpochValidationEnd", ["onException 0", "onEpochTrainAndValidationEnd 0", "onEpochEnd 0"]],
    ["onEpochEnd", ["onException 0"]],
  ])("completes the epoch after a stop request in %s", async (hook, rest) => {
    const calls: string[] = [];
    const stop = new StopRequest("rule", "enough");
    const ended = await fit(counting().trainable, [hookRecorder(calls, { hook, error: stop })]);
    expect(ended.stop).toBe(stop);
    expect(ended.epoch).toBe(0);
    const after = calls.slice(calls.indexOf(`${hook} 0`) + 1);
    expect(after).toEqual([...rest, "onFitEnd 0", "onFitTermination 0"]);
  });

  it("skips validation after a stop in the train phase", async () => {
    const calls: string[] = [];
    await fit(counting().trainable, [
      hookRecorder(calls, { hook: "onEpochTrainEnd", error: new StopRequest("rule", "x") }),
    ]);
    expect(calls.filter((call) => call.includes("ValidationStart"))).toEqual([]);
  });

  it("runs no epoch after a stop request at its start", async () => {
    const { trainable, updates } = counting();
    const calls: string[] = [];
    const ended = await fit(trainable, [
      hookRecorder(calls, { hook: "onEpochStart", epoch: 1, error: new StopRequest("rule", "x") }),
    ]);
    expect(ended.epoch).toBe(0);
    expect(updates()).toBe(1);
  });

  it("ends without onFitEnd after any other error", async () => {
    const calls: string[] = [];
    const broken = hookRecorder(calls, { hook: "onEpochEnd", error: new Error("broken") });
    await expect(fit(counting().trainable, [broken])).rejects.toThrow("broken");
    expect(calls.slice(-3)).toEqual(["onEpochEnd 0", "onException 0", "onFitTermination 0"]);
  });

  it("awaits callbacks that return promises before the next one", async () => {
    const order: string[] = [];
    const slow: Callback = {
      async onEpochEnd() {
        await new Promise(setImmediate);
        order.push("slow");
      },
    };
    const fast: Callback = { onEpochEnd: () => void order.push("fast") };
    await fit(counting().trainable, [slow, fast], { lastEpoch: 1 });
    expect(order).toEqual(["slow", "fast", "slow", "fast"]);
  });

  it("ends after the epoch in which it is interrupted, without a forced validation", async () => {
    const interruption = { reason: undefined as string | undefined };
    const interrupt: Callback = {
      onTrainBatchStart({ epoch }) {
        if (epoch === 3) interruption.reason = "enough";
      },
    };
    const ended = await fit(counting().trainable, [interrupt], {
      interruption,
      validateEvery: 100,
    });
    expect(ended).toMatchObject({ epoch: 3, validated: false, stop: { kind: "interrupted" } });
  });

  it("does not count as interrupted after the last epoch", async () => {
    const interruption = { reason: "late" };
    const ended = await fit(counting().trainable, [], { interruption, lastEpoch: 0 });
    expect(ended.stop).toBeUndefined();
  });

  it("lets the event loop run while it trains", async () => {
    let turns = 0;
    const timer = setInterval(() => turns++, 1);
    const busy: Callback = {
      onEpochEnd() {
        const until = performance.now() + 30;
        while (performance.now() < until);
      },
    };
    await fit(counting().trainable, [busy]);
    clearInterval(timer);
    expect(turns).toBeGreaterThan(1);
  });
});
