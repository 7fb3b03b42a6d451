import { createRandom } from "@implicit-rank/random";
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import {
  batchNormalizationTraining,
  type Forward,
  inputGradientChange,
  type Patch,
  type PatchPair,
  regularizedLoss,
  relu,
  swapPatch,
} from "../src/index.ts";
import { expectClose } from "./closeness.ts";
import { useCpuBackend } from "./cpu-backend.ts";
import { normalTensor } from "./random-tensors.ts";
import { softplusNetwork } from "./softplus-network.ts";

beforeAll(useCpuBackend);

const patches: PatchPair = {
  a: { top: 1, left: 0, height: 2, width: 3 },
  b: { top: 3, left: 2, height: 3, width: 2 },
};

/** Two layers with batch norm; any number of logits. */
function network(
  seed: number,
  outputs: number,
  channels = 2,
): { forward: Forward; parameters: tf.Variable[] } {
  const shapes = [[3, 3, channels, 3], [3], [3], [3, 3, 3, 4], [4, outputs]];
  const parameters = shapes.map((shape, i) => tf.variable(normalTensor(shape, seed + i)));
  const [first, scale, offset, second, linear] = parameters;
  const forward: Forward = (x) => {
    const hidden = tf.conv2d(x, first as tf.Tensor4D, 1, 1);
    const normalized = relu(batchNormalizationTraining(hidden, scale, offset, 1e-5).y);
    const features = tf.mean(relu(tf.conv2d(normalized, second as tf.Tensor4D, 2, 1)), [1, 2]);
    return tf.matMul(features as tf.Tensor2D, linear as tf.Tensor2D);
  };
  return { forward, parameters };
}

const changeOf = (forward: Forward, x: tf.Tensor4D, labels: tf.Tensor1D, pair = patches): number =>
  tf.tidy(() => inputGradientChange({ forward, x, labels, patches: pair }).change.dataSync()[0]);

describe("the input gradient change", () => {
  const cases = fc.record({
    seed: fc.nat(10_000),
    outputs: fc.integer({ min: 1, max: 3 }),
    samples: fc.integer({ min: 2, max: 4 }),
  });

  test("lies in [0, 1] and does not change with the scale or an offset of the logits", () => {
    fc.assert(
      fc.property(cases, ({ seed, outputs, samples }) => {
        const { forward } = network(seed, outputs);
        const x = normalTensor<tf.Rank.R4>([samples, 6, 5, 2], seed + 50);
        const labels = labelsFor(samples, outputs, seed);
        const change = changeOf(forward, x, labels);
        expect(change).toBeGreaterThanOrEqual(0);
        expect(change).toBeLessThanOrEqual(1 + 1e-6);
        const scaled: Forward = (x) => tf.add(tf.mul(forward(x), -7.5), 3);
        expect(changeOf(scaled, x, labels)).toBeCloseTo(change, 5);
      }),
      { numRuns: 25 },
    );
  });

  test("is 1 where patch b is the same in all samples, and for a single sample", () => {
    fc.assert(
      fc.property(cases, ({ seed, outputs, samples }) => {
        const { forward } = network(seed, outputs);
        const one = normalTensor<tf.Rank.R4>([1, 6, 5, 2], seed);
        const x = tf.concat(Array<tf.Tensor4D>(samples).fill(one));
        expect(changeOf(forward, x, labelsFor(samples, outputs, seed))).toBeCloseTo(1, 5);
        // Batch norm would make a single sample's gradient vanish.
        const linear: Forward = (x) => tf.reshape(tf.sum(tf.square(x), [1, 2, 3]), [-1, 1]);
        expect(changeOf(linear, one, tf.tensor1d([1], "int32"))).toBeCloseTo(1, 5);
      }),
      { numRuns: 10 },
    );
  });

  test("is 1 for a local network: patches a and b do not interact", () => {
    const forward: Forward = (x) => tf.reshape(tf.sum(tf.tanh(x), [1, 2, 3]), [-1, 1]);
    const x = normalTensor<tf.Rank.R4>([3, 6, 5, 2], 1);
    expect(changeOf(forward, x, tf.tensor1d([0, 1, 0], "int32"))).toBeCloseTo(1, 5);
  });

  test("is the cosine of the gradients where they are known", () => {
    // s(x) = Σ x[a] · mean(x[b]) and a second output: the gradient inside a is the mean of b.
    const a: Patch = { top: 0, left: 0, height: 1, width: 2 };
    const b: Patch = { top: 1, left: 0, height: 1, width: 2 };
    const forward: Forward = (x) => {
      const [upper, lower] = [0, 1].map((row) => tf.slice(x, [0, row, 0, 0], [-1, 1, -1, -1]));
      return tf.reshape(tf.sum(tf.mul(upper, tf.sin(lower)), [1, 2, 3]), [-1, 1]);
    };
    registerSine();
    const x = tf.tensor4d([1, 2, 0.3, 0.9, 5, 6, -0.4, 1.2, 3, 3, 2.2, 0.1], [3, 2, 2, 1]);
    const lowers = [
      [0.3, 0.9],
      [-0.4, 1.2],
      [2.2, 0.1],
    ];
    const expected = lowers.map((lower, i) => {
      const [u, v] = [lower, lowers[(i + 1) % 3]].map((row) => row.map(Math.sin));
      const product = u[0] * v[0] + u[1] * v[1];
      return Math.abs(product) / Math.hypot(...u) / Math.hypot(...v);
    });
    const mean = expected.reduce((sum, value) => sum + value, 0) / 3;
    expect(changeOf(forward, x, tf.tensor1d([0, 0, 1], "int32"), { a, b })).toBeCloseTo(mean, 6);
  });
});

