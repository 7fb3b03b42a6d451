import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { z } from "zod";
import type { Callback, Fit, Json, MetricReference } from "../src/index.ts";
import {
  cosineSchedule,
  createMetricValues,
  earlyStopping,
  exponentialSchedule,
  findMetric,
  formatDuration,
  formatRate,
  formatValue,
  nearest,
  parseFlags,
  reduceLearningRateOnPlateau,
  stepSchedule,
  StopRequest,
  stopOnMetricValue,
  stopOnZeroTrainLoss,
} from "../src/index.ts";
import { editDistance } from "../src/flags/nearest.ts";

const finite = fc.double({ noNaN: true, noDefaultInfinity: true });

/** Metrics of a few sizes, so that conditions hold now and then, and several times in a row. */
const histories = fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 25 });

const situations = fc.record({
  values: histories,
  patience: fc.nat({ max: 3 }),
  cooldown: fc.nat({ max: 4 }),
  validateEvery: fc.integer({ min: 1, max: 3 }),
  largest: fc.boolean(),
  /** The epoch after which the rule is saved and made anew, as by a resume. */
  interruptedAt: fc.nat({ max: 25 }),
});

interface Situation {
  readonly values: readonly number[];
  readonly validateEvery: number;
  readonly interruptedAt: number;
}

/** The epoch that a rule stops a run of these metrics in; undefined: it goes on to the end. */
function stopsAt(
  { values, validateEvery, interruptedAt }: Situation,
  makeRule: (metric: MetricReference) => Callback,
): number | undefined {
  const group = createMetricValues([{ name: "score" }]);
  const metric = { name: "score", source: "train", group, index: 0 } as const;
  let rule = makeRule(metric);
  for (const [epoch, value] of values.entries()) {
    group.values[0] = value;
    try {
      void rule.onEpochEnd!({ epoch, validateEvery } as Fit);
    } catch (error) {
      expect(error).toBeInstanceOf(StopRequest);
      return epoch;
    }
    if (epoch === interruptedAt) {
      const saved = JSON.parse(JSON.stringify(rule.state!())) as Json;
      rule = makeRule(metric);
      rule.restoreState!(saved);
    }
  }
  return undefined;
}

/** Epochs that are checked, each with the metric then. */
function checksOf(
  { values, validateEvery }: Situation,
  cooldown: number,
): { epoch: number; value: number }[] {
  return values
    .map((value, epoch) => ({ epoch, value }))
    .filter(({ epoch }) => epoch >= cooldown && (epoch + 1) % validateEvery === 0);
}

describe("rules that end a run, interrupted or not", () => {
  it("a streak: the first check that ends patience + 1 checks in a row that all hold", () => {
    fc.assert(
      fc.property(situations, fc.nat({ max: 3 }), (situation, threshold) => {
        const { patience, cooldown, largest } = situation;
        const checks = checksOf(situation, cooldown);
        const firstStreak = (holds: (value: number) => boolean) =>
          checks.find(
            (_, i) =>
              i >= patience && checks.slice(i - patience, i + 1).every((c) => holds(c.value)),
          )?.epoch;
        const options = { patience, cooldown };
        expect(
          stopsAt(situation, (metric) =>
            stopOnMetricValue({ metric, threshold, largest, ...options }),
          ),
        ).toBe(firstStreak((value) => (largest ? value >= threshold : value <= threshold)));
        expect(
          stopsAt(situation, (metric) =>
            stopOnZeroTrainLoss({ metric, tolerance: threshold, ...options }),
          ),
        ).toBe(firstStreak((value) => value < threshold));
      }),
    );
  });

  it("early stopping: the first check after patience + 1 in a row without a new best", () => {
    fc.assert(
      fc.property(situations, fc.constantFrom(0, 1), (situation, minDelta) => {
        const { patience, cooldown, largest } = situation;
        const checks = checksOf(situation, cooldown);
        let best = largest ? -Infinity : Infinity;
        const improved = checks.map(({ value }) => {
          const isBetter = largest ? value > best + minDelta : value < best - minDelta;
          if (isBetter) best = value;
          return isBetter;
        });
        const expected = checks.find(
          (_, i) => i >= patience && !improved.slice(i - patience, i + 1).includes(true),
        )?.epoch;
        expect(
          stopsAt(situation, (metric) =>
            earlyStopping({ metric, largest, minDelta, patience, cooldown }),
          ),
        ).toBe(expected);
      }),
    );
  });
});

