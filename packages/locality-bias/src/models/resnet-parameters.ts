import type { Random } from "@implicit-rank/random";
import * as tf from "@tensorflow/tfjs-core";
import { convolutionsOf, type ResNetLayout } from "./resnet-layout.ts";

/** The first parameters and statistics of a ResNet, as torchvision draws them. */
export function initializeResNet(layout: ResNetLayout, random: Random) {
  const parameters = new Map<string, tf.Variable>();
  const statistics = new Map<string, tf.Variable>();
  for (const { name, batchNorm, size, channelsIn, channelsOut } of convolutionsOf(layout)) {
    const filter = new Float32Array(size * size * channelsIn * channelsOut);
    random.fillNormal(filter, 0, Math.sqrt(2 / (size * size * channelsOut)));
    const shape = [size, size, channelsIn, channelsOut];
    parameters.set(`${name}.weight`, variable(filter, shape, true));
    parameters.set(`${batchNorm}.weight`, variable(filled(channelsOut, 1), [channelsOut], true));
    parameters.set(`${batchNorm}.bias`, variable(filled(channelsOut, 0), [channelsOut], true));
    statistics.set(`${batchNorm}.running_mean`, variable(filled(channelsOut, 0), [channelsOut]));
    statistics.set(`${batchNorm}.running_var`, variable(filled(channelsOut, 1), [channelsOut]));
  }
  const { features, outputs } = layout;
  const bound = 1 / Math.sqrt(features);
  const weight = uniform(features * outputs, bound, random);
  parameters.set("fc.weight", variable(weight, [features, outputs], true));
  parameters.set("fc.bias", variable(uniform(outputs, bound, random), [outputs], true));
  return { parameters, statistics };
}

const filled = (length: number, value: number): Float32Array =>
  new Float32Array(length).fill(value);

const uniform = (length: number, bound: number, random: Random): Float32Array =>
  Float32Array.from({ length }, () => (2 * random.uniform() - 1) * bound);

/** tfjs wants names to be unique over all models, so these have none of their own. */
function variable(values: Float32Array, shape: number[], trainable = false): tf.Variable {
  const initial = tf.tensor(values, shape);
  const created = tf.variable(initial, trainable);
  initial.dispose();
  return created;
}
