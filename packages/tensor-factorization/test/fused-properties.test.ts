import fc from "fast-check";
import ndarray from "ndarray";
import { describe, expect, test } from "vitest";
import { compileFused, type FusedStep } from "../src/engines/fused/fused-engine.ts";
import {
  cpSpec,
  createFactorization,
  type Factorization,
  type FactorizationSpec,
  fullTensor,
  groupRmsProp,
  hierarchicalSpec,
  type Loss,
  matricization,
  modeSizesOf,
  type Observations,
  type Optimizer,
  plainEngine,
  predict,
  sgd,
  singularValues,
} from "../src/index.ts";
import { runs } from "./arbitraries.ts";
import { expectClose } from "./closeness.ts";

/**
 * Fused kernels add in single precision, the readable engine in double: sums of up to a few hundred
 * float32 terms differ by some 1e-6 of their largest term.
 */
const tolerance = 1e-5;

/** Targets and parameters are of size one: a residual that vanishes is rounding of numbers of that size. */
const termSize = 0.05;

/** Small deterministic numbers for a case; a shrunk counterexample stays the same. */
function numbers(count: number, seed: number, scale = 1): Float32Array {
  const values = new Float32Array(count);
  let state = seed >>> 0;
  for (let i = 0; i < count; i++) {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    values[i] = scale * (state / 2 ** 31 - 1);
  }
  return values;
}

const size = fc.integer({ min: 1, max: 5 });

const matrix: fc.Arbitrary<FactorizationSpec> = fc
  .array(fc.integer({ min: 1, max: 9 }), { minLength: 2, maxLength: 5 })
  .map((sizes) => ({ kind: "mf", sizes }));

const cp: fc.Arbitrary<FactorizationSpec> = fc.record({
  kind: fc.constant("cp" as const),
  modeSizes: fc.array(size, { minLength: 2, maxLength: 5 }),
  components: fc.integer({ min: 1, max: 9 }),
  outputWeights: fc.boolean(),
});

const hierarchical: fc.Arbitrary<FactorizationSpec> = fc
  .record({
    modeSizes: fc.array(fc.integer({ min: 1, max: 4 }), { minLength: 2, maxLength: 6 }),
    poolSize: fc.constantFrom(2, 3, 4),
    width: fc.integer({ min: 1, max: 7 }),
    poolPattern: fc.constantFrom("checkerboard" as const, "half" as const),
    outputWeights: fc.boolean(),
  })
  .map(({ width, ...options }) => {
    const layers = Math.ceil(
      Math.log(options.modeSizes.length) / Math.log(options.poolSize) - 1e-9,
    );
    const widths = Array.from({ length: layers }, (_, l) => width + l);
    return hierarchicalSpec({ ...options, widths });
  });

const anySpec = fc.oneof(matrix, cp, hierarchical);
const anyLoss: fc.Arbitrary<Loss> = fc.constantFrom(
  { kind: "l2" },
  { kind: "l1" },
  { kind: "huber", threshold: 0.3 },
);
const anyOptimizer: fc.Arbitrary<Optimizer> = fc.constantFrom(
  groupRmsProp(),
  groupRmsProp({ lr: 0.003, weightDecay: 0.1 }),
  // Small enough that no case diverges: then rounding would be blown up as well.
  sgd({ lr: 1e-4 }),
  sgd({ lr: 1e-4, momentum: 0.9, weightDecay: 0.01 }),
);

interface Problem {
  readonly factorization: Factorization;
  readonly observations: Observations;
  readonly seed: number;
}

function problem(
  spec: FactorizationSpec,
  task: "completion" | "sensing",
  samples: number,
  distinct: boolean,
  seed: number,
): Problem {
  const factorization = createFactorization(spec);
  factorization.values.set(numbers(factorization.values.length, seed, 0.8));
  const sizes = modeSizesOf(spec);
  const entries = sizes.reduce((a, b) => a * b, 1);
  const targets = (count: number): Float32Array => numbers(count, seed + 1);
  if (task === "sensing") {
    const perSample = spec.kind === "mf" ? entries : sizes.length * Math.max(...sizes);
    const inputs = numbers(samples * perSample, seed + 2);
    return {
      factorization,
      seed,
      observations: { task, inputs, targets: targets(samples), samples },
    };
  }
  // Steps of a number that has no factor in common with the number of entries never meet early.
  const count = distinct ? Math.min(samples, entries) : samples;
  let stride = 1 + (seed % entries);
  while (greatestCommonDivisor(stride, entries) !== 1) stride += 1;
  const positions = Array.from({ length: count }, (_, s) => (s * stride) % entries);
  const indices = Int32Array.from(positions.flatMap((position) => tuple(position, sizes)));
  return {
    factorization,
    seed,
    observations: { task, indices, targets: targets(count), samples: count },
  };
}

