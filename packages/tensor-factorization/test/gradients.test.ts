import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import {
  createFactorization,
  type Factorization,
  groupRmsProp,
  type Loss,
  type Observations,
  plainEngine,
  sampleLoss,
  sgd,
  type TrainingStep,
} from "../src/index.ts";
import { forward, tfjsEngine } from "../src/tfjs.ts";
import { losses, problems, randomFactorization, randomObservations } from "./arbitraries.ts";
import { expectClose } from "./closeness.ts";
import { useCpuBackend } from "./cpu-backend.ts";
import { denseInputs, valueByDefinition } from "./definition.ts";

beforeAll(useCpuBackend);

function compile(
  factorization: Factorization,
  observations: Observations,
  loss: Loss,
): Promise<TrainingStep> {
  return plainEngine.compile(factorization, observations, loss, sgd());
}

function meanLoss(factorization: Factorization, observations: Observations, loss: Loss): number {
  const values = denseInputs(factorization, observations).map((input) =>
    valueByDefinition(factorization, input),
  );
  const total = values.reduce(
    (sum, value, s) => sum + sampleLoss(loss, value - observations.targets[s]),
    0,
  );
  return total / observations.samples;
}

describe("the gradient", () => {
  test("is the central difference of the loss by definition", async () => {
    await fc.assert(
      fc.asyncProperty(problems, async ({ spec, loss, observations, seed }) => {
        const factorization = randomFactorization(spec, seed);
        const { values } = factorization;
        const gradient = (await compile(factorization, observations, loss)).gradient();
        // Truncation is of order h², rounding of order 1e-16 / h.
        const h = 1e-5;
        const differences = Array.from(values, (value, i) => {
          values[i] = value + h;
          const above = meanLoss(factorization, observations, loss);
          values[i] = value - h;
          const below = meanLoss(factorization, observations, loss);
          values[i] = value;
          return (above - below) / (2 * h);
        });
        const scale = Math.max(1, meanLoss(factorization, observations, loss));
        expectClose([...gradient, scale], [...differences, scale], 1e-6);
      }),
    );
  }, 30_000);

  test("is that of tfjs autodiff, and so are the statistics", async () => {
    await fc.assert(
      fc.asyncProperty(problems, async ({ spec, loss, observations, seed }) => {
        const factorization = randomFactorization(spec, seed, "single");
        const ours = await compile(factorization, observations, loss);
        const theirs = await tfjsEngine.compile(factorization, observations, loss, sgd());
        // Theirs adds up in float32; terms that cancel leave errors relative to the terms.
        expectClose(ours.gradient(), theirs.gradient(), 2e-5);
        const other = createFactorization(spec, factorization.values.slice());
        const again = await tfjsEngine.compile(other, observations, loss, sgd());
        const a = { ...ours.step() };
        const b = again.step();
        expectClose(Object.values(a), Object.values(b), 2e-5);
        theirs.dispose();
        again.dispose();
      }),
    );
  });

  test("of the whole is the mean of those of minibatches that make it up", async () => {
    await fc.assert(
      fc.asyncProperty(problems, fc.nat(), async ({ spec, loss, observations, seed }, at) => {
        const factorization = randomFactorization(spec, seed);
        const training = await compile(factorization, observations, loss);
        const whole = training.gradient().slice();
        const { samples } = observations;
        const cut = 1 + (at % samples);
        const sum = new Float64Array(whole.length);
        for (const [start, end] of [
          [0, cut],
          [cut, samples],
        ]) {
          if (start === end) continue;
          const batch = Int32Array.from({ length: end - start }, (_, i) => end - 1 - i);
          training
            .gradient(batch)
            .forEach((value, i) => (sum[i] += (value * batch.length) / samples));
        }
        expectClose(sum, whole, 1e-12);
        expectClose(training.gradient(), whole, 0);
      }),
    );
  });

  test("does not depend on the order of the samples", async () => {
    await fc.assert(
      fc.asyncProperty(problems, async ({ spec, loss, observations, seed }) => {
        const { samples } = observations;
        const training = await compile(randomFactorization(spec, seed), observations, loss);
        const forwards = training.gradient().slice();
        const reversed = Int32Array.from({ length: samples }, (_, i) => samples - 1 - i);
        expectClose(training.gradient(reversed), forwards, 1e-12);
      }),
    );
  });
});