describe("learning rates", () => {
  const factors = fc.double({ min: 0.1, max: 1, noNaN: true });
  const rates = fc.double({ min: 1e-6, max: 10, noNaN: true });
  const epochs = fc.nat({ max: 200 });

  it("in steps are powers of the factor, and steps of one epoch are exponential", () => {
    fc.assert(
      fc.property(
        factors,
        rates,
        epochs,
        fc.integer({ min: 1, max: 20 }),
        (factor, rate, n, size) => {
          const stepped = stepSchedule(size, factor);
          expect(stepped(n, rate)).toBe(rate * factor ** Math.floor(n / size));
          expect(stepped(n - (n % size), rate)).toBe(stepped(n, rate));
          expect(stepSchedule(1, factor)(n, rate)).toBe(exponentialSchedule(factor)(n, rate));
        },
      ),
    );
  });

  it("along a cosine fall from the first to the minimum, alike around the middle", () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 100 }), rates, factors, (period, rate, share) => {
        const minimum = rate * share;
        const schedule = cosineSchedule(period, minimum);
        const close = (a: number, b: number) =>
          expect(Math.abs(a - b)).toBeLessThanOrEqual(1e-12 * rate);
        close(schedule(0, rate), rate);
        for (let n = 0; n < period; n++) {
          expect(schedule(n + 1, rate)).toBeLessThanOrEqual(schedule(n, rate) * (1 + 1e-12));
          close(schedule(n, rate) + schedule(period - n, rate), rate + minimum);
        }
        close(schedule(period + 7, rate), minimum);
      }),
    );
  });

  it("on a plateau: as often as patience + 1 checks pass, never below the minimum", () => {
    const cases = fc.record({
      checks: fc.integer({ min: 1, max: 40 }),
      patience: fc.nat({ max: 5 }),
      factor: factors,
      minRate: fc.double({ min: 0, max: 1, noNaN: true }),
      largest: fc.boolean(),
      better: fc.boolean(),
    });
    fc.assert(
      fc.property(cases, ({ checks, patience, factor, minRate, largest, better }) => {
        const group = createMetricValues([{ name: "score" }]);
        const metric = { name: "score", source: "train", group, index: 0 } as const;
        const set: number[] = [];
        const learningRate = { get: () => 1, set: (value: number) => void set.push(value) };
        const rule = reduceLearningRateOnPlateau({ metric, largest, factor, patience, minRate });
        const fit = (epoch: number) =>
          ({ epoch, validateEvery: 1, trainable: { learningRate } }) as unknown as Fit;
        void rule.onFitInitialization!(fit(-1));
        for (let epoch = 0; epoch < checks; epoch++) {
          group.values[0] = (better ? epoch : 0) * (largest ? 1 : -1);
          void rule.onEpochEnd!(fit(epoch));
        }
        const times = better ? 0 : Math.floor((checks - 1) / (patience + 1));
        expect(set).toHaveLength(times);
        let rate = 1;
        for (const value of set) {
          rate = Math.max(rate * factor, minRate);
          expect(value).toBe(rate);
        }
      }),
    );
  });
});

describe("numbers for people", () => {
  const sizes = fc.oneof(fc.constant(0), fc.double({ min: 1e-300, max: 1e300, noNaN: true }));

  it("have four digits, and are the number but for the last of them", () => {
    fc.assert(
      fc.property(sizes, fc.constantFrom(1, -1), (size, sign) => {
        const value = sign * size;
        const text = formatValue(value);
        const read = Number(text);
        expect(Math.abs(read - value)).toBeLessThanOrEqual(5.001e-4 * Math.abs(value));
        const digits = text.replace(/e.*/, "").replace(/[-.]/g, "").replace(/^0+/, "");
        expect(digits.replace(/0+$/, "").length).toBeLessThanOrEqual(4);
      }),
    );
  });

  it("of durations can be read back, to half of their last digit", () => {
    const durations = fc.double({ min: 0, max: 1e7, noNaN: true });
    fc.assert(
      fc.property(durations, fc.constantFrom(0, 1, 2), (seconds, decimals) => {
        const text = formatDuration(seconds, decimals);
        expect(text).toMatch(/^\d+:[0-5]\d:[0-5]\d(\.\d+)?$/);
        const [hours, minutes, rest] = text.split(":").map(Number) as [number, number, number];
        const read = 3600 * hours + 60 * minutes + rest;
        expect(Math.abs(read - seconds)).toBeLessThanOrEqual(0.5 * 10 ** -decimals + 1e-6);
      }),
    );
  });

  it("of rates are right to half a percent", () => {
    fc.assert(
      fc.property(fc.double({ min: 1e-6, max: 1e9, noNaN: true }), (rate) => {
        expect(Math.abs(Number(formatRate(rate)) / rate - 1)).toBeLessThanOrEqual(5.001e-3);
      }),
    );
  });
});

