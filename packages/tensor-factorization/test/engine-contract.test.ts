import { beforeAll, describe, expect, test } from "vitest";
import { compileFused, fusedEngine } from "../src/engines/fused/fused-engine.ts";
import {
  cpSpec,
  createFactorization,
  type Engine,
  type Factorization,
  FactorizationError,
  groupRmsProp,
  hierarchicalSpec,
  matrixSpec,
  type Observations,
  type Optimizer,
  plainEngine,
  sgd,
} from "../src/index.ts";
import { tfjsEngine } from "../src/tfjs.ts";
import { randomFactorization, randomObservations } from "./arbitraries.ts";
import { expectClose } from "./closeness.ts";
import { useCpuBackend } from "./cpu-backend.ts";

beforeAll(useCpuBackend);

const l2 = { kind: "l2" } as const;
const spec = cpSpec({ modeSizes: [3, 4], components: 2 });
const observations = randomObservations(spec, "completion", 6, 1);

const engines: readonly [string, Engine][] = [
  ["plain", plainEngine],
  ["fused", fusedEngine],
  ["tfjs", tfjsEngine],
];

describe.each(engines)("the %s engine", (name, engine) => {
  const compile = (
    changed: Partial<Observations> = {},
    optimizer: Optimizer = sgd(),
    factorization: Factorization = randomFactorization(spec, 2, "single"),
  ): ReturnType<Engine["compile"]> =>
    engine.compile(factorization, { ...observations, ...changed } as Observations, l2, optimizer);

  test("says its name", () => {
    expect(engine.name).toBe(name);
  });

  const remedy = "check that the data set fits the factorization";
  test.each<[string, Partial<Observations>, string]>([
    ["no samples", { samples: 0 }, "samples: 0 given; give at least one"],
    ["half a sample", { samples: 1.5 }, "samples: 1.5 given; give at least one"],
    [
      "a target too few",
      { targets: new Float32Array(5) },
      `targets: 5 values given where 6 are needed; ${remedy}`,
    ],
    [
      "indices of another order",
      { indices: new Int32Array(18) },
      `indices: 18 values given where 12 are needed; ${remedy}`,
    ],
    [
      "sensing matrices of another size",
      { task: "sensing", inputs: new Float32Array(47) },
      `inputs: 47 values given where 48 are needed; ${remedy}`,
    ],
    [
      "an index as large as its mode",
      { indices: Int32Array.of(0, 0, 2, 3, 0, 4, 0, 0, 0, 0, 0, 0) },
      "indices: sample 2 has index 4 at mode 1, which has size 4; check that the data set is of this size",
    ],
    [
      "a negative index",
      { indices: Int32Array.of(0, 0, -1, 3, 0, 0, 0, 0, 0, 0, 0, 0) },
      "indices: sample 1 has index -1 at mode 0, which has size 3; check that the data set is of this size",
    ],
  ])("refuses %s", async (_what, changed, message) => {
    await expect(compile(changed)).rejects.toThrow(new FactorizationError(message));
  });

  test("refuses batches of no sample, and of more than there are", async () => {
    const training = await compile();
    const message = (size: number): string =>
      name === "fused"
        ? `batch: ${size} samples where 1 to 6 are possible; compile the step with a batchSize of ${size}`
        : `--batch_size: a batch of ${size} samples given where 1 … 6 are possible`;
    for (const size of [0, 7])
      for (const use of [training.step, training.gradient])
        expect(() => use(new Int32Array(size))).toThrow(new FactorizationError(message(size)));
    training.dispose();
  });

  test("steps and gradients see the parameters before the update, which steps alone make", async () => {
    const training = await compile({}, sgd({ lr: 0.1 }));
    const { values } = training.factorization;
    const start = values.slice();
    const gradient = training.gradient().slice();
    expect(values).toEqual(start);
    const { loss, meanSquaredError } = training.step();
    expect(meanSquaredError).toBe(loss);
    expectClose(
      values,
      start.map((value, i) => value - 0.1 * gradient[i]),
      1e-6,
    );
    training.dispose();
  });

  test.each([
    groupRmsProp({ lr: 0.02, weightDecay: 0.1 }),
    sgd({ lr: 0.02, momentum: 0.9, weightDecay: 0.1 }),
  ])("carries the same state as the readable engine: %j", async (optimizer) => {
    const training = await compile({}, optimizer);
    const readable = await plainEngine.compile(
      randomFactorization(spec, 2, "single"),
      observations,
      l2,
      optimizer,
    );
    for (let i = 0; i < 3; i++) {
      training.step();
      readable.step();
    }
    const numbersOf = (state: ReturnType<typeof training.optimizerState>): ArrayLike<number> =>
      "squareAvg" in state ? [state.squareAvg] : state.velocity;
    const state = training.optimizerState();
    expect(state.step).toBe(3);
    expect(Object.keys(state)).toEqual(Object.keys(readable.optimizerState()));
    expectClose(numbersOf(state), numbersOf(readable.optimizerState()), 1e-5);
    const copy = structuredClone(state);
    training.step();
    expect(state).toEqual(copy);
    training.dispose();
  });

  test("refuses states of another optimizer, and of another size", async () => {
    const [momentum, norm] = [await compile({}, sgd()), await compile({}, groupRmsProp())];
    const other = await compile(
      { indices: new Int32Array(12) },
      sgd(),
      createFactorization(cpSpec({ modeSizes: [3, 4], components: 3 })),
    );
    const remedy = name === "fused" ? "restore it with the" : "resume with the optimizer";
    for (const [training, state] of [
      [momentum, norm.optimizerState()],
      [norm, momentum.optimizerState()],
    ] as const) {
      const kind = training === momentum ? "sgd" : "grouprmsprop";
      expect(() => {
        training.restoreOptimizerState(state);
      }).toThrow(expect.objectContaining({ name: "FactorizationError" }) as Error);
      expect(() => {
        training.restoreOptimizerState(state);
      }).toThrow(new RegExp(`not (one )?of ${kind}; ${remedy}`));
    }
    expect(() => {
      momentum.restoreOptimizerState(other.optimizerState());
    }).toThrow(/^optimizer state: velocity has 21 values (for|where) 14 (parameters|are needed)/);
    for (const training of [momentum, norm, other]) training.dispose();
  });
});

