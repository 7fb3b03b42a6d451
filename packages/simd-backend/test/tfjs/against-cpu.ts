import * as tf from "@tensorflow/tfjs-core";
import { expect } from "vitest";
import { numbers, uniform } from "../reference.ts";
import { onCpu } from "./backends.ts";

const UNIT = 2 ** -24;

export function randomTensor(seed: number, shape: readonly number[]): tf.Tensor {
  const length = tf.util.sizeFromShape([...shape]);
  return tf.tensor(uniform(numbers(seed), length), [...shape]);
}

/**
 * Sums of `terms` products of the operands, on both backends. Each is off by at most terms · 2^-24 times the sum of the
 * products' magnitudes (Higham, Accuracy and Stability, §3.1), which is the same sum for the operands' magnitudes.
 */
export async function expectSums(
  compute: (...operands: tf.Tensor[]) => tf.Tensor,
  operands: readonly tf.Tensor[],
  terms: number,
  context: string,
): Promise<void> {
  // The operands move to the heap once.
  compute(...operands).dispose();
  const before = tf.memory();
  const result = compute(...operands);
  const [actual, { shape, dtype }] = [result.dataSync(), result];
  result.dispose();
  expect(tf.memory(), `${context}: memory`).toEqual(before);
  const copies = operands.map((operand) => ({ values: operand.dataSync(), shape: operand.shape }));
  const { expected, bounds } = await onCpu(() =>
    tf.tidy(() => {
      const tensors = copies.map(({ values, shape: own }) => tf.tensor(values, own));
      const reference = compute(...tensors);
      expect({ shape, dtype }, context).toEqual({ shape: reference.shape, dtype: reference.dtype });
      const magnitudes = compute(...tensors.map((tensor) => tf.abs(tensor)));
      return { expected: reference.dataSync(), bounds: magnitudes.dataSync() };
    }),
  );
  for (let i = 0; i < expected.length; i++) {
    const bound = (2 * terms + 10) * UNIT * bounds[i]!;
    if (!(Math.abs(actual[i]! - expected[i]!) <= bound)) {
      expect.fail(`${context}: entry ${i} is ${actual[i]}, not ${expected[i]} ± ${bound}`);
    }
  }
}
