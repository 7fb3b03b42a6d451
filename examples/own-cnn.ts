// A convolutional network of your own, trained with the input-gradient-change regularizer.
// Task: are the marks at both ends of an image the same? The ends are far apart, and the network is local.
import {
  createAdam,
  type Forward,
  type Patch,
  isSamePatches,
  regularizedLoss,
} from "@implicit-rank/locality-bias";
import { createRandom, type Random } from "@implicit-rank/random";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";

tf.enableProdMode();
await tf.setBackend("cpu");
const [height, width, samples] = [4, 10, 12];
const left: Patch = { top: 0, left: 0, height: 4, width: 3 };
const right: Patch = { ...left, left: width - 3 };

/** Each end is bright or dark; label 1 if both are the same. */
function drawBatch(random: Random): { x: tf.Tensor4D; labels: tf.Tensor1D } {
  const pixels = new Float32Array(samples * height * width);
  random.fillNormal(pixels, 0, 0.3);
  const labels = new Int32Array(samples);
  for (let n = 0; n < samples; n++) {
    const ends = [random.int(2), random.int(2)];
    labels[n] = ends[0] === ends[1] ? 1 : 0;
    [left, right].forEach((place, end) => {
      for (let row = 0; row < place.height; row++) {
        const first = (n * height + row) * width + place.left;
        for (let i = first; i < first + place.width; i++) pixels[i] += ends[end] === 1 ? 1 : -1;
      }
    });
  }
  return { x: tf.tensor4d(pixels, [samples, height, width, 1]), labels: tf.tensor1d(labels) };
}

/** 5×5 convolutions and tanh, a mean over all places, and a linear layer: any function of this type will do. */
const random = createRandom(3);
const normal = (shape: number[], deviation: number): tf.Variable => {
  const values = new Float32Array(tf.util.sizeFromShape(shape));
  random.fillNormal(values, 0, deviation);
  return tf.variable(tf.reshape(tf.tensor1d(values), shape));
};
const first = normal([5, 5, 1, 8], 0.3) as tf.Variable<tf.Rank.R4>;
const second = normal([5, 5, 8, 8], 0.1) as tf.Variable<tf.Rank.R4>;
const linear = normal([8, 1], 1) as tf.Variable<tf.Rank.R2>;
const forward: Forward = (x) => {
  const hidden = tf.tanh(tf.conv2d(x, first, 2, "same"));
  const features = tf.mean(tf.tanh(tf.conv2d(hidden, second, 2, "same")), [1, 2]) as tf.Tensor2D;
  return tf.matMul(features, linear);
};

const parameters = new Map<string, tf.Variable>(Object.entries({ first, second, linear }));
const optimizer = createAdam(parameters, { learningRate: 0.02 });
for (let step = 0; step <= 60; step++) {
  tf.tidy(() => {
    const { x, labels } = drawBatch(random);
    const patches = isSamePatches([left, right], random);
    let report = "";
    const { grads } = tf.variableGrads(() => {
      const { loss, taskLoss, regularization } = regularizedLoss({
        forward,
        x,
        labels,
        coefficient: 0.5,
        patches,
      });
      const [task, change] = [taskLoss, regularization].map((value) => value.dataSync()[0]!);
      report = `task loss ${task!.toFixed(3)}, input gradient change ${change!.toFixed(3)}`;
      return loss;
    }, [...parameters.values()]);
    optimizer.update(new Map(Array.from(parameters, ([name, v]) => [name, grads[v.name]!])));
    if (step % 20 === 0) console.log(`step ${step}: ${report}`);
  });
}