test("double precision is for the readable engine alone", async () => {
  const double = randomFactorization(spec, 2, "double");
  await expect(plainEngine.compile(double, observations, l2, sgd())).resolves.toBeDefined();
  await expect(fusedEngine.compile(double, observations, l2, sgd())).rejects.toThrow(
    new FactorizationError(
      "parameters: the fused engine trains in single precision; give a Float32Array, or use the plain engine",
    ),
  );
  await expect(tfjsEngine.compile(double, observations, l2, sgd())).rejects.toThrow(
    new FactorizationError(
      "--engine: tfjs computes in float32 only; use the plain engine for float64 parameters",
    ),
  );
});

describe("a fused step", () => {
  test("refuses samples that are not there or come twice, and takes the next batch all the same", async () => {
    const step = await compileFused(
      randomFactorization(spec, 2, "single"),
      observations,
      l2,
      sgd({ lr: 0 }),
      { batchSize: 3 },
    );
    const message = (problem: string): Error =>
      new FactorizationError(`batch: sample ${problem}; give each sample number at most once`);
    expect(() => step.step(Int32Array.of(0, 6, 1))).toThrow(message("6 is not one of 6"));
    expect(() => step.step(Int32Array.of(0, -1))).toThrow(message("-1 is not one of 6"));
    expect(() => step.step(Int32Array.of(4, 2, 4))).toThrow(message("4 is given twice"));
    expect(() => step.step()).toThrow(/6 samples where 1 to 3 are possible/);
    const first = { ...step.step(Int32Array.of(4, 2)) };
    expect(step.step(Int32Array.of(2, 4))).toEqual(first);
    step.dispose();
  });

  test("is described in a line: its form, the order of contraction, its cost", async () => {
    const describe = async (
      of: Parameters<typeof randomFactorization>[0],
      task: Observations["task"],
      samples: number,
    ): Promise<string> => {
      const factorization = randomFactorization(of, 1, "single");
      const given = randomObservations(of, task, samples, 1);
      const step = await compileFused(factorization, given, l2, sgd());
      step.dispose();
      return step.description;
    };
    const matrix = matrixSpec({ rows: 40, cols: 30, depth: 3 });
    expect(await describe(matrix, "sensing", 50)).toMatch(
      /^\w+, \(\(?W1 \(?W2\)? W3\)\)?, [\d.]+ million multiply-adds a step$/,
    );
    const tree = hierarchicalSpec({ modeSizes: [3, 4, 5], widths: [4, 4] });
    expect(await describe(tree, "sensing", 50)).toMatch(
      /^\w+, (all index combinations|one row a sample), root \{[\d, ]+\} × \{[\d, ]+\}(, right side through the left matrix)?(, full tensor measured)?, [\d.e-]+ million multiply-adds a step$/,
    );
    expect(await describe(tree, "completion", 2)).toMatch(
      /^gather, (observed|all) index combinations, root /,
    );
  });

  test("names its kernels, and needs no more notices than the machine gives reason for", async () => {
    const step = await compileFused(
      randomFactorization(spec, 2, "single"),
      observations,
      l2,
      sgd(),
      { variant: "plain" },
    );
    expect(step.backend).toBe("simd-plain");
    expect(step.evaluation).toBeUndefined();
    expect(step.bytes).toBeGreaterThan(4 * 2 * step.factorization.values.length);
    for (const notice of step.notices) expect(notice).not.toContain("\n");
    step.dispose();
  });
});
