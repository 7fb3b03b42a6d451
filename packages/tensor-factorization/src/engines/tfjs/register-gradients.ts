import * as tf from "@tensorflow/tfjs-core";

/**
 * Registers the gradients that `forward` goes through, where none are registered.
 *
 * `@tensorflow/tfjs-core` alone registers none in Node: only the bundle `@tensorflow/tfjs` does, and
 * its separate gradient files cannot be imported there. These four are themselves made of the same
 * operations, so that gradients can be differentiated again.
 */
export function registerGradients(): void {
  for (const config of gradients) {
    if (tf.getGradient(config.kernelName) === undefined) tf.registerGradient(config);
  }
}

const gradients: readonly tf.GradConfig[] = [
  {
    kernelName: tf.Reshape,
    inputsToSave: ["x"],
    gradFunc: (dy, saved) => ({ x: () => tf.reshape(single(dy), saved[0].shape) }),
  },
  {
    kernelName: tf.Sum,
    inputsToSave: ["x"],
    gradFunc: (dy, [x], attributes) => {
      const { axis } = attributes as unknown as tf.SumAttrs;
      const kept = x.shape.slice();
      for (const summed of tf.util.parseAxisParam(axis, x.shape)) kept[summed] = 1;
      return { x: () => tf.mul(tf.reshape(single(dy), kept), tf.ones(x.shape)) };
    },
  },
  {
    kernelName: tf.Multiply,
    inputsToSave: ["a", "b"],
    gradFunc: (dy, [a, b]) => ({
      a: () => sumToShape(tf.mul(single(dy), b), a.shape),
      b: () => sumToShape(tf.mul(single(dy), a), b.shape),
    }),
  },
  {
    kernelName: tf.BatchMatMul,
    inputsToSave: ["a", "b"],
    gradFunc: (dy, [a, b], attributes) => {
      const { transposeA, transposeB } = attributes as unknown as tf.BatchMatMulAttrs;
      const out = single(dy);
      return {
        a: () =>
          transposeA ? tf.matMul(b, out, transposeB, true) : tf.matMul(out, b, false, !transposeB),
        b: () =>
          transposeB ? tf.matMul(out, a, true, transposeA) : tf.matMul(a, out, !transposeA, false),
      };
    },
  },
];

function single(dy: tf.Tensor | tf.Tensor[]): tf.Tensor {
  return Array.isArray(dy) ? dy[0] : dy;
}

/** Adds up the axes along which an operand of `shape` was broadcast. */
function sumToShape(gradient: tf.Tensor, shape: number[]): tf.Tensor {
  const axes = tf.broadcast_util.getReductionAxes(shape, gradient.shape);
  return tf.reshape(axes.length > 0 ? tf.sum(gradient, axes) : gradient, shape);
}
