// Time and memory traffic of the tfjs kernels of backend simd beside those of backends wasm and cpu, at sizes of a
// ResNet-18 step (batch 8, 64 × 64):  node benchmarks/tfjs-kernels.ts [part of a name]
import "@tensorflow/tfjs-backend-cpu";
import "@tensorflow/tfjs-backend-wasm";
import { registerSimdBackend } from "@implicit-rank/simd-backend/tfjs";
import * as tf from "@tensorflow/tfjs-core";
import { markdownTable } from "./timing.ts";

interface Case {
  readonly name: string;
  readonly inputs: Record<string, number[]>;
  readonly kernel: string;
  readonly attributes?: object;
  /** The same by ordinary operations, for backends without the kernel. */
  readonly composed?: (inputs: Record<string, tf.Tensor>) => unknown;
}

const image = [8, 16, 16, 64];
const stem = [8, 32, 32, 64];
const deep = [8, 2, 2, 512];
const filter = [3, 3, 512, 512];
const pool = {
  filterSize: 3,
  strides: 2,
  pad: [
    [0, 0],
    [1, 1],
    [1, 1],
    [0, 0],
  ],
};

const normalization = (x: number[]) => ({ x, scale: [x.at(-1)!], offset: [x.at(-1)!] });
const statistics = (x: number[]) => {
  const vector = [x.at(-1)!];
  return { x, dy: x, scale: vector, mean: vector, variance: vector };
};
const second = (x: number[]) => {
  const vector = [x.at(-1)!];
  return { ...statistics(x), ddx: x, ddScale: vector, ddOffset: vector };
};
const composedNormalization = ({ x, scale, offset }: Record<string, tf.Tensor>) => {
  const { mean, variance } = tf.moments(x!, [0, 1, 2]);
  return tf.batchNorm(
    x!,
    mean as tf.Tensor1D,
    variance as tf.Tensor1D,
    offset as tf.Tensor1D,
    scale as tf.Tensor1D,
    1e-5,
  );
};
const composedStep = ({ gradient, velocity, parameter }: Record<string, tf.Tensor>) => {
  const v = tf.add(tf.mul(velocity!, 0.9), gradient!);
  return tf.sub(parameter!, tf.mul(v, 0.1));
};

const cases: readonly Case[] = [
  { name: "relu", kernel: "Relu", inputs: { x: image } },
  { name: "relu, stem", kernel: "Relu", inputs: { x: stem } },
  { name: "step", kernel: "Step", inputs: { x: image }, attributes: { alpha: 0 } },
  { name: "gradient of relu", kernel: "ReluGradient", inputs: { dy: image, y: image } },
  { name: "add", kernel: "Add", inputs: { a: image, b: image } },
  { name: "multiply", kernel: "Multiply", inputs: { a: image, b: image } },
  { name: "add [c]", kernel: "Add", inputs: { a: image, b: [64] } },
  { name: "multiply [n, 1, 1, c]", kernel: "Multiply", inputs: { a: image, b: [8, 1, 1, 64] } },
  { name: "exp", kernel: "Exp", inputs: { x: image } },
  { name: "sigmoid", kernel: "Sigmoid", inputs: { x: image } },
  {
    name: "sum over n, h, w",
    kernel: "Sum",
    inputs: { x: image },
    attributes: { axis: [0, 1, 2], keepDims: false },
  },
  {
    name: "sum of all",
    kernel: "Sum",
    inputs: { x: image },
    attributes: { axis: [0, 1, 2, 3], keepDims: false },
  },
  {
    name: "mean over h, w",
    kernel: "Mean",
    inputs: { x: image },
    attributes: { axis: [1, 2], keepDims: false },
  },
  {
    name: "transpose n, c, h, w",
    kernel: "Transpose",
    inputs: { x: image },
    attributes: { perm: [0, 3, 1, 2] },
  },
  {
    name: "transpose 2-D",
    kernel: "Transpose",
    inputs: { x: [1024, 512] },
    attributes: { perm: [1, 0] },
  },
  {
    name: "pad",
    kernel: "PadV2",
    inputs: { x: image },
    attributes: {
      paddings: [
        [0, 0],
        [1, 1],
        [1, 1],
        [0, 0],
      ],
      constantValue: 0,
    },
  },
  { name: "max pool 3 × 3", kernel: "MaxPool", inputs: { x: stem }, attributes: pool },
  {
    name: "its gradient",
    kernel: "MaxPoolGrad",
    inputs: { input: stem, output: image, dy: image },
    attributes: pool,
  },
  { name: "its gather", kernel: "MaxPoolGather", inputs: { x: stem, v: stem }, attributes: pool },
  {
    name: "average pool 2 × 2",
    kernel: "AvgPool",
    inputs: { x: stem },
    attributes: { filterSize: 2, strides: 2, pad: "valid" },
  },
  {
    name: "batch norm, inference",
    kernel: "FusedBatchNorm",
    inputs: { x: image, mean: [64], variance: [64], scale: [64], offset: [64] },
    attributes: { varianceEpsilon: 1e-5 },
  },
  ...[stem, image, deep].flatMap((x): Case[] => [
    {
      name: `batch norm, training [${x.join(", ")}]`,
      kernel: "BatchNormalizationTraining",
      inputs: normalization(x),
      attributes: { epsilon: 1e-5 },
      composed: composedNormalization,
    },
    {
      name: "its gradient",
      kernel: "BatchNormalizationTrainingGradient",
      inputs: statistics(x),
      attributes: { epsilon: 1e-5 },
    },
    {
      name: "its second gradient",
      kernel: "BatchNormalizationTrainingSecondGradient",
      inputs: second(x),
      attributes: { epsilon: 1e-5 },
    },
  ]),
  {
    name: "SGD step, 3 × 3 × 512 × 512",
    kernel: "SgdMomentumUpdate",
    inputs: { gradient: filter, velocity: filter, parameter: filter },
    attributes: { learningRate: 0.1, momentum: 0.9, weightDecay: 1e-4 },
    composed: composedStep,
  },
  {
    name: "Adam step, 3 × 3 × 512 × 512",
    kernel: "AdamUpdate",
    inputs: { gradient: filter, first: filter, second: filter, parameter: filter },
    attributes: {
      learningRate: 0.1,
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
      weightDecay: 0,
      step: 3,
    },
  },
];