describe("samples without an input gradient", () => {
  // ReLU of a negative number: the gradient of such a sample is 0.
  const forwardOf =
    (weight: tf.Tensor): Forward =>
    (x) =>
      tf.reshape(relu(tf.sum(tf.mul(tf.square(x), weight), [1, 2, 3])), [-1, 1]);

  test("add 0 to the mean, and to no gradient", () => {
    const weight = tf.variable(normalTensor([6, 5, 2], 1));
    const signs = tf.tensor4d([1, -1, 1], [3, 1, 1, 1]);
    const x = normalTensor<tf.Rank.R4>([3, 6, 5, 2], 2);
    const labels = tf.tensor1d([0, 1, 0], "int32");
    const alive = (x: tf.Tensor4D): tf.Tensor2D =>
      tf.reshape(
        tf.sum(tf.mul(tf.mul(tf.square(x), tf.abs(weight)), tf.step(signs)), [1, 2, 3]),
        [-1, 1],
      );
    const dead = forwardOf(tf.neg(tf.abs(weight)));
    const { value, grads } = tf.variableGrads(
      () => inputGradientChange({ forward: alive, x, labels, patches }).change,
      [weight],
    );
    // Two of three samples have the gradient 2 x |w| in patch a, before and after.
    expect(value.dataSync()[0]).toBeCloseTo(2 / 3, 5);
    expect([...grads[weight.name].dataSync()].every(Number.isFinite)).toBe(true);
    expect(changeOf(dead, x, labels)).toBe(0);
  });

  test("leave the gradients of the whole loss finite, and those of the task loss", () => {
    const weight = tf.variable(tf.neg(tf.abs(normalTensor([6, 5, 2], 3))));
    const bias = tf.variable(tf.scalar(0.5));
    const x = normalTensor<tf.Rank.R4>([3, 6, 5, 2], 4);
    const labels = tf.tensor1d([0, 1, 0], "int32");
    const forward: Forward = (x) => tf.add(forwardOf(weight)(x), bias);
    const gradientsAt = (coefficient: number) =>
      tf.variableGrads(
        () => regularizedLoss({ forward, x, labels, coefficient, patches }).loss,
        [weight, bias],
      );
    const [plain, regularized] = [0, 0.7].map(gradientsAt);
    expect(regularized.value.dataSync()).toEqual(plain.value.dataSync());
    for (const variable of [weight, bias]) {
      const gradient = regularized.grads[variable.name].dataSync();
      expect([...gradient].every(Number.isFinite)).toBe(true);
      expectClose(gradient, plain.grads[variable.name].dataSync(), 1e-6, 1e-9);
    }
  });

  test.each([
    [1e-11, 1],
    [1e-13, 0],
  ])("a gradient of norm about %d counts as %d", (size, expected) => {
    const forward: Forward = (x) => tf.reshape(tf.mul(tf.sum(x, [1, 2, 3]), size), [-1, 1]);
    const pair = { a: { top: 0, left: 0, height: 1, width: 1 }, b: patches.b };
    const x = normalTensor<tf.Rank.R4>([2, 6, 5, 1], 5);
    expect(changeOf(forward, x, tf.tensor1d([0, 1], "int32"), pair)).toBeCloseTo(expected, 5);
  });
});

describe("the gradient of the regularization", () => {
  test.each([1, 3])(
    "agrees with finite differences of a float64 formulation, %d outputs",
    (outputs) => {
      const reference = softplusNetwork({ height: 5, width: 6, channels: 2, filters: 3, outputs });
      const random = createRandom(9);
      const parameters = new Float64Array(reference.parameterCount);
      random.fillNormal(parameters, 0, 0.7);
      const images = new Float64Array(3 * 5 * 6 * 2);
      random.fillNormal(images, 0, 1);
      const labels = [0, outputs - 1, Math.min(1, outputs - 1)];
      const pair: PatchPair = {
        a: { top: 0, left: 1, height: 2, width: 2 },
        b: { top: 2, left: 2, height: 3, width: 3 },
      };
      const value = (parameters: Float64Array) =>
        reference.change(parameters, images, labels, pair);
      const wanted = parameters.map((_, i) => {
        const [after, before] = [1e-5, -1e-5].map((step) => {
          const moved = parameters.slice();
          moved[i] += step;
          return value(moved);
        });
        return (after - before) / 2e-5;
      });

      const [filter, linear] = reference.variables(parameters);
      const x = tf.tensor4d(Float32Array.from(images), [3, 5, 6, 2]);
      const { value: actual, grads } = tf.variableGrads(
        () =>
          inputGradientChange({
            forward: reference.forward(filter, linear),
            x,
            labels: tf.tensor1d(labels, "int32"),
            patches: pair,
          }).change,
        [filter, linear],
      );
      expect(actual.dataSync()[0]).toBeCloseTo(value(parameters), 6);
      const gradients = [filter, linear].flatMap(({ name }) => [...grads[name].dataSync()]);
      // Float32 against float64.
      expectClose(gradients, wanted, 2e-5);
    },
  );
});

