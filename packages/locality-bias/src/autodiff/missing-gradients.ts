import * as tf from "@tensorflow/tfjs-core";
import { registerBatchNormalizationGradients } from "./batch-normalization.ts";
import { convolutionGradients } from "./convolution-gradients.ts";
import { detach } from "./detach.ts";
import { registerMissingGradient } from "./kernels.ts";
import { registerMaxPoolingGradients } from "./max-pooling.ts";
import { registerReluGradient } from "./relu.ts";

/**
 * Makes the operations of usual convolutional networks twice differentiable. Called by everything in this
 * package that differentiates; it takes effect once.
 *
 * Where tfjs has registered a gradient, that one stays, with one exception. A gradient that is written in
 * the result of its operation (exp, tanh, softmax …) cannot be differentiated by tfjs: its tape notes the
 * saved result before the operation itself, finds no path from the input to it, and leaves out a term of
 * the second derivative without an error. Those are replaced by equal ones that are written in the input.
 *
 * `@tensorflow/tfjs-core` alone registers no gradients in Node: only the bundle `@tensorflow/tfjs` does.
 * And tfjs itself has no gradient for the kernels MaxPoolGrad, AvgPoolGrad and Conv2DBackpropFilter.
 */
export function registerMissingGradients(): void {
  registerReluGradient();
  registerMaxPoolingGradients();
  registerBatchNormalizationGradients();
  for (const config of gradients) registerMissingGradient(config);
  for (const config of replacements) {
    if (tf.getGradient(config.kernelName) !== config) tf.registerGradient(config);
  }
}

type Derivative = (
  dy: tf.Tensor,
  saved: tf.Tensor,
  attributes: Readonly<Record<string, unknown>>,
) => tf.Tensor;

/** An elementwise operation whose derivative is written in its input. */
const ofInput = (kernelName: string, derivative: Derivative): tf.GradConfig => ({
  kernelName,
  inputsToSave: ["x"],
  gradFunc: (dy, [x], attributes) => ({
    x: () => derivative(dy as tf.Tensor, x, { ...attributes }),
  }),
});

/** One whose derivative is a constant: nothing is saved. */
const ofNothing = (
  kernelName: string,
  derivative: (dy: tf.Tensor) => tf.Tensor,
): tf.GradConfig => ({
  kernelName,
  gradFunc: (dy) => ({ x: () => derivative(dy as tf.Tensor) }),
});

const elementwise: readonly tf.GradConfig[] = [
  ofInput(tf.Relu, (dy, x) => tf.mul(dy, tf.step(detach(x)))),
  ofInput(tf.LeakyRelu, (dy, x, { alpha }) => tf.mul(dy, tf.step(detach(x), alpha as number))),
  ofInput(tf.Abs, (dy, x) => tf.mul(dy, tf.sign(detach(x)))),
  ofNothing(tf.Step, (dy) => tf.zerosLike(dy)),
  ofNothing(tf.LogicalNot, (dy) => tf.zerosLike(dy)),
  ofNothing(tf.Sign, (dy) => tf.zerosLike(dy)),
  ofNothing(tf.ZerosLike, (dy) => tf.zerosLike(dy)),
  ofNothing(tf.OnesLike, (dy) => tf.zerosLike(dy)),
  ofNothing(tf.Identity, (dy) => tf.cast(dy, "float32")),
  ofNothing(tf.Cast, (dy) => tf.cast(dy, "float32")),
  ofNothing(tf.Neg, (dy) => tf.neg(dy)),
  ofInput(tf.Square, (dy, x) => tf.mul(dy, tf.mul(x, 2))),
  ofInput(tf.Log, (dy, x) => tf.div(dy, x)),
  ofInput(tf.Log1p, (dy, x) => tf.div(dy, tf.add(x, 1))),
  ofInput(tf.Softplus, (dy, x) => tf.mul(dy, tf.sigmoid(x))),
  ofInput(tf.Erf, (dy, x) =>
    tf.mul(dy, tf.mul(tf.exp(tf.neg(tf.square(x))), 2 / Math.sqrt(Math.PI))),
  ),
  ofInput(tf.Sqrt, (dy, x) => tf.mul(tf.mul(dy, tf.rsqrt(x)), 0.5)),
  ofInput(tf.Rsqrt, (dy, x) => tf.mul(tf.div(tf.mul(dy, tf.rsqrt(x)), x), -0.5)),
  ofInput(tf.Reciprocal, (dy, x) => tf.neg(tf.div(dy, tf.square(x)))),
];

