import { createRandom } from "@implicit-rank/random";
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import {
  correctCount,
  createAdam,
  createSgd,
  dropout,
  type Optimizer,
  swapPatch,
  taskLoss,
} from "../src/index.ts";
import { expectClose } from "./closeness.ts";
import { useCpuBackend } from "./cpu-backend.ts";
import { normalTensor } from "./random-tensors.ts";

beforeAll(useCpuBackend);

const seeds = fc.nat({ max: 1e6 });

describe("swapping a patch", () => {
  const cases = fc
    .record({
      samples: fc.integer({ min: 1, max: 5 }),
      height: fc.integer({ min: 1, max: 6 }),
      width: fc.integer({ min: 1, max: 6 }),
      corner: fc.tuple(fc.nat(), fc.nat(), fc.nat(), fc.nat()),
      seed: seeds,
    })
    .map(({ samples, height, width, corner: [top, left, rows, columns], seed }) => {
      const place = { top: top % height, left: left % width };
      return {
        images: { samples, height, width, seed },
        patch: {
          ...place,
          height: 1 + (rows % (height - place.top)),
          width: 1 + (columns % (width - place.left)),
        },
      };
    });

  test("as often as there are samples gives the images back; of two, swapping twice", () => {
    fc.assert(
      fc.property(cases, ({ images: { samples, height, width, seed }, patch }) => {
        tf.tidy(() => {
          const x = normalTensor<tf.Rank.R4>([samples, height, width, 2], seed);
          let swapped = x;
          for (let i = 0; i < samples; i++) swapped = swapPatch(swapped, patch);
          expect(swapped.dataSync()).toEqual(x.dataSync());
        });
      }),
    );
  });

  test("keeps the sum over the batch of every pixel", () => {
    fc.assert(
      fc.property(cases, ({ images: { samples, height, width, seed }, patch }) => {
        tf.tidy(() => {
          // Small integers, whose sums are exact in any order.
          const x = tf.round(
            tf.mul(normalTensor<tf.Rank.R4>([samples, height, width, 2], seed), 8),
          ) as tf.Tensor4D;
          const sumOf = (images: tf.Tensor) => [...tf.sum(images, 0).dataSync()].map((v) => v + 0);
          expect(sumOf(swapPatch(x, patch))).toEqual(sumOf(x));
        });
      }),
    );
  });
});

describe("optimizers", () => {
  const rates = fc.double({ min: 0, max: 0.5, noNaN: true });
  const decays = fc.double({ min: 0, max: 0.99, noNaN: true });
  const sizes = fc.integer({ min: 1, max: 6 });
  const steps = fc.integer({ min: 1, max: 6 });

  /** Runs both on the same gradients; `reference` updates one number in double precision. */
  function compare(
    size: number,
    count: number,
    seed: number,
    create: (parameters: ReadonlyMap<string, tf.Variable>) => Optimizer,
    reference: (step: number, value: number, gradient: number, place: number) => number,
  ): void {
    tf.tidy(() => {
      const variable = tf.variable(normalTensor([size], seed));
      const optimizer = create(new Map([["weights", variable]]));
      let expected = [...variable.dataSync()];
      for (let step = 1; step <= count; step++) {
        const gradient = normalTensor([size], seed + step);
        const numbers = gradient.dataSync();
        optimizer.update(new Map([["weights", gradient]]));
        expected = expected.map((value, i) => reference(step, value, numbers[i], i));
      }
      // Rounding of float32, a few operations a step on numbers of size one.
      expectClose(variable.dataSync(), expected, 1e-5, 1);
      optimizer.dispose();
      variable.dispose();
    });
  }

  test("SGD: g ← g + d p, v ← m v + g, p ← p - r v", () => {
    fc.assert(
      fc.property(sizes, steps, seeds, rates, decays, decays, (size, count, seed, r, m, d) => {
        const velocity = new Float64Array(size);
        compare(
          size,
          count,
          seed,
          (parameters) => createSgd(parameters, { learningRate: r, momentum: m, weightDecay: d }),
          (_step, value, gradient, i) => {
            velocity[i] = m * velocity[i] + gradient + d * value;
            return value - r * velocity[i];
          },
        );
      }),
    );
  });

  test("Adam: the step is the ratio of the two corrected means", () => {
    fc.assert(
      fc.property(sizes, steps, seeds, rates, decays, decays, (size, count, seed, r, b1, b2) => {
        const [first, second] = [new Float64Array(size), new Float64Array(size)];
        const epsilon = 0.1;
        const d = 0.1;
        compare(
          size,
          count,
          seed,
          (parameters) =>
            createAdam(parameters, {
              learningRate: r,
              beta1: b1,
              beta2: b2,
              epsilon,
              weightDecay: d,
            }),
          (step, value, gradient, i) => {
            const g = gradient + d * value;
            first[i] = b1 * first[i] + (1 - b1) * g;
            second[i] = b2 * second[i] + (1 - b2) * g * g;
            const mean = first[i] / (1 - b1 ** step);
            const size = Math.sqrt(second[i] / (1 - b2 ** step));
            return value - (r * mean) / (size + epsilon);
          },
        );
      }),
    );
  });
});

