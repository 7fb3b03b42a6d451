import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { FactorizationData } from "../../src/experiment/index.ts";
import { splitData } from "../../src/experiment/factorization-data.ts";
import type { Observations } from "../../src/index.ts";
import "../arbitraries.ts";

/** Samples whose every number tells which sample it is of, and where in it. */
function numberedData(task: Observations["task"], samples: number): FactorizationData {
  const perSample = task === "completion" ? 3 : 3 * 4;
  const numbers = Array.from({ length: samples * perSample }, (_, i) => i);
  return {
    kind: "tensor",
    task,
    modeSizes: [4, 4, 4],
    samples,
    ...(task === "completion"
      ? { indices: Int32Array.from(numbers) }
      : { inputs: Float32Array.from(numbers) }),
    targets: Float32Array.from({ length: samples }, (_, s) => -s),
    contentHash: "",
  };
}

function inputsOf(observations: Observations): Int32Array | Float32Array {
  return observations.task === "completion" ? observations.indices : observations.inputs;
}

/** The numbers of samples `from` … `to` of such data. */
function expectSamples(part: Observations, numbers: readonly number[]): void {
  const perSample = part.task === "completion" ? 3 : 12;
  expect(part.samples).toBe(numbers.length);
  expect([...part.targets]).toEqual(numbers.map((s) => -s));
  expect([...inputsOf(part)]).toEqual(
    numbers.flatMap((s) => Array.from({ length: perSample }, (_, i) => s * perSample + i)),
  );
}

const range = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, i) => from + i);

describe("training and test samples", () => {
  test("are the first and the last, joined in this order", () => {
    const cases = fc
      .tuple(
        fc.constantFrom("completion" as const, "sensing" as const),
        fc.integer({ min: 1, max: 12 }),
        fc.integer({ min: 0, max: 12 }),
        fc.integer({ min: 0, max: 12 }),
      )
      .map(([task, train, gap, tested]) => ({ task, train, gap, tested }));
    fc.assert(
      fc.property(cases, ({ task, train, gap, tested }) => {
        const samples = train + gap + tested;
        const split = splitData(numberedData(task, samples), train, tested);
        const last = range(samples - tested, samples);
        expectSamples(split.train, range(0, train));
        expectSamples(split.both, [...range(0, train), ...last]);
        if (tested === 0) expect(split.test).toBeUndefined();
        else expectSamples(split.test!, last);
      }),
    );
  });

  test("a negative number of test samples takes all that are not trained on", () => {
    const split = splitData(numberedData("completion", 7), 5, -1);
    expectSamples(split.test!, [5, 6]);
    expect(splitData(numberedData("completion", 7), 7, -1).test).toBeUndefined();
  });

  test.each(["completion", "sensing"] as const)(
    "%s data are copied only where samples between the two are left out",
    (task) => {
      const data = numberedData(task, 9);
      const buffer = inputsOf(splitData(data, 9, 0).both).buffer;
      expect(inputsOf(splitData(data, 4, -1).both).buffer).toBe(buffer);
      expect(splitData(data, 4, -1).both.targets.buffer).toBe(data.targets.buffer);
      expect(inputsOf(splitData(data, 4, 3).both).buffer).not.toBe(buffer);
    },
  );

  test("more than there are is refused, with the flag and the most that is possible", () => {
    const data = numberedData("completion", 9);
    expect(() => splitData(data, 10, 0)).toThrow(
      /^--num_train_samples: 10 asked for, but the data set has 9; give at most 9$/,
    );
    expect(() => splitData(data, 7, 3)).toThrow(
      /^--num_test_samples: 3 asked for, but 2 of 9 samples are left beside 7 train samples; give at most 2$/,
    );
    expect(() => splitData(data, 9, 0)).not.toThrow();
    expect(() => splitData(data, 7, 2)).not.toThrow();
  });
});
