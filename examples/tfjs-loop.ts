/**
 * A hierarchical factorization as one layer of a larger TensorFlow.js model, in a training loop of one's own.
 *
 *   node examples/tfjs-loop.ts [simd|cpu]
 *
 * Is a handwritten digit a 3 or a 5? Each quarter of the image goes through the same small dense layer; the four
 * feature vectors are the inputs of a factorization of order 4, whose value is the logit. That is a
 * convolutional arithmetic circuit. Nothing in the loss asks for low rank, but after a small start the upper and
 * the lower half of the image are hardly entangled, at the same accuracy as after a larger one.
 */
import { registerMissingGradients } from "@implicit-rank/locality-bias";
import { createRandom } from "@implicit-rank/random";
import { registerSimdBackend } from "@implicit-rank/simd-backend/tfjs";
import {
  createFactorization,
  createHierarchicalMetrics,
  hierarchicalSpec,
  initializeNormal,
  localComponentNorms,
} from "@implicit-rank/tensor-factorization";
import {
  assignParameters,
  forward,
  parameterTensors,
} from "@implicit-rank/tensor-factorization/tfjs";
import * as tf from "@tensorflow/tfjs-core";
import "@tensorflow/tfjs-backend-cpu";
import { digitsOf } from "./mnist-digits.ts";

tf.enableProdMode();
await registerSimdBackend();
await tf.setBackend(process.argv[2] ?? "simd");
// tfjs-core alone has no gradients in Node. Where you import `@tensorflow/tfjs`, it brings them itself.
registerMissingGradients();

const [side, half, features, batchSize] = [28, 14, 8, 50];

interface Batch {
  /** The quarters top left, top right, bottom left, bottom right: images × pixels each. */
  readonly quarters: readonly tf.Tensor2D[];
  /** 1 for a 5, -1 for a 3. */
  readonly signs: tf.Tensor1D;
}

/** Twenty batches of digits in a random order: the last four are to test on. */
function loadBatches(): Batch[] {
  const digits = [3, 5].flatMap((label) => digitsOf(label).slice(0, 500));
  createRandom(1).shuffle(digits);
  return Array.from({ length: digits.length / batchSize }, (_, number) => {
    const chosen = digits.slice(number * batchSize, (number + 1) * batchSize);
    const pixels = chosen.map((digit) => Float32Array.from(digit.pixels, (gray) => gray / 255));
    const images = tf.tensor3d(Float32Array.from(pixels.flatMap((image) => [...image])), [
      batchSize,
      side,
      side,
    ]);
    const quarter = (top: number, left: number): tf.Tensor2D =>
      tf.reshape(tf.slice(images, [0, top, left], [batchSize, half, half]), [batchSize, half ** 2]);
    return {
      quarters: [quarter(0, 0), quarter(0, half), quarter(half, 0), quarter(half, half)],
      signs: tf.tensor1d(chosen.map(({ label }) => (label === 5 ? 1 : -1))),
    };
  });
}

/** Trains with parameters of the factorization of this size at first, then measures what was found. */
async function train(start: number, batches: readonly Batch[]): Promise<void> {
  const spec = hierarchicalSpec({ modeSizes: Array(4).fill(features), widths: [8, 8] });
  const factorization = { ...createFactorization(spec), spec };
  initializeNormal(factorization, createRandom(2), { std: start });

  // The factorization's matrices become variables like those of any other layer.
  const matrices = parameterTensors(factorization).map((matrix) => tf.variable(matrix));
  const weights = tf.variable(tf.randomNormal([half ** 2, features], 0, 0.1, "float32", 3));
  const biases = tf.variable(tf.ones([features]));
  const logits = (quarters: readonly tf.Tensor2D[]): tf.Tensor1D =>
    forward(
      spec,
      matrices,
      quarters.map((pixels) => tf.relu(tf.add(tf.matMul(pixels, weights as tf.Tensor2D), biases))),
    );

  const training = batches.slice(0, -4);
  const optimizer = tf.train.adam(0.01);
  console.log(`start ${start}`);
  for (let step = 0; step <= 100; step++) {
    const { quarters, signs } = training[step % training.length]!;
    const loss = (): tf.Scalar => tf.mean(tf.softplus(tf.neg(tf.mul(signs, logits(quarters)))));
    const value = optimizer.minimize(loss, true)!;
    if (step % 50 === 0) console.log(`  step ${step}: loss ${value.dataSync()[0]!.toFixed(4)}`);
    value.dispose();
  }

  const right = tf.tidy(() =>
    batches.slice(-4).map(({ quarters, signs }) => {
      const agreement = tf.mul(logits(quarters), signs);
      return tf.mean(tf.cast(tf.greater(agreement, 0), "float32")).dataSync()[0]!;
    }),
  );
  const accuracy = right.reduce((sum, share) => sum + share) / right.length;
  console.log(`  accuracy on unseen digits ${(100 * accuracy).toFixed(1)}%`);

  // All metrics of the library work on the factorization once it has the values of the variables.
  await assignParameters(factorization, matrices);
  const metrics = createHierarchicalMetrics(factorization);
  const values = new Float64Array(metrics.infos.length);
  metrics.evaluate(values);
  const rank = values[metrics.infos.findIndex(({ name }) => name === "mat_0_1_eff_rank")]!;
  console.log(`  effective rank between upper and lower half ${rank.toFixed(2)} of at most 8`);
  const norms = Array.from(localComponentNorms(factorization, 1, 0), (norm) => norm.toFixed(3));
  console.log(`  local components at the root ${norms.join(" ")}`);
  tf.dispose([...matrices, weights, biases]);
  optimizer.dispose();
}

const batches = loadBatches();
await train(0.1, batches);
await train(0.3, batches);
