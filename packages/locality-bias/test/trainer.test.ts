import { createRandom } from "@implicit-rank/random";
import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import {
  createResNet,
  createSgd,
  createTrainer,
  evaluateBatch,
  type Model,
  type Optimizer,
  relu,
  swapPatch,
  type Trainer,
  type TrainingBatch,
} from "../src/index.ts";
import { backends, useBackend } from "./backends.ts";
import { expectClose } from "./closeness.ts";
import { normalTensor } from "./random-tensors.ts";

describe.each(backends)("on backend %s", (backend) => {
  beforeAll(() => useBackend(backend));

  const patches = {
    a: { top: 0, left: 0, height: 2, width: 2 },
    b: { top: 3, left: 3, height: 2, width: 2 },
  };

  /** A small network without batch norm: each sample is on its own. */
  function smallModel(seed = 1): Model {
    const parameters = new Map([
      ["filter", tf.variable(tf.mul(normalTensor([3, 3, 1, 3], seed), 0.5))],
      ["weight", tf.variable(normalTensor([3, 1], seed + 1))],
      ["bias", tf.variable(tf.zeros([1]))],
    ]);
    return {
      parameters,
      statistics: new Map(),
      apply: (x) =>
        tf.tidy(() => {
          const filter = parameters.get("filter") as tf.Tensor as tf.Tensor4D;
          const features = tf.mean(tf.square(relu(tf.conv2d(x, filter, 1, 1))), [1, 2]);
          const weight = parameters.get("weight") as tf.Tensor as tf.Tensor2D;
          return tf.add(tf.matMul(features as tf.Tensor2D, weight), parameters.get("bias")!);
        }),
      dispose: () => tf.dispose([...parameters.values()]),
    };
  }

  function batchOf(seed: number, samples: number, size = 5): TrainingBatch {
    const random = createRandom(seed);
    return {
      x: normalTensor<tf.Rank.R4>([samples, size, size, 1], seed),
      labels: tf.tensor1d(
        Array.from({ length: samples }, () => random.int(2)),
        "int32",
      ),
      patches,
    };
  }

  /** Keeps what it is given instead of updating. */
  function recordingOptimizer(): Optimizer & { readonly updates: Map<string, Float32Array>[] } {
    const updates: Map<string, Float32Array>[] = [];
    return {
      updates,
      learningRate: 1,
      update: (gradients) =>
        void updates.push(
          new Map(Array.from(gradients, ([k, g]) => [k, g.dataSync() as Float32Array])),
        ),
      save: () => Promise.resolve({}),
      restore: () => undefined,
      dispose: () => undefined,
    };
  }

  test("a step reports the loss before it, its parts and the share of correct samples", async () => {
    const model = smallModel();
    const trainer = createTrainer({ model, optimizer: recordingOptimizer(), coefficient: 0.5 });
    const batch = batchOf(3, 6);
    const result = await trainer.step(batch);
    const evaluated = await evaluateBatch(model, batch);
    expect(result.taskLoss).toBeCloseTo(evaluated.taskLoss, 6);
    expect(result.accuracy).toBe(evaluated.accuracy);
    expect(result.loss).toBeCloseTo(result.taskLoss + 0.5 * result.regularization, 6);
    const logits = model.apply(batch.x, { training: false }).dataSync();
    const labels = batch.labels.dataSync();
    const losses = [...logits].map((z, i) => Math.log1p(Math.exp(z)) - labels[i] * z);
    expect(result.taskLoss).toBeCloseTo(losses.reduce((sum, v) => sum + v, 0) / 6, 5);
    const correct = [...logits].filter((z, i) => (z > 0 ? 1 : 0) === labels[i]).length;
    expect(result.accuracy).toBeCloseTo(correct / 6, 6);
  });

  describe("gradient accumulation", () => {
    const accumulate = async (accumulation: number, batches: readonly TrainingBatch[]) => {
      const optimizer = recordingOptimizer();
      const trainer = createTrainer({
        model: smallModel(),
        optimizer,
        accumulation,
        coefficient: 0.3,
      });
      for (const batch of batches) await trainer.step(batch);
      return optimizer.updates;
    };
    const batches = [1, 2, 3, 4, 5].map((seed) => batchOf(seed, 3));

    test("updates with the mean over its batches", async () => {
      const single = await accumulate(1, batches);
      const pairs = await accumulate(2, batches.slice(0, 4));
      expect(single.length).toBe(5);
      expect(pairs.length).toBe(2);
      pairs.forEach((update, pair) => {
        for (const [name, gradient] of update) {
          const [a, b] = [2 * pair, 2 * pair + 1].map((i) => single[i].get(name)!);
          expectClose(
            gradient,
            a.map((value, i) => (value + b[i]) / 2),
            1e-6,
          );
        }
      });
    });

    test("updates at the end of an epoch with what there is", async () => {
      const last = batches.map((batch, i) => ({ ...batch, last: i === 4 }));
      const [, rest] = await accumulate(3, last);
      const single = await accumulate(1, batches);
      for (const [name, gradient] of rest) {
        const [a, b] = [3, 4].map((i) => single[i].get(name)!);
        expectClose(
          gradient,
          a.map((value, i) => (value + b[i]) / 2),
          1e-6,
        );
      }
    });

    test("of equal batches is the gradient of them together, where samples are on their own", async () => {
      const optimizer = recordingOptimizer();
      const trainer = createTrainer({ model: smallModel(), optimizer, accumulation: 2 });
      for (const batch of batches.slice(0, 2)) await trainer.step(batch);
      await createTrainer({ model: smallModel(), optimizer }).step({
        x: tf.concat([batches[0].x, batches[1].x]),
        labels: tf.concat([batches[0].labels, batches[1].labels]),
      });
      const [accumulated, together] = optimizer.updates;
      for (const [name, gradient] of accumulated) {
        expectClose(gradient, together.get(name)!, 2e-6);
      }
    });

    test("needs a positive number", () => {
      const optimizer = recordingOptimizer();
      expect(() => createTrainer({ model: smallModel(), optimizer, accumulation: 0 })).toThrow(
        "--gradient_accumulation: is 0; give a positive number of batches",
      );
    });
  });

  test("learns to tell bright from dark images", async () => {
    const model = smallModel(4);
    const optimizer = createSgd(model.parameters, { learningRate: 0.1, momentum: 0.9 });
    const trainer = createTrainer({ model, optimizer, coefficient: 0.1 });
    const labels = tf.tensor1d([0, 1, 0, 1, 0, 1], "int32");
    const brightness = tf.reshape(tf.sub(tf.cast(labels, "float32"), 0.5), [6, 1, 1, 1]);
    const noise = normalTensor<tf.Rank.R4>([6, 5, 5, 1], 2);
    const x = tf.add(tf.mul(noise, 0.2), tf.mul(brightness, 2)) as tf.Tensor4D;
    const { taskLoss: first } = await trainer.step({ x, labels, patches });
    await steps(trainer, { x, labels, patches }, 60);
    const { taskLoss, accuracy } = await trainer.step({ x, labels, patches });
    expect(taskLoss).toBeLessThan(0.5 * first);
    expect(accuracy).toBe(1);
  });

  async function steps(trainer: Trainer, batch: TrainingBatch, count: number): Promise<void> {
    for (let step = 0; step < count; step++) await trainer.step(batch);
  }

  test("1,000 regularized steps leave no tensor behind", { timeout: 120_000 }, async () => {
    const model = smallModel();
    const optimizer = createSgd(model.parameters, { learningRate: 1e-3, momentum: 0.9 });
    const trainer = createTrainer({ model, optimizer, coefficient: 0.5, accumulation: 3 });
    const batch = batchOf(1, 2);
    await steps(trainer, batch, 3);
    const before = tf.memory();
    await steps(trainer, batch, 999);
    // Backend simd also says how much of its heap is taken.
    expect(tf.memory()).toEqual(before);
  });

  test("steps and evaluations of a ResNet with dropout leave no tensor behind", async () => {
    const model = createResNet({
      depth: 18,
      channels: 1,
      width: 1,
      stem: "imagenet",
      dropout: 0.2,
      random: createRandom(4),
    });
    const optimizer = createSgd(model.parameters, { learningRate: 1e-3 });
    const trainer = createTrainer({ model, optimizer, coefficient: 0.5 });
    const batch = { ...batchOf(1, 3, 16), random: createRandom(1) };
    await trainer.step(batch);
    const before = tf.memory();
    await steps(trainer, batch, 3);
    await evaluateBatch(model, batch);
    expect(tf.memory()).toEqual(before);
  });

  test("both passes of a regularized step move the running statistics", async () => {
    const create = () =>
      createResNet({ depth: 18, channels: 1, width: 1, stem: "small", random: createRandom(4) });
    const [trained, applied] = [create(), create()];
    const batch = batchOf(1, 2, 16);
    const trainer = createTrainer({
      model: trained,
      optimizer: recordingOptimizer(),
      coefficient: 0.5,
    });
    await trainer.step(batch);
    for (const x of [batch.x, swapPatch(batch.x, patches.b)]) {
      applied.apply(x, { training: true }).dispose();
    }
    for (const [name, statistic] of trained.statistics) {
      expect(statistic.dataSync(), name).toEqual(applied.statistics.get(name)!.dataSync());
    }
  });

  describe("the kernels of a step", () => {
    const countKernels = async (coefficient: number) => {
      const model = createResNet({ depth: 18, channels: 1, width: 1, random: createRandom(4) });
      const optimizer = createSgd(model.parameters, { learningRate: 1e-3 });
      const trainer = createTrainer({ model, optimizer, coefficient });
      const batch = batchOf(1, 2, 32);
      await trainer.step(batch);
      const { kernels } = await tf.profile(
        () => trainer.step(batch) as unknown as tf.TensorContainer,
      );
      const counts: Record<string, number> = {};
      for (const { name } of kernels) counts[name] = (counts[name] ?? 0) + 1;
      return counts;
    };

    // ResNet-18 has 20 convolutions. The first one's input gradient is needed only for the images.
    test("plain: one forward and one backward pass", async () => {
      expect(await countKernels(0)).toMatchObject({
        Conv2D: 20,
        Conv2DBackpropInput: 19,
        Conv2DBackpropFilter: 20,
        BatchNormalizationTraining: 20,
        BatchNormalizationTrainingGradient: 20,
        MaxPool: 1,
        MaxPoolGrad: 1,
        SgdMomentumUpdate: 62,
      });
    });

    // Forward twice, input gradients twice, and back through all four: each convolution of a forward pass
    // costs an input and a filter gradient, each of an input gradient a convolution and a filter gradient.
    test("regularized: 12 convolution units where a plain step takes 3, none of them twice", async () => {
      const counts = await countKernels(0.5);
      expect(counts).toMatchObject({
        Conv2D: 2 * 20 + 2 * 20,
        Conv2DBackpropInput: 2 * 20 + 2 * 19,
        Conv2DBackpropFilter: 2 * 20 + 2 * 20,
        BatchNormalizationTraining: 2 * 20,
        // The last batch norm of the second pass has no part in anything but logits that nobody uses.
        BatchNormalizationTrainingGradient: 2 * 20 + 2 * 20 - 1,
        BatchNormalizationTrainingSecondGradient: 2 * 20,
        MaxPool: 2,
        MaxPoolGrad: 2 + 2,
        MaxPoolGather: 2,
        SgdMomentumUpdate: 62,
      });
    });
  });
});