const SAMPLES = 15;

/** The best of several samples of a few milliseconds: what the kernel takes when nothing else runs. */
function bestTime(run: () => void): number {
  run();
  const start = performance.now();
  run();
  const turns = Math.max(1, Math.ceil(4 / (performance.now() - start)));
  let best = Infinity;
  for (let sample = 0; sample < SAMPLES; sample++) {
    const before = performance.now();
    for (let turn = 0; turn < turns; turn++) run();
    best = Math.min(best, (performance.now() - before) / turns);
    if (best > 500) break;
  }
  return best;
}

/** Milliseconds on the selected backend, with the bytes of all inputs and outputs. */
function measure({
  kernel,
  inputs,
  attributes = {},
  composed,
}: Case): { time: number; bytes: number } | undefined {
  const tensors: Record<string, tf.Tensor> = {};
  for (const [name, shape] of Object.entries(inputs))
    tensors[name] = tf.randomUniform(shape, 0.1, 1);
  const known = tf.getKernel(kernel, tf.getBackend()) as unknown;
  const compute = known
    ? () => tf.engine().runKernel(kernel, tensors, attributes as tf.NamedAttrMap)
    : composed && (() => composed(tensors));
  if (compute === undefined) return undefined;
  const outputs = tf.tidy(() => [compute()].flat() as tf.Tensor[]);
  const sizes = [...Object.values(inputs), ...outputs.map(({ shape }) => shape)];
  const bytes = sizes.reduce((sum, shape) => sum + 4 * tf.util.sizeFromShape(shape), 0);
  const time = bestTime(() => tf.tidy(() => void compute()));
  tf.dispose([tensors, outputs]);
  return { time, bytes };
}

const wanted = cases.filter(({ name, kernel }) =>
  `${name} ${kernel}`.includes(process.argv[2] ?? ""),
);
const columns: { backend: string; threads?: number }[] = [
  { backend: "simd", threads: 1 },
  { backend: "simd", threads: 2 },
  { backend: "wasm" },
  { backend: "cpu" },
];
const results: ReturnType<typeof measure>[][] = wanted.map(() => []);
for (const { backend, threads } of columns) {
  if (threads !== undefined) await registerSimdBackend({ threads, bytes: 2 ** 29 });
  await tf.setBackend(backend);
  wanted.forEach((entry, row) => results[row]!.push(measure(entry)));
  if (threads !== undefined) tf.removeBackend(backend);
}

const shown = (result: ReturnType<typeof measure>) =>
  result === undefined ? "–" : result.time.toFixed(3);
const rate = (result: ReturnType<typeof measure>) =>
  result === undefined ? "–" : (result.bytes / result.time / 1e6).toFixed(1);
console.log("Milliseconds; GB/s of inputs and outputs for simd with 1 and 2 threads.\n");
console.log(
  markdownTable(
    ["kernel", "simd 1", "simd 2", "GB/s", "GB/s", "wasm", "cpu"],
    wanted.map(({ name }, row) => {
      const [one, two, wasm, cpu] = results[row]!;
      return [name, shown(one), shown(two), rate(one), rate(two), shown(wasm), shown(cpu)];
    }),
  ),
);