describe("task losses", () => {
  const batches = fc.record({
    samples: fc.integer({ min: 1, max: 6 }),
    outputs: fc.integer({ min: 1, max: 5 }),
    scale: fc.constantFrom(0.1, 1, 30),
    seed: seeds,
  });

  test("are minus the log of the probability of the label, and correct is the likeliest", () => {
    fc.assert(
      fc.property(batches, ({ samples, outputs, scale, seed }) => {
        tf.tidy(() => {
          const logits = tf.mul(normalTensor([samples, outputs], seed), scale) as tf.Tensor2D;
          const random = createRandom(seed).fork("labels");
          const classes = Math.max(2, outputs);
          const labels = Int32Array.from({ length: samples }, () => random.int(classes));
          const numbers = [...logits.dataSync()];
          let loss = 0;
          let correct = 0;
          labels.forEach((label, s) => {
            const row = numbers.slice(s * outputs, (s + 1) * outputs);
            // One logit z is the two logits 0 and z.
            const all = outputs === 1 ? [0, ...row] : row;
            const largest = Math.max(...all);
            const sum = all.reduce((total, z) => total + Math.exp(z - largest), 0);
            loss -= (all[label] - largest - Math.log(sum)) / samples;
            correct += all.indexOf(largest) === label ? 1 : 0;
          });
          const given = tf.tensor1d(labels);
          expectClose(taskLoss(logits, given).dataSync(), [loss], 1e-5, scale);
          expect(correctCount(logits, given).dataSync()[0]).toBe(correct);
        });
      }),
    );
  });

  test("do not change when all logits of several classes move together", () => {
    fc.assert(
      fc.property(batches, fc.integer({ min: -20, max: 20 }), ({ samples, outputs, seed }, by) => {
        fc.pre(outputs > 1);
        tf.tidy(() => {
          const logits = normalTensor<tf.Rank.R2>([samples, outputs], seed);
          const labels = tf.zeros<tf.Rank.R1>([samples], "int32");
          const moved = tf.add(logits, by) as tf.Tensor2D;
          expectClose(
            taskLoss(moved, labels).dataSync(),
            taskLoss(logits, labels).dataSync(),
            1e-5,
            1 + Math.abs(by),
          );
        });
      }),
    );
  });
});

test("dropout leaves out, or scales by 1 / (1 - p), the same entries for the same seed", () => {
  const shares = fc.double({ min: 0, max: 0.9, noNaN: true });
  fc.assert(
    fc.property(shares, fc.integer({ min: 1, max: 40 }), seeds, (share, size, seed) => {
      tf.tidy(() => {
        const x = tf.add(tf.abs(normalTensor([size], seed)), 1);
        const [once, again] = [0, 1].map(() => dropout(x, share, createRandom(seed)).dataSync());
        expect(again).toEqual(once);
        const numbers = x.dataSync();
        const kept = once.filter((value) => value !== 0).length;
        once.forEach((value, i) => {
          if (value !== 0) expectClose([value], [numbers[i] / (1 - share)], 1e-6);
        });
        if (share === 0) expect(kept).toBe(size);
      });
    }),
  );
});