describe("slips in names", () => {
  const words = fc.string({ unit: fc.constantFrom("a", "b", "c", "_"), maxLength: 7 });

  it("are counted by a distance", () => {
    fc.assert(
      fc.property(words, words, words, (a, b, c) => {
        const distance = editDistance(a, b);
        expect(editDistance(b, a)).toBe(distance);
        expect(distance === 0).toBe(a === b);
        expect(distance).toBeLessThanOrEqual(editDistance(a, c) + editDistance(c, b));
        expect(distance).toBeLessThanOrEqual(Math.max(a.length, b.length));
        expect(distance).toBeGreaterThanOrEqual(Math.abs(a.length - b.length));
      }),
    );
  });

  it("are answered with the nearest name there is", () => {
    fc.assert(
      fc.property(words, fc.array(words, { minLength: 1, maxLength: 6 }), (word, known) => {
        const answer = nearest(word, known);
        const least = Math.min(...known.map((name) => editDistance(word, name)));
        if (answer !== undefined) {
          expect(known).toContain(answer);
          expect(editDistance(word, answer)).toBe(least);
        } else expect(least).toBeGreaterThan(2);
      }),
    );
  });
});

it("flags are the same as texts and as typed values, under both spellings of their names", () => {
  const schema = z.object({
    an_integer: z.number().int(),
    a_number: z.number(),
    a_switch: z.boolean(),
    a_choice: z.enum(["fused", "plain"]),
    some_widths: z.array(z.number().int()),
    a_text: z.string(),
    its_groups: z.array(z.string()).meta({ grouped: true }),
  });
  const values = fc.record({
    an_integer: fc.maxSafeInteger(),
    a_number: finite,
    a_switch: fc.boolean(),
    a_choice: fc.constantFrom("fused" as const, "plain" as const),
    some_widths: fc.array(fc.maxSafeInteger(), { maxLength: 5 }),
    a_text: fc.string({ unit: "grapheme" }),
    its_groups: fc.array(fc.string(), { maxLength: 3 }),
  });
  fc.assert(
    fc.property(values, (typed) => {
      const texts = Object.fromEntries(
        Object.entries(typed).map(([name, value]) => [
          name.replaceAll("_", "-"),
          Array.isArray(value) ? value.map(String) : String(value),
        ]),
      );
      expect(parseFlags(schema, typed)).toEqual(typed);
      // As text, -0 is 0.
      expect(parseFlags(schema, texts)).toEqual({ ...typed, a_number: typed.a_number || 0 });
      const joined = typed.some_widths.join(",");
      expect(parseFlags(schema, { ...typed, some_widths: joined }).some_widths).toEqual(
        typed.some_widths,
      );
    }),
  );
});

it("a metric is found by its name, wherever it is", () => {
  const names = fc.uniqueArray(fc.string({ maxLength: 5 }), { minLength: 1, maxLength: 9 });
  fc.assert(
    fc.property(names, fc.nat(), fc.nat(), (all, first, second) => {
      const [a, b] = [first % (all.length + 1), second % (all.length + 1)].sort((x, y) => x - y);
      const valuesOf = (part: readonly string[]) =>
        createMetricValues(part.map((name) => ({ name })));
      const metrics = {
        train: valuesOf(all.slice(0, a)),
        validation: valuesOf(all.slice(a, b)),
        extra: valuesOf(all.slice(b)),
      };
      for (const name of all) {
        const found = findMetric(metrics, name)!;
        expect(metrics[found.source].infos[found.index]).toEqual({ name });
        expect(found.group).toBe(metrics[found.source]);
      }
      expect(findMetric(metrics, "a name that none has")).toBeUndefined();
    }),
  );
});