function greatestCommonDivisor(a: number, b: number): number {
  return b === 0 ? a : greatestCommonDivisor(b, a % b);
}

function tuple(position: number, sizes: readonly number[]): number[] {
  let rest = position;
  return sizes
    .toReversed()
    .map((length) => {
      const index = rest % length;
      rest = Math.floor(rest / length);
      return index;
    })
    .reverse();
}

const anyProblem = fc
  .record({
    spec: anySpec,
    task: fc.constantFrom("completion" as const, "sensing" as const),
    samples: fc.integer({ min: 1, max: 40 }),
    distinct: fc.boolean(),
    seed: fc.integer({ min: 1, max: 1e6 }),
  })
  .map(({ spec, task, samples, distinct, seed }) => problem(spec, task, samples, distinct, seed));

/** Compiles the `rank`-th cheapest plan, so that every one of them is tested. */
function compileRanked(
  { factorization, observations }: Problem,
  loss: Loss,
  optimizer: Optimizer,
  rank: number,
): Promise<FusedStep> {
  return compileFused(factorization, observations, loss, optimizer, {
    choose: (plans) => plans[rank % plans.length],
  });
}

async function compilePlain(
  { factorization, observations }: Problem,
  loss: Loss,
  optimizer: Optimizer,
): ReturnType<typeof plainEngine.compile> {
  const copy = createFactorization(factorization.spec, factorization.values.slice());
  return plainEngine.compile(copy, observations, loss, optimizer);
}

/** Whether rounding cannot flip the sign that the l1 gradient jumps by: no residual is nearly zero. */
function isSmooth({ factorization, observations }: Problem, loss: Loss): boolean {
  if (loss.kind !== "l1") return true;
  const predictions = predictAll(factorization, observations);
  // Five steps of at most 1e-4 move a prediction by less.
  return observations.targets.every((target, s) => Math.abs(predictions[s] - target) > 0.02);
}

function predictAll(factorization: Factorization, observations: Observations): Float64Array {
  const { spec } = factorization;
  const sizes = modeSizesOf(spec);
  const { samples } = observations;
  const encoding = spec.kind === "mf" ? sizes : [sizes.length, Math.max(...sizes)];
  return observations.task === "completion"
    ? predict(factorization, ndarray(observations.indices, [samples, sizes.length])).data
    : predict(factorization, ndarray(observations.inputs, [samples, ...encoding])).data;
}

const rank = fc.integer({ min: 0, max: 40 });