describe("the regularized loss", () => {
  test("is the task loss alone at coefficient 0, without patches", () => {
    const { forward } = network(1, 3);
    const x = normalTensor<tf.Rank.R4>([3, 6, 5, 2], 2);
    const labels = tf.tensor1d([0, 2, 1], "int32");
    const result = regularizedLoss({ forward, x, labels, coefficient: 0 });
    expect(result.regularization.dataSync()[0]).toBe(0);
    expect(result.loss.dataSync()).toEqual(result.taskLoss.dataSync());
  });

  test("adds up, and its gradients are those of both parts", () => {
    const { forward, parameters } = network(5, 1);
    const x = normalTensor<tf.Rank.R4>([3, 6, 5, 2], 6);
    const labels = tf.tensor1d([0, 1, 1], "int32");
    const gradientsOf = (pick: (result: ReturnType<typeof regularizedLoss>) => tf.Scalar) =>
      tf.variableGrads(
        () => pick(regularizedLoss({ forward, x, labels, coefficient: 0.3, patches })),
        parameters,
      );
    const whole = gradientsOf(({ loss }) => loss);
    const task = gradientsOf(({ taskLoss }) => taskLoss);
    const change = gradientsOf(({ regularization }) => regularization);
    const sum = task.value.dataSync()[0] + 0.3 * change.value.dataSync()[0];
    expect(whole.value.dataSync()[0]).toBeCloseTo(sum, 6);
    for (const parameter of parameters) {
      const { name } = parameter;
      // The offset of batch norm only moves the places where the ReLU starts.
      const ofChange = change.grads[name] ?? tf.zerosLike(parameter);
      const parts = tf.add(task.grads[name], tf.mul(ofChange, 0.3));
      expectClose(whole.grads[name].dataSync(), parts.dataSync(), 1e-5);
    }
  });

  test("wrong use is refused in one line", () => {
    const { forward } = network(1, 1);
    const x = normalTensor<tf.Rank.R4>([2, 6, 5, 2], 2);
    const labels = tf.tensor1d([0, 1], "int32");
    expect(() => regularizedLoss({ forward, x, labels, coefficient: 1 })).toThrow(
      "--grad_change_reg_coeff: the regularizer needs a pair of patches",
    );
    const outside = { ...patches, b: { top: 4, left: 2, height: 3, width: 2 } };
    expect(() => inputGradientChange({ forward, x, labels, patches: outside })).toThrow(
      "patch: 3×2 at row 4, column 2 does not fit into images of 6×5; move it or make it smaller",
    );
    const flat = (x: tf.Tensor4D) => tf.reshape(forward(x), [-1]) as unknown as tf.Tensor2D;
    expect(() => inputGradientChange({ forward: flat, x, labels, patches })).toThrow(
      "forward: gave logits of shape [2] for 2 labels; give [samples, outputs]",
    );
  });
});

test("swapping a patch takes it from the next sample, at every place", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 3 }),
      fc.tuple(
        fc.nat(3),
        fc.nat(2),
        fc.integer({ min: 1, max: 4 }),
        fc.integer({ min: 1, max: 3 }),
      ),
      (samples, [top, left, rows, columns]) => {
        const patch = {
          top,
          left,
          height: Math.min(rows, 4 - top),
          width: Math.min(columns, 3 - left),
        };
        const x = normalTensor<tf.Rank.R4>([samples, 4, 3, 2], 1);
        const [before, after] = [x, swapPatch(x, patch)].map(
          (images) => images.arraySync() as number[][][][],
        );
        for (let n = 0; n < samples; n++)
          for (let row = 0; row < 4; row++)
            for (let column = 0; column < 3; column++) {
              const inside =
                row >= top &&
                row < top + patch.height &&
                column >= left &&
                column < left + patch.width;
              const from = inside ? (n + 1) % samples : n;
              expect(after[n][row][column]).toEqual(before[from][row][column]);
            }
      },
    ),
  );
});

function labelsFor(samples: number, outputs: number, seed: number): tf.Tensor1D {
  const random = createRandom(seed);
  const labels = Array.from({ length: samples }, () => random.int(Math.max(2, outputs)));
  return tf.tensor1d(labels, "int32");
}

/** An operation of a user's network for which this package has no gradient. */
function registerSine(): void {
  tf.registerGradient({
    kernelName: tf.Sin,
    inputsToSave: ["x"],
    gradFunc: (dy, [x]) => ({ x: () => tf.mul(dy as tf.Tensor, tf.cos(x)) }),
  });
}