/** tfjs writes these in their results. */
const replacements: readonly tf.GradConfig[] = [
  ofInput(tf.Exp, (dy, x) => tf.mul(dy, tf.exp(x))),
  ofInput(tf.Expm1, (dy, x) => tf.mul(dy, tf.exp(x))),
  ofInput(tf.Elu, (dy, x) => tf.mul(dy, tf.exp(tf.neg(tf.relu(tf.neg(x)))))),
  ofInput(tf.Sigmoid, (dy, x) => {
    const y = tf.sigmoid(x);
    return tf.mul(dy, tf.mul(y, tf.sub(1, y)));
  }),
  ofInput(tf.Tanh, (dy, x) => tf.mul(dy, tf.sub(1, tf.square(tf.tanh(x))))),
  {
    kernelName: tf.Softmax,
    inputsToSave: ["logits"],
    gradFunc: (dy, [logits], attributes) => ({
      logits: () => {
        const { dim } = attributes as unknown as tf.SoftmaxAttrs;
        const y = tf.softmax(logits, dim);
        const weighted = tf.mul(single(dy), y);
        return tf.sub(weighted, tf.mul(tf.sum(weighted, dim, true), y));
      },
    }),
  },
];

/** Comparisons and what is made of them jump: their derivative is 0 wherever there is one. */
const comparisons: readonly tf.GradConfig[] = [
  tf.Greater,
  tf.GreaterEqual,
  tf.Less,
  tf.LessEqual,
  tf.Equal,
  tf.NotEqual,
  tf.LogicalAnd,
  tf.LogicalOr,
].map((kernelName) => ({
  kernelName,
  inputsToSave: ["a", "b"],
  gradFunc: (_, [a, b]) => ({
    a: () => tf.zeros(a.shape),
    b: () => tf.zeros(b.shape),
  }),
}));

/** The kernels with operands a and b that broadcast. */
const binary: readonly tf.GradConfig[] = [
  {
    kernelName: tf.Add,
    inputsToSave: ["a", "b"],
    gradFunc: (dy, [a, b]) => ({ a: () => sumToShape(dy, a), b: () => sumToShape(dy, b) }),
  },
  {
    kernelName: tf.Sub,
    inputsToSave: ["a", "b"],
    gradFunc: (dy, [a, b]) => ({
      a: () => sumToShape(dy, a),
      b: () => tf.neg(sumToShape(dy, b)),
    }),
  },
  {
    kernelName: tf.Multiply,
    inputsToSave: ["a", "b"],
    gradFunc: (dy, [a, b]) => ({
      a: () => sumToShape(tf.mul(single(dy), b), a),
      b: () => sumToShape(tf.mul(single(dy), a), b),
    }),
  },
  {
    kernelName: tf.RealDiv,
    inputsToSave: ["a", "b"],
    gradFunc: (dy, [a, b]) => ({
      a: () => sumToShape(tf.div(single(dy), b), a),
      b: () => tf.neg(sumToShape(tf.div(tf.mul(single(dy), a), tf.square(b)), b)),
    }),
  },
  {
    kernelName: tf.Select,
    inputsToSave: ["condition"],
    gradFunc: (dy, [condition]) => {
      const chosen = () => tf.cast(condition, "float32");
      return {
        condition: () => tf.zerosLike(chosen()),
        t: () => tf.mul(single(dy), chosen()),
        e: () => tf.mul(single(dy), tf.sub(1, chosen())),
      };
    },
  },
];

const reductions: readonly tf.GradConfig[] = [
  {
    kernelName: tf.Sum,
    inputsToSave: ["x"],
    gradFunc: (dy, [x], attributes) => ({
      x: () => spread(withReducedAxes(dy, x, attributes), x.shape),
    }),
  },
  {
    kernelName: tf.Mean,
    inputsToSave: ["x"],
    gradFunc: (dy, [x], attributes) => ({
      x: () => {
        const share = tf.mul(single(dy), single(dy).size / x.size);
        return spread(withReducedAxes(share, x, attributes), x.shape);
      },
    }),
  },
  {
    kernelName: tf.Max,
    inputsToSave: ["x"],
    outputsToSave: [true],
    gradFunc: (dy, [x, y], attributes) => ({
      x: () => {
        const largest = withReducedAxes(detach(y), x, attributes);
        const isLargest = tf.cast(tf.equal(detach(x), largest), "float32");
        return tf.mul(withReducedAxes(dy, x, attributes), isLargest);
      },
    }),
  },
];