describe("the fused engine equals the readable one", () => {
  test("gradient and statistics, for every plan, loss, task and shape", async () => {
    await fc.assert(
      fc.asyncProperty(anyProblem, anyLoss, rank, async (drawn, loss, planRank) => {
        fc.pre(isSmooth(drawn, loss));
        const fused = await compileRanked(drawn, loss, sgd({ lr: 0 }), planRank);
        const plain = await compilePlain(drawn, loss, sgd({ lr: 0 }));
        expectClose(fused.gradient(), plain.gradient(), tolerance, termSize);
        expectClose(Object.values(fused.step()), Object.values(plain.step()), tolerance, termSize);
        fused.dispose();
      }),
      runs(300),
    );
  });

  test("parameters after five steps of every optimizer", async () => {
    await fc.assert(
      fc.asyncProperty(anyProblem, anyOptimizer, rank, async (drawn, optimizer, planRank) => {
        const fused = await compileRanked(drawn, { kind: "l2" }, optimizer, planRank);
        const plain = await compilePlain(drawn, { kind: "l2" }, optimizer);
        for (let i = 0; i < 5; i++) {
          fused.step();
          plain.step();
        }
        expectClose(fused.factorization.values, plain.factorization.values, tolerance);
        fused.dispose();
      }),
      runs(150),
    );
  });

  test("minibatches in turn with full batches", async () => {
    await fc.assert(
      fc.asyncProperty(anyProblem, anyLoss, rank, async (drawn, loss, planRank) => {
        fc.pre(isSmooth(drawn, loss));
        const { samples } = drawn.observations;
        const fused = await compileRanked(drawn, loss, sgd({ lr: 1e-4 }), planRank);
        const plain = await compilePlain(drawn, loss, sgd({ lr: 1e-4 }));
        const size = 1 + (drawn.seed % samples);
        for (const start of [0, 3, undefined, 7, 1]) {
          const batch =
            start === undefined
              ? undefined
              : Int32Array.from({ length: size }, (_, b) => (start + b) % samples);
          expectClose(fused.gradient(batch), plain.gradient(batch), tolerance, termSize);
          fused.step(batch);
          plain.step(batch);
        }
        fused.dispose();
      }),
      runs(150),
    );
  });

  describe("of many modes", () => {
    const specs: Readonly<Record<string, FactorizationSpec>> = {
      "order 8 in pairs": hierarchicalSpec({
        modeSizes: [2, 3, 2, 2, 3, 2, 2, 2],
        widths: [3, 4, 5],
        poolSize: 2,
      }),
      "order 9 in threes": hierarchicalSpec({
        modeSizes: [2, 2, 2, 3, 2, 2, 2, 2, 2],
        widths: [4, 3],
        poolSize: 3,
      }),
      "square patches": hierarchicalSpec({
        modeSizes: [2, 2, 2, 2, 2, 2, 2, 2, 2],
        widths: [3, 4],
        poolSize: 4,
        poolPattern: "checkerboard_sq",
      }),
      "more children of one node than a kernel multiplies at once": hierarchicalSpec({
        modeSizes: Array.from({ length: 19 }, () => 2),
        widths: [3],
        poolSize: 19,
      }),
      "CP of order 12": cpSpec({ modeSizes: [2, 1, 2, 3, 2, 1, 2, 2, 2, 1, 2, 2], components: 5 }),
    };
    test.each(Object.entries(specs))("%s", async (_name, spec) => {
      for (const task of ["completion", "sensing"] as const)
        for (let planRank = 0; planRank < runs(6).numRuns; planRank++) {
          const drawn = problem(spec, task, 100, true, 77);
          const fused = await compileRanked(drawn, { kind: "l2" }, sgd(), planRank);
          const plain = await compilePlain(drawn, { kind: "l2" }, sgd());
          expectClose(fused.gradient(), plain.gradient(), tolerance, termSize);
          fused.dispose();
        }
    });
  });
});

