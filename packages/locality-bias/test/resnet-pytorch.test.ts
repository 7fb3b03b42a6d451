import { readFileSync } from "node:fs";
import { createRandom } from "@implicit-rank/random";
import * as tf from "@tensorflow/tfjs-core";
import { afterAll, beforeAll, describe, test } from "vitest";
import {
  createResNet,
  exportResNetWeights,
  importResNetWeights,
  type PatchPair,
  regularizedLoss,
  type ResNet,
  type ResNetDepth,
  type Stem,
} from "../src/index.ts";
import { backends, useBackend } from "./backends.ts";
import { expectClose } from "./closeness.ts";

/** Norm, and product with cos(0), cos(1) …, of a gradient in PyTorch's layout. */
type GradientSummary = Readonly<Record<string, readonly [number, number]>>;

interface Outcome {
  readonly logits: number[];
  readonly loss: number;
  readonly gradients: GradientSummary;
}

interface Fixture {
  readonly depth: ResNetDepth;
  readonly channels: number;
  readonly outputs: number;
  readonly width: number;
  readonly stem: Stem;
  readonly size: number;
  readonly labels: number[];
  readonly evaluation: Outcome;
  readonly training: Outcome & { readonly statistics: Readonly<Record<string, number[]>> };
  readonly regularized: {
    readonly patch_a: [number, number, number, number];
    readonly patch_b: [number, number, number, number];
    readonly coefficient: number;
    readonly regularization: number;
    readonly gradients: GradientSummary;
  };
}

// Float32 against float64; batch norm over a few values of each channel amplifies rounding, layer by layer.
const ofValues = 2e-5;
const ofGradients = 5e-4;

describe.each(backends)("on backend %s", (backend) => {
  beforeAll(() => useBackend(backend));

  describe.each(["resnet18-narrow", "resnet50-narrow"])("%s, computed with PyTorch", (name) => {
    const url = new URL(`fixtures/${name}.json`, import.meta.url);
    const fixture = JSON.parse(readFileSync(url, "utf8")) as Fixture;
    let model: ResNet;
    let x: tf.Tensor4D;
    let labels: tf.Tensor1D;
    let restart: () => void;

    beforeAll(async () => {
      const uniform = linearCongruential(fixture.depth);
      model = createResNet({ ...fixture, random: createRandom(1) });
      const weights = await drawWeights(model, uniform);
      restart = () => void importResNetWeights(model, weights, "fixture");
      restart();
      const { channels, size } = fixture;
      const shape: [number, number, number, number] = [fixture.labels.length, channels, size, size];
      const images = Float32Array.from({ length: tf.util.sizeFromShape(shape) }, () =>
        uniform(-1.5, 1.5),
      );
      x = tf.transpose(tf.tensor4d(images, shape), [0, 2, 3, 1]);
      labels = tf.tensor1d(fixture.labels, "int32");
    });
    afterAll(() => model.dispose());

    test.each(["evaluation", "training"] as const)("logits, loss, gradients in %s", (mode) => {
      restart();
      let logits: number[] = [];
      const { value, grads } = tf.variableGrads(() => {
        const forward = (images: tf.Tensor4D) =>
          model.apply(images, { training: mode === "training" });
        const result = regularizedLoss({ forward, x, labels, coefficient: 0 });
        logits = [...result.logits.dataSync()];
        return result.loss;
      }, [...model.parameters.values()]);
      expectClose(logits, fixture[mode].logits, ofValues);
      expectClose(value.dataSync(), [fixture[mode].loss], ofValues);
      expectGradients(model, grads, fixture[mode].gradients);
    });

    test("the running statistics after one batch", () => {
      restart();
      model.apply(x, { training: true }).dispose();
      for (const [statistic, expected] of Object.entries(fixture.training.statistics)) {
        expectClose(model.statistics.get(statistic)!.dataSync(), expected, ofValues);
      }
    });

    test("the regularized loss and its gradients", { timeout: 120_000 }, () => {
      restart();
      const { patch_a, patch_b, coefficient, regularization, gradients } = fixture.regularized;
      let actual = Number.NaN;
      const { grads } = tf.variableGrads(() => {
        const forward = (images: tf.Tensor4D) => model.apply(images, { training: true });
        const patches: PatchPair = { a: patchOf(patch_a), b: patchOf(patch_b) };
        const result = regularizedLoss({ forward, x, labels, coefficient, patches });
        actual = result.regularization.dataSync()[0];
        return result.loss;
      }, [...model.parameters.values()]);
      expectClose([actual], [regularization], ofValues);
      expectGradients(model, grads, gradients);
    });
  });

  function expectGradients(
    model: ResNet,
    gradients: Readonly<Record<string, tf.Tensor>>,
    expected: GradientSummary,
  ): void {
    for (const [name, variable] of model.parameters) {
      const gradient = toTorchLayout(gradients[variable.name] ?? tf.zerosLike(variable));
      const values = gradient.dataSync();
      let squares = 0;
      let product = 0;
      values.forEach((value, index) => {
        squares += value * value;
        product += value * Math.cos(index);
      });
      const [norm, wanted] = expected[name];
      expectClose([Math.sqrt(squares)], [norm], ofGradients);
      // The product is a sum of terms of the size of the norm.
      expectClose([product], [wanted], ofGradients, norm);
    }
  }

  function toTorchLayout(gradient: tf.Tensor): tf.Tensor {
    return gradient.rank === 4 ? tf.transpose(gradient, [3, 2, 0, 1]) : tf.transpose(gradient);
  }

  function patchOf([top, left, bottom, right]: [number, number, number, number]) {
    return { top, left, height: bottom - top, width: right - left };
  }

  /** The generator of fixtures/resnet_fixtures.py. */
  function linearCongruential(seed: number): (low: number, high: number) => number {
    let state = seed >>> 0;
    return (low, high) => {
      state = (Math.imul(1664525, state) + 1013904223) >>> 0;
      return low + ((high - low) * state) / 2 ** 32;
    };
  }

  /** The weights of fixtures/resnet_fixtures.py, which draws them in the order of PyTorch's state. */
  async function drawWeights(model: ResNet, uniform: (low: number, high: number) => number) {
    const { arrays } = await exportResNetWeights(model);
    const names = Object.keys(arrays).filter((name) => !name.includes("running_"));
    const ordered = names.flatMap((name) =>
      name.endsWith(".bias") && name !== "fc.bias"
        ? [name, name.replace(/bias$/, "running_mean"), name.replace(/bias$/, "running_var")]
        : [name],
    );
    for (const name of ordered) {
      const { shape, data } = arrays[name];
      const [low, high] = rangeOf(name, shape);
      for (let i = 0; i < data.length; i++) data[i] = uniform(low, high);
    }
    return { arrays };
  }

  function rangeOf(name: string, shape: readonly number[]): [number, number] {
    if (shape.length === 4) {
      const bound = Math.sqrt(6 / (shape[0] * shape[2] * shape[3]));
      return [-bound, bound];
    }
    if (name.endsWith("running_var")) return [0.5, 2];
    if (name.endsWith("bn3.weight")) return [0.1, 0.4];
    return name.endsWith("weight") && shape.length === 1 ? [0.5, 1.5] : [-0.3, 0.3];
  }
});