const shapes: readonly tf.GradConfig[] = [
  {
    kernelName: tf.BroadcastTo,
    inputsToSave: ["x"],
    gradFunc: (dy, [x]) => ({ x: () => sumToShape(dy, x) }),
  },
  {
    kernelName: tf.Tile,
    inputsToSave: ["x"],
    gradFunc: (dy, [x], attributes) => ({
      x: () => {
        const { reps } = attributes as unknown as tf.TileAttrs;
        const split = x.shape.flatMap((size, axis) => [reps[axis], size]);
        const copies = x.shape.map((_, axis) => 2 * axis);
        return tf.sum(tf.reshape(single(dy), split), copies);
      },
    }),
  },
  ofInput(tf.Reshape, (dy, x) => tf.reshape(dy, x.shape)),
  {
    kernelName: tf.ExpandDims,
    inputsToSave: ["input"],
    gradFunc: (dy, [input]) => ({ input: () => tf.reshape(single(dy), input.shape) }),
  },
  {
    kernelName: tf.Transpose,
    gradFunc: (dy, _, attributes) => {
      const { perm } = attributes as unknown as tf.TransposeAttrs;
      return { x: () => tf.transpose(single(dy), tf.backend_util.getUndoAxesPermutation(perm)) };
    },
  },
  {
    kernelName: tf.Slice,
    inputsToSave: ["x"],
    gradFunc: (dy, [x], attributes) => ({
      x: () => {
        const { begin, size } = attributes as unknown as tf.SliceAttrs;
        const [first, count] = tf.slice_util.parseSliceParams(x, begin, size);
        const paddings = x.shape.map((length, axis): [number, number] => [
          first[axis],
          length - first[axis] - count[axis],
        ]);
        return tf.pad(single(dy), paddings);
      },
    }),
  },
  {
    kernelName: tf.PadV2,
    inputsToSave: ["x"],
    gradFunc: (dy, [x], attributes) => ({
      x: () => {
        const { paddings } = attributes as unknown as tf.PadV2Attrs;
        const first = paddings.map(([before]) => before);
        return tf.slice(single(dy), first, x.shape);
      },
    }),
  },
  {
    kernelName: tf.Concat,
    saveAllInputs: true,
    gradFunc: (dy, saved, attributes) => {
      const { axis } = attributes as unknown as tf.ConcatAttrs;
      const [along] = tf.util.parseAxisParam(axis, saved[0].shape);
      let next = 0;
      const parts = saved.map((part) => {
        const first = part.shape.map((_, d) => (d === along ? next : 0));
        next += part.shape[along];
        return () => tf.slice(single(dy), first, part.shape);
      });
      return Object.fromEntries(parts.map((part, index) => [index.toString(), part]));
    },
  },
];

const layers: readonly tf.GradConfig[] = [
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
  {
    kernelName: tf.AvgPool,
    inputsToSave: ["x"],
    gradFunc: (dy, [x], attributes) => ({
      x: () =>
        tf.engine().runKernel(tf.AvgPoolGrad, { dy: single(dy), input: detach(x) }, attributes),
    }),
  },
  {
    kernelName: tf.AvgPoolGrad,
    inputsToSave: ["input"],
    gradFunc: (ddx, [input], attributes) => ({
      dy: () => tf.engine().runKernel(tf.AvgPool, { x: single(ddx) }, attributes),
      input: () => tf.zerosLike(input),
    }),
  },
  {
    kernelName: tf.FusedBatchNorm,
    inputsToSave: ["x", "mean", "variance", "scale"],
    gradFunc: (dy, [x, mean, variance, scale], attributes) => {
      const { varianceEpsilon } = attributes as unknown as tf.FusedBatchNormAttrs;
      const out = single(dy);
      const gain = scale ?? tf.scalar(1);
      const deviation = tf.rsqrt(tf.add(variance, varianceEpsilon));
      const normalized = () => tf.mul(tf.sub(x, mean), deviation);
      const scaled = () => tf.mul(out, tf.mul(gain, deviation));
      return {
        x: scaled,
        mean: () => tf.neg(sumToShape(scaled(), mean)),
        variance: () => {
          const alongDeviation = tf.mul(tf.mul(scaled(), normalized()), tf.mul(deviation, -0.5));
          return sumToShape(alongDeviation, variance);
        },
        scale: () => sumToShape(tf.mul(out, normalized()), gain),
        offset: () => sumToShape(out, mean),
      };
    },
  },
];

const gradients: readonly tf.GradConfig[] = [
  ...elementwise,
  ...comparisons,
  ...binary,
  ...reductions,
  ...shapes,
  ...layers,
  ...convolutionGradients,
];

function single(dy: tf.Tensor | tf.Tensor[]): tf.Tensor {
  return Array.isArray(dy) ? dy[0] : dy;
}

/** Adds up the axes along which an operand was broadcast. */
function sumToShape(dy: tf.Tensor | tf.Tensor[], { shape }: tf.Tensor): tf.Tensor {
  const gradient = single(dy);
  const axes = tf.broadcast_util.getReductionAxes(shape, gradient.shape);
  return tf.reshape(axes.length > 0 ? tf.sum(gradient, axes) : gradient, shape);
}

/** Broadcast by a product: tf.broadcastTo tiles, which few backends do fast. */
function spread(x: tf.Tensor, shape: number[]): tf.Tensor {
  return tf.mul(x, tf.ones(shape));
}

/** A reduced tensor with size 1 along the axes that were reduced. */
function withReducedAxes(
  reduced: tf.Tensor | tf.Tensor[],
  x: tf.Tensor,
  attributes: tf.NamedAttrMap,
): tf.Tensor {
  const { axis, reductionIndices } = attributes as unknown as tf.SumAttrs & tf.MaxAttrs;
  const kept = x.shape.slice();
  for (const axisOf of tf.util.parseAxisParam(axis ?? reductionIndices, x.shape)) kept[axisOf] = 1;
  return tf.reshape(single(reduced), kept);
}