describe("evaluation", () => {
  test("full tensor and predictions, with and without the full tensor", async () => {
    await fc.assert(
      fc.asyncProperty(anyProblem, fc.boolean(), async (drawn, small) => {
        const { factorization, observations } = drawn;
        const fused = await compileFused(factorization, observations, { kind: "l2" }, sgd(), {
          validation: observations,
          ...(small && { maxGridEntries: 1 }),
        });
        fused.step();
        const evaluation = fused.evaluation!;
        evaluation.run();
        const trained = createFactorization(factorization.spec, fused.factorization.values.slice());
        expectClose(
          evaluation.predictions(),
          predictAll(trained, observations),
          tolerance,
          termSize,
        );
        if (evaluation.hasTensor)
          expectClose(evaluation.tensor()!, fullTensor(trained).data, tolerance, termSize);
        fused.dispose();
      }),
      runs(100),
    );
  });

  const trees: Readonly<Record<string, FactorizationSpec>> = {
    CP: cpSpec({ modeSizes: [3, 2, 4], components: 3 }),
    "unequal modes in threes": hierarchicalSpec({
      modeSizes: [2, 3, 2, 2, 4],
      widths: [3, 4],
      poolSize: 3,
    }),
    "five modes at one node": hierarchicalSpec({
      modeSizes: [2, 3, 2, 2, 2],
      widths: [3],
      poolSize: 5,
    }),
  };
  // Without the full tensor, samples are evaluated in chunks of 2,048.
  test.each(Object.entries(trees))(
    "in chunks, the last of them ragged: %s",
    async (_name, spec) => {
      for (const task of ["completion", "sensing"] as const)
        for (const samples of [7, 5000]) {
          const { factorization, observations } = problem(spec, task, samples, false, 3);
          const fused = await compileFused(factorization, observations, { kind: "l2" }, sgd(), {
            validation: observations,
            maxGridEntries: 1,
          });
          const evaluation = fused.evaluation!;
          evaluation.run();
          expect(evaluation.tensor()).toBeUndefined();
          const expected = predictAll(factorization, observations);
          expectClose(evaluation.predictions(), expected, tolerance, termSize);
          fused.dispose();
        }
    },
  );

  test("of one matrix alone, by every plan", async () => {
    const spec: FactorizationSpec = { kind: "mf", sizes: [5, 4] };
    for (const task of ["completion", "sensing"] as const)
      for (let planRank = 0; planRank < 4; planRank++) {
        const drawn = problem(spec, task, 12, true, 9);
        const { factorization, observations } = drawn;
        const fused = await compileFused(factorization, observations, { kind: "l2" }, sgd(), {
          validation: observations,
          choose: (plans) => plans[planRank % plans.length],
        });
        const plain = await compilePlain(drawn, { kind: "l2" }, sgd());
        expectClose(fused.gradient(), plain.gradient(), tolerance, termSize);
        fused.evaluation!.run();
        expectClose(fused.evaluation!.tensor()!, factorization.values, tolerance);
        fused.dispose();
      }
  });

  test("singular values of every matricization", async () => {
    const spec = hierarchicalSpec({ modeSizes: [3, 4, 2, 5], widths: [6, 5] });
    const drawn = problem(spec, "completion", 60, true, 5);
    const { factorization, observations } = drawn;
    const fused = await compileFused(factorization, observations, { kind: "l2" }, sgd(), {
      validation: observations,
    });
    fused.evaluation!.run();
    for (const modes of [[0], [1, 2], [3], [0, 2, 3]])
      expectClose(
        fused
          .evaluation!.spectrum(spec.modeSizes, modes)
          .singularValues(fused.evaluation!.tensor()!),
        singularValues(matricization(fullTensor(factorization), modes)),
        tolerance,
      );
    fused.dispose();
  });
});

test("threads: the same numbers as one thread, the same bits every time", async () => {
  const spec = hierarchicalSpec({ modeSizes: [9, 7, 8, 5], widths: [33, 20] });
  const optimizer = groupRmsProp();
  for (const task of ["completion", "sensing"] as const) {
    const drawn = problem(spec, task, 300, true, 11);
    const train = async (threads: number): Promise<Float32Array> => {
      const { factorization, observations } = drawn;
      const copy = createFactorization(spec, factorization.values.slice());
      const step = await compileFused(copy, observations, { kind: "l2" }, optimizer, { threads });
      for (let i = 0; i < 10; i++) step.step();
      const values = Float32Array.from(step.factorization.values);
      step.dispose();
      return values;
    };
    const [one, two, again] = [await train(1), await train(2), await train(2)];
    expect(again).toEqual(two);
    expectClose(two, one, tolerance);
  }
});

test("dispose copies the trained parameters back to the factorization that was given", async () => {
  const { factorization, observations } = problem(
    hierarchicalSpec({ modeSizes: [3, 4, 2], widths: [3, 4] }),
    "completion",
    12,
    true,
    3,
  );
  const before = factorization.values.slice();
  const step = await compileFused(factorization, observations, { kind: "l2" }, groupRmsProp());
  step.step();
  const trained = step.factorization.values.slice();
  expect(factorization.values).toEqual(before);
  step.dispose();
  expect(factorization.values).toEqual(trained);
  expect(trained).not.toEqual(before);
});

test("the optimizer's state goes on in another step with the same bits", async () => {
  await fc.assert(
    fc.asyncProperty(anyProblem, anyOptimizer, async (drawn, optimizer) => {
      const whole = await compileRanked(drawn, { kind: "l2" }, optimizer, 0);
      for (let i = 0; i < 3; i++) whole.step();
      const saved = {
        values: Float32Array.from(whole.factorization.values),
        state: whole.optimizerState(),
      };
      for (let i = 0; i < 3; i++) whole.step();
      const resumed = await compileRanked(drawn, { kind: "l2" }, optimizer, 0);
      resumed.factorization.values.set(saved.values);
      resumed.restoreOptimizerState(saved.state);
      for (let i = 0; i < 3; i++) resumed.step();
      expect(resumed.factorization.values).toEqual(whole.factorization.values);
      whole.dispose();
      resumed.dispose();
    }),
    runs(40),
  );
});