test("tfjs forward can be differentiated twice", () => {
  const spec = { kind: "cp", modeSizes: [2, 3], components: 2, outputWeights: true } as const;
  const { layout, values } = randomFactorization(spec, 3, "single");
  const inputs = tf.tensor2d([0, 1, 1, 2], [2, 2], "int32");
  const matrices = layout.map(({ rows, cols, offset }) =>
    tf.tensor2d(Array.from(values.slice(offset, offset + rows * cols)), [rows, cols]),
  );
  const gradientNorm = (first: tf.Tensor): tf.Scalar => {
    const value = (x: tf.Tensor): tf.Tensor =>
      tf.sum(forward(spec, [x, ...matrices.slice(1)], inputs));
    return tf.sum(tf.mul(tf.grad(value)(first), first));
  };
  // The value is linear in each factor, so ⟨∇f(F), F⟩ = f(F) and its gradient is ∇f.
  const twice = tf.grad(gradientNorm)(matrices[0]).dataSync();
  const once = tf
    .grad((x) => tf.sum(forward(spec, [x, ...matrices.slice(1)], inputs)))(matrices[0])
    .dataSync();
  expectClose(twice, once, 1e-6);
});

describe("the plain engine", () => {
  const spec = { kind: "mf", sizes: [3, 2, 3] } as const;

  test("computes the loss and statistics of the predictions", async () => {
    await fc.assert(
      fc.asyncProperty(problems, losses, async ({ spec: drawn, observations, seed }, loss) => {
        const factorization = randomFactorization(drawn, seed);
        const expected = denseInputs(factorization, observations).map((input) =>
          valueByDefinition(factorization, input),
        );
        const sizes = expected.map(Math.abs);
        const result = (await compile(factorization, observations, loss)).step();
        const before = randomFactorization(drawn, seed);
        expectClose(
          [result.loss, result.meanSquaredError],
          [meanLoss(before, observations, loss), meanLoss(before, observations, { kind: "l2" })],
          1e-11,
        );
        expectClose(
          [result.predictionAbsMean, result.predictionAbsMax],
          [sizes.reduce((a, b) => a + b) / sizes.length, Math.max(...sizes)],
          1e-11,
        );
      }),
    );
  });

  test("a batch of all samples in order is a full step", async () => {
    const observations = randomObservations(spec, "completion", 6, 7);
    const [a, b] = await Promise.all(
      [0, 1].map(() =>
        plainEngine.compile(
          randomFactorization(spec, 7),
          observations,
          { kind: "l2" },
          groupRmsProp(),
        ),
      ),
    );
    a.step();
    b.step(Int32Array.of(0, 1, 2, 3, 4, 5));
    expect(b.factorization.values).toEqual(a.factorization.values);
  });

  test("the same index tuple observed twice counts twice", async () => {
    const once = { indices: Int32Array.of(0, 0, 2, 1), targets: Float32Array.of(1, 2), samples: 2 };
    const twice = {
      indices: Int32Array.of(0, 0, 2, 1, 0, 0),
      targets: Float32Array.of(1, 2, 1),
      samples: 3,
    };
    const factorization = randomFactorization(spec, 7);
    const loss: Loss = { kind: "l2" };
    const a = await compile(factorization, { task: "completion", ...once }, loss);
    const b = await compile(factorization, { task: "completion", ...twice }, loss);
    const first = a.gradient(Int32Array.of(0)).slice();
    const second = a.gradient(Int32Array.of(1)).slice();
    expectClose(
      b.gradient(),
      first.map((value, i) => (2 * value + second[i]) / 3),
      1e-12,
    );
  });

  test.each([
    ["targets", { targets: new Float32Array(1) }, /targets: 1 values given where 2/],
    ["indices", { indices: new Int32Array(5) }, /indices: 5 values given where 4/],
    ["range", { indices: Int32Array.of(0, 0, 3, 0) }, /sample 1 has index 3 at mode 0/],
    ["no samples", { samples: 0 }, /samples: 0 given/],
  ])("observations that do not fit are refused: %s", async (_, wrong, message) => {
    const observations = {
      task: "completion" as const,
      indices: new Int32Array(4),
      targets: new Float32Array(2),
      samples: 2,
      ...wrong,
    };
    await expect(compile(createFactorization(spec), observations, { kind: "l2" })).rejects.toThrow(
      message,
    );
  });

  test("a batch larger than the data is refused", async () => {
    const observations = randomObservations(spec, "completion", 2, 7);
    const training = await compile(createFactorization(spec), observations, { kind: "l2" });
    expect(() => training.step(Int32Array.of(0, 1, 0))).toThrow(/--batch_size: a batch of 3/);
  });
});
