import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { expectSums, randomTensor } from "./against-cpu.ts";
import { onCpu, useSimdBackend } from "./backends.ts";

const simd = useSimdBackend();

type Padding = "same" | "valid" | number;
type Pair = [number, number];

const pair = (max: number): fc.Arbitrary<Pair> =>
  fc.tuple(fc.integer({ min: 1, max }), fc.integer({ min: 1, max }));
const cases = fc.record({
  batch: fc.integer({ min: 1, max: 4 }),
  size: fc.tuple(fc.integer({ min: 4, max: 12 }), fc.integer({ min: 4, max: 12 })),
  kernel: pair(4),
  channels: pair(20),
  strides: pair(3),
  pad: fc.constantFrom<Padding[]>("same", "valid", 1, 2),
  seed: fc.nat(),
});

const shapeOf = (tensor: tf.Tensor): [number, number, number, number] =>
  tensor.shape as [number, number, number, number];

describe("convolutions", () => {
  test("Conv2D and its gradients equal the cpu backend's", async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ batch, size, kernel, channels, strides, pad, seed }) => {
        const x = randomTensor(seed, [batch, ...size, channels[0]]);
        const filter = randomTensor(seed + 1, [...kernel, ...channels]);
        const attrs = { strides, pad, dataFormat: "NHWC", dilations: 1 };
        const forward = (image: tf.Tensor, weights: tf.Tensor): tf.Tensor =>
          tf.conv2d(image as tf.Tensor4D, weights as tf.Tensor4D, strides, pad);
        const y = forward(x, filter);
        const dy = randomTensor(seed + 2, y.shape);
        const context = JSON.stringify({ batch, size, kernel, channels, strides, pad });
        const taps = kernel[0] * kernel[1];
        await expectSums(forward, [x, filter], taps * channels[0], `Conv2D ${context}`);
        await expectSums(
          (upstream, weights) =>
            tf
              .engine()
              .runKernel(
                "Conv2DBackpropInput",
                { dy: upstream, filter: weights },
                { ...attrs, inputShape: shapeOf(x) },
              ),
          [dy, filter],
          taps * channels[1],
          `by input ${context}`,
        );
        await expectSums(
          (image, upstream) =>
            tf
              .engine()
              .runKernel(
                "Conv2DBackpropFilter",
                { x: image, dy: upstream },
                { ...attrs, filterShape: shapeOf(filter) },
              ),
          [x, dy],
          batch * dy.shape[1]! * dy.shape[2]!,
          `by filter ${context}`,
        );
        tf.dispose([x, filter, y, dy]);
      }),
      { numRuns: 40 },
    );
  });

  test("dilations, asymmetric explicit padding and images without a batch", async () => {
    const x = randomTensor(1, [11, 9, 5]);
    const filter = randomTensor(2, [3, 2, 5, 6]);
    const options: [number, "same" | tf.backend_util.ExplicitPadding, Pair][] = [
      [1, "same", [2, 3]],
      [
        2,
        [
          [0, 0],
          [0, 2],
          [1, 0],
          [0, 0],
        ],
        [1, 1],
      ],
    ];
    for (const [stride, pad, dilations] of options) {
      await expectSums(
        (image, weights) =>
          tf.conv2d(image as tf.Tensor3D, weights as tf.Tensor4D, stride, pad, "NHWC", dilations),
        [x, filter],
        30,
        JSON.stringify({ stride, pad, dilations }),
      );
    }
    tf.dispose([x, filter]);
  });

  test.each(["linear", "relu", "relu6", "elu", "sigmoid", "leakyrelu", "prelu"] as const)(
    "FusedConv2D with bias and %s",
    async (activation) => {
      const [x, filter] = [randomTensor(3, [2, 6, 7, 4]), randomTensor(4, [3, 3, 4, 9])];
      const [bias, slope] = [randomTensor(5, [9]), randomTensor(6, [9])];
      const compute = (): Float32Array =>
        tf.tidy(() => {
          const y = tf.fused.conv2d({
            x: x as tf.Tensor4D,
            filter: filter as tf.Tensor4D,
            strides: 1,
            pad: "same",
            bias,
            activation,
            ...(activation === "prelu" ? { preluActivationWeights: slope } : {}),
            ...(activation === "leakyrelu" ? { leakyreluAlpha: 0.3 } : {}),
          });
          return y.dataSync<"float32">();
        });
      compute();
      const before = tf.memory();
      const actual = compute();
      expect(tf.memory()).toEqual(before);
      const expected = await onCpu(compute);
      // 36 terms of at most 1 and a bias: (2 · 37 + 10) · 2^-24 · 37.
      for (let i = 0; i < expected.length; i++) {
        expect(Math.abs(actual[i]! - expected[i]!)).toBeLessThan(2e-4);
      }
      tf.dispose([x, filter, bias, slope]);
    },
  );

  test("empty batches go to the cpu kernel", () => {
    const y = tf.conv2d(
      tf.zeros([0, 4, 4, 2]) as tf.Tensor4D,
      tf.ones([3, 3, 2, 2]) as tf.Tensor4D,
      1,
      "same",
    );
    expect(y.shape).toEqual([0, 4, 4, 2]);
  });

  test("a fused kernel that throws leaves nothing on the heap", () => {
    const [x, filter] = [randomTensor(3, [1, 4, 4, 2]), randomTensor(4, [3, 3, 2, 2])];
    const run = (): unknown =>
      tf.engine().runKernel(
        "FusedConv2D",
        { x, filter },
        {
          strides: 1,
          pad: "same",
          dataFormat: "NHWC",
          dilations: 1,
          activation: "swish",
        },
      );
    for (const operand of [x, filter]) simd.backend.floatsPointer(operand);
    const before = [simd.backend.memory(), simd.backend.numDataIds()];
    expect(run).toThrow(/swish is unknown/);
    expect([simd.backend.memory(), simd.backend.numDataIds()]).toEqual(before);
  });
});

describe("memory", () => {
  test("nothing is left behind by training steps", () => {
    const x = randomTensor(1, [4, 12, 12, 3]) as tf.Tensor4D;
    const target = randomTensor(2, [4, 6, 6, 8]);
    const filter = tf.variable(randomTensor(3, [5, 5, 3, 8])) as tf.Variable<tf.Rank.R4>;
    const attrs = { strides: 2, pad: "same", dataFormat: "NHWC" };
    const step = (): number =>
      tf.tidy(() => {
        const dy = tf.sub(tf.conv2d(x, filter, 2, "same"), target);
        const run = (kernel: string, inputs: tf.NamedTensorMap, shape: object): tf.Tensor =>
          tf.engine().runKernel(kernel, inputs, { ...attrs, ...shape });
        run("Conv2DBackpropInput", { dy, filter }, { inputShape: x.shape });
        const gradient = run("Conv2DBackpropFilter", { x, dy }, { filterShape: filter.shape });
        filter.assign(tf.sub(filter, tf.mul(gradient, 0.001)) as tf.Tensor4D);
        return tf.sum(tf.square(dy)).dataSync()[0]!;
      });
    const losses = [step(), step()];
    const before = [tf.memory(), simd.backend.numDataIds()];
    for (let i = 0; i < 1000; i++) losses.push(step());
    expect([tf.memory(), simd.backend.numDataIds()]).toEqual(before);
    expect(losses.at(-1)).toBeLessThan(losses[0]! * 0.9);
    tf.dispose([x, target, filter]);
  });
});
