import * as tf from "@tensorflow/tfjs-core";
import { beforeAll, describe, expect, test } from "vitest";
import { inputGradientChange, outputAndInputGradient, regularizedLoss } from "../src/index.ts";
import { backends, useBackend } from "./backends.ts";
import { expectClose } from "./closeness.ts";
import { fromTorch, fromTorchImages, goldenCases, readGolden } from "./golden.ts";

describe.each(backends)("on backend %s", (backend) => {
  beforeAll(() => useBackend(backend));

  // The tolerances that the issue states: values 1e-5, gradients 1e-4 of the largest entry.
  const ofValues = 1e-5;
  const ofGradients = 1e-4;

  describe.each(goldenCases)("%s, computed with PyTorch", (name) => {
    test("logits and input gradient", () => {
      const { forward, x, labels, expected } = readGolden(name);
      const { logits, gradient } = outputAndInputGradient(forward, x, labels);
      expectClose(logits.dataSync(), expected.logits.data, ofValues);
      const wanted = fromTorchImages(expected.input_gradient);
      expectClose(gradient.dataSync(), wanted.dataSync(), ofGradients);
    });

    test("the regularization and its gradients", () => {
      const { parameters, forward, x, labels, patches, expected } = readGolden(name);
      const { value, grads } = tf.variableGrads(
        () => inputGradientChange({ forward, x, labels, patches }).change,
        [...parameters],
      );
      expect(value.dataSync()[0]).toBeCloseTo(expected.regularization, 5);
      expectGradients(parameters, grads, expected.gradients_of_regularization);
    });

    test("the whole loss and its gradients", () => {
      const { parameters, forward, x, labels, patches, expected } = readGolden(name);
      const { coefficient } = expected;
      let ofTask = Number.NaN;
      const { value, grads } = tf.variableGrads(() => {
        const result = regularizedLoss({ forward, x, labels, coefficient, patches });
        ofTask = result.taskLoss.dataSync()[0];
        return result.loss;
      }, [...parameters]);
      expect(ofTask).toBeCloseTo(expected.task_loss, 5);
      const total = expected.task_loss + coefficient * expected.regularization;
      expect(value.dataSync()[0]).toBeCloseTo(total, 5);
      expectGradients(parameters, grads, expected.gradients_of_total);
    });
  });

  /** A gradient that is zero may also be missing: a bias does not reach the input gradient. */
  function expectGradients(
    parameters: readonly tf.Variable[],
    gradients: Readonly<Record<string, tf.Tensor>>,
    expected: readonly Parameters<typeof fromTorch>[0][],
  ): void {
    parameters.forEach((parameter, index) => {
      const actual = gradients[parameter.name] ?? tf.zerosLike(parameter);
      expectClose(actual.dataSync(), fromTorch(expected[index]).dataSync(), ofGradients);
    });
  }
});
