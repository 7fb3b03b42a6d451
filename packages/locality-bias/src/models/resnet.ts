import type { Random } from "@implicit-rank/random";
import * as tf from "@tensorflow/tfjs-core";
import { addAlike } from "../autodiff/add-alike.ts";
import { batchNormalizationTraining } from "../autodiff/batch-normalization.ts";
import { maxPool } from "../autodiff/max-pooling.ts";
import { registerMissingGradients } from "../autodiff/missing-gradients.ts";
import { relu } from "../autodiff/relu.ts";
import { LocalityBiasError } from "../errors.ts";
import { dropout } from "./dropout.ts";
import type { ApplyOptions, Model } from "./model.ts";
import {
  type ConvolutionLayer,
  type ResidualBlock,
  type ResNetDepth,
  type ResNetLayout,
  resNetLayout,
  type Stem,
} from "./resnet-layout.ts";
import { initializeResNet } from "./resnet-parameters.ts";
import { batchNormEpsilon, moveRunningStatistics } from "./running-statistics.ts";

/** The shape of a residual network. */
export interface ResNetOptions {
  readonly depth: ResNetDepth;
  /** Of the images: 3 or 1, or any number. */
  readonly channels: number;
  /** Logits; default 1. */
  readonly outputs?: number;
  /** Channels of the first stage, default 64; fewer make a model for a CPU. */
  readonly width?: number;
  /**
   * "imagenet" (default): 7×7 convolution with stride 2, then 3×3 max pooling with stride 2.
   * "small": 3×3 convolution with stride 1 and no pooling, for small images.
   */
  readonly stem?: Stem;
  /** Probability with which an activation is dropped in training; default 0. */
  readonly dropout?: number;
  /** Draws the first parameters. */
  readonly random: Random;
}

/** A ResNet also tells its layout: which layers there are, under which names. */
export interface ResNet extends Model {
  readonly layout: ResNetLayout;
}

/**
 * A ResNet in torchvision's layout (He et al. 2015, arXiv 1512.03385), from scratch: convolutions
 * Kaiming-normal by fan-out, batch norm 1 and 0, the linear layer uniform in ±1/√features.
 *
 * Dropout acts on the results of the first three stages and of the global average pooling.
 *
 * @throws LocalityBiasError if a size is not a positive integer, the depth is not one of the five, or
 *   dropout is not in [0, 1).
 */
export function createResNet(options: ResNetOptions): ResNet {
  const { depth, channels, outputs = 1, width = 64, stem = "imagenet", random } = options;
  const { dropout: dropoutProbability = 0 } = options;
  if (!(dropoutProbability >= 0 && dropoutProbability < 1)) {
    throw new LocalityBiasError(`--dropout: is ${dropoutProbability}; give a number in [0, 1)`);
  }
  const layout = resNetLayout({ depth, channels, outputs, width, stem });
  const { parameters, statistics } = initializeResNet(layout, random);
  return {
    layout,
    parameters,
    statistics,
    apply: (x, applyOptions) => {
      registerMissingGradients();
      checkImages(x, channels);
      const network = { layout, parameters, statistics, dropoutProbability, ...applyOptions };
      return tf.tidy(() => forward(network, x));
    },
    dispose: () => {
      for (const variable of [...parameters.values(), ...statistics.values()]) variable.dispose();
    },
  };
}

interface Network extends ApplyOptions {
  readonly layout: ResNetLayout;
  readonly parameters: ReadonlyMap<string, tf.Variable>;
  readonly statistics: ReadonlyMap<string, tf.Variable>;
  readonly dropoutProbability: number;
}

function forward(network: Network, images: tf.Tensor4D): tf.Tensor2D {
  const { layout, parameters } = network;
  let x = tf.tidy(() => {
    const stem = relu(convolveAndNormalize(network, layout.stem, images));
    return layout.hasStemPooling ? maxPool(stem, { size: 3, stride: 2, padding: 1 }) : stem;
  });
  layout.stages.forEach((blocks, stage) => {
    // Each in a scope of its own, so that what no gradient needs is freed at once.
    for (const block of blocks) x = tf.tidy(() => applyBlock(network, block, x));
    if (stage < layout.stages.length - 1) x = drop(network, x);
  });
  const pooled = drop(network, tf.mean(x, [1, 2]) as tf.Tensor2D);
  const weight = parameters.get("fc.weight") as tf.Tensor2D;
  return tf.add(tf.matMul(pooled, weight), parameters.get("fc.bias")!);
}

/** relu(convolutions(x) + shortcut(x)), with a ReLU between the convolutions. */
function applyBlock(network: Network, block: ResidualBlock, x: tf.Tensor4D): tf.Tensor4D {
  let residual = x;
  block.convolutions.forEach((layer, index) => {
    residual = convolveAndNormalize(network, layer, index > 0 ? relu(residual) : residual);
  });
  const { downsample } = block;
  const shortcut = downsample === undefined ? x : convolveAndNormalize(network, downsample, x);
  return relu(addAlike(residual, shortcut));
}

function convolveAndNormalize(
  network: Network,
  layer: ConvolutionLayer,
  x: tf.Tensor4D,
): tf.Tensor4D {
  const { parameters } = network;
  const filter = parameters.get(`${layer.name}.weight`) as tf.Tensor4D;
  const convolved = tf.conv2d(x, filter, layer.stride, (layer.size - 1) / 2);
  return batchNormalize(network, layer.batchNorm, convolved);
}

function batchNormalize(network: Network, name: string, x: tf.Tensor4D): tf.Tensor4D {
  const { parameters, statistics, training } = network;
  const scale = parameters.get(`${name}.weight`) as tf.Tensor1D;
  const offset = parameters.get(`${name}.bias`) as tf.Tensor1D;
  const runningMean = statistics.get(`${name}.running_mean`) as tf.Variable<tf.Rank.R1>;
  const runningVariance = statistics.get(`${name}.running_var`) as tf.Variable<tf.Rank.R1>;
  if (!training) {
    return tf.batchNorm4d(x, runningMean, runningVariance, offset, scale, batchNormEpsilon);
  }
  const normalized = batchNormalizationTraining(x, scale, offset, batchNormEpsilon);
  const count = x.size / x.shape[3];
  moveRunningStatistics({ name, runningMean, runningVariance }, normalized, count);
  return normalized.y;
}

function drop<T extends tf.Tensor>(network: Network, x: T): T {
  const { training, dropoutProbability, random } = network;
  if (!training || dropoutProbability === 0) return x;
  if (random === undefined) {
    throw new LocalityBiasError("model: give apply a random generator to train with dropout");
  }
  return dropout(x, dropoutProbability, random);
}

function checkImages(x: tf.Tensor, channels: number): void {
  if (x.rank !== 4 || x.shape[3] !== channels) {
    const expected = `[samples, height, width, ${channels}]`;
    throw new LocalityBiasError(`model: images of shape [${x.shape.join(", ")}]; give ${expected}`);
  }
}
