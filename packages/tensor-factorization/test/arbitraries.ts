import { createRandom } from "@implicit-rank/random";
import fc from "fast-check";
import {
  cpSpec,
  createFactorization,
  type Factorization,
  type FactorizationSpec,
  hierarchicalSpec,
  inputSize,
  type Loss,
  modeSizesOf,
  type Observations,
  poolPatterns,
} from "../src/index.ts";

/** How many cases a property draws: a share of them while each of thousands of mutants is tested. */
export function runs(count: number): { readonly numRuns: number } {
  return { numRuns: Math.ceil(count * Number(process.env["PROPERTY_RUNS_SHARE"] ?? 1)) };
}

// The same cases in every run: a failure here is a defect, never chance.
fc.configureGlobal({ seed: 20220131, ...runs(60) });

const size = fc.integer({ min: 1, max: 4 });

const matrixSpecs: fc.Arbitrary<FactorizationSpec> = fc
  .array(size, { minLength: 2, maxLength: 5 })
  .map((sizes) => ({ kind: "mf", sizes }));

const cpSpecs: fc.Arbitrary<FactorizationSpec> = fc
  .record({
    modeSizes: fc.array(size, { minLength: 2, maxLength: 4 }),
    components: fc.integer({ min: 1, max: 5 }),
    outputWeights: fc.boolean(),
  })
  .map((options) => cpSpec(options));

/** Any order, unequal modes, any pool size at each layer (1 merges nothing), ragged remainders. */
export const hierarchicalSpecs = fc
  .record({
    modeSizes: fc.array(fc.integer({ min: 1, max: 3 }), { minLength: 2, maxLength: 7 }),
    pools: fc.array(fc.constantFrom(1, 2, 2, 3, 4), { minLength: 4, maxLength: 4 }),
    widthChoices: fc.array(size, { minLength: 12, maxLength: 12 }),
    poolPattern: fc.constantFrom(...poolPatterns),
    outputWeights: fc.boolean(),
  })
  .map(({ modeSizes, pools, widthChoices, poolPattern, outputWeights }) => {
    const squares = poolPattern === "checkerboard_sq";
    const poolSize: number[] = [];
    for (let nodes = modeSizes.length, l = 0; nodes > 1; l++) {
      const drawn = pools[l] ?? 2;
      const pool = squares ? (drawn === 1 ? 1 : 4) : drawn;
      poolSize.push(pool);
      nodes = Math.ceil(nodes / pool);
    }
    const widths = widthChoices.slice(0, poolSize.length);
    return hierarchicalSpec({ modeSizes, widths, poolSize, poolPattern, outputWeights });
  });

export const specs: fc.Arbitrary<FactorizationSpec> = fc.oneof(matrixSpecs, cpSpecs, {
  arbitrary: hierarchicalSpecs,
  weight: 3,
});

export const losses: fc.Arbitrary<Loss> = fc.constantFrom<Loss>(
  { kind: "l2" },
  { kind: "l1" },
  { kind: "huber", threshold: 0.7 },
);

export const seeds = fc.integer({ min: 0, max: 2 ** 31 });

/** Parameters of order one, so that no product of them vanishes. */
export function randomFactorization(
  spec: FactorizationSpec,
  seed: number,
  precision: "single" | "double" = "double",
): Factorization {
  const empty = createFactorization(spec);
  const values = precision === "single" ? empty.values : new Float64Array(empty.values.length);
  createRandom(seed).fillNormal(values, 0, 0.8);
  return createFactorization(spec, values);
}

/** Index tuples with repetitions. */
export function randomIndices(spec: FactorizationSpec, samples: number, seed: number): Int32Array {
  const random = createRandom(seed).fork("indices");
  const modeSizes = modeSizesOf(spec);
  return Int32Array.from({ length: samples * modeSizes.length }, (_, i) =>
    random.int(modeSizes[i % modeSizes.length]),
  );
}

export function randomInputs(spec: FactorizationSpec, samples: number, seed: number): Float32Array {
  const inputs = new Float32Array(samples * inputSize(spec));
  createRandom(seed).fork("inputs").fillNormal(inputs, 0, 0.8);
  return inputs;
}

export function randomObservations(
  spec: FactorizationSpec,
  task: Observations["task"],
  samples: number,
  seed: number,
): Observations {
  const targets = new Float32Array(samples);
  createRandom(seed).fork("targets").fillNormal(targets, 0, 1);
  return task === "completion"
    ? { task, indices: randomIndices(spec, samples, seed), targets, samples }
    : { task, inputs: randomInputs(spec, samples, seed), targets, samples };
}

export const problems = fc
  .record({
    spec: specs,
    loss: losses,
    task: fc.constantFrom<Observations["task"]>("completion", "sensing"),
    samples: fc.integer({ min: 1, max: 9 }),
    seed: seeds,
  })
  .map(({ spec, loss, task, samples, seed }) => ({
    spec,
    loss,
    seed,
    observations: randomObservations(spec, task, samples, seed),
  }));

/** A random factorization, and the same with all parameters multiplied by c. */
export function scaledPair(
  spec: FactorizationSpec,
  seed: number,
  c: number,
): { readonly factorization: Factorization; readonly scaled: Factorization } {
  const factorization = randomFactorization(spec, seed);
  const values = factorization.values.map((value) => c * value);
  return { factorization, scaled: createFactorization(spec, values) };
}
