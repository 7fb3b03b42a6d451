import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { numbers } from "../reference.ts";
import { expectWithinUlps, specialValues } from "../ulps.ts";
import { useSimdBackend } from "./backends.ts";

const simd = useSimdBackend();

interface Values {
  readonly values: Float32Array;
  readonly shape: number[];
}

type Inputs = Record<string, Values> | readonly Values[];

interface Result extends Values {
  readonly onHeap: boolean;
}

async function runOn(
  backend: string,
  kernel: string,
  inputs: Inputs,
  attributes: object,
): Promise<Result[]> {
  await tf.setBackend(backend);
  return tf.tidy(() => {
    const tensors = Array.isArray(inputs) ? ([] as tf.Tensor[]) : ({} as Record<string, tf.Tensor>);
    for (const [name, { values, shape }] of Object.entries(inputs)) {
      (tensors as Record<string, tf.Tensor>)[name] = tf.tensor(values, shape);
    }
    const outputs = tf
      .engine()
      .runKernel(kernel, tensors as tf.NamedTensorMap, attributes as tf.NamedAttrMap);
    return [outputs].flat().map((output) => ({
      shape: output.shape,
      onHeap: backend === "simd" && isOnHeap(output),
      values: output.dataSync<"float32">(),
    }));
  });
}

function isOnHeap(tensor: tf.Tensor): boolean {
  return (simd.backend.data.get(tensor.dataId) as unknown as { pointer: number }).pointer !== 0;
}

/** The kernel of backend simd, in WebAssembly, against that of backend cpu. */
async function compare(
  kernel: string,
  inputs: Inputs,
  attributes: object,
  ulps: number,
): Promise<void> {
  const [actual] = (await runOn("simd", kernel, inputs, attributes)) as [Result];
  const [expected] = (await runOn("cpu", kernel, inputs, attributes)) as [Result];
  const context = `${kernel} ${JSON.stringify(attributes)} of ${JSON.stringify(Object.values(inputs).map(({ shape }) => shape))}`;
  expect(actual.onHeap, `${context} ran on the cpu backend`).toBe(true);
  expect(actual.shape, context).toEqual(expected.shape);
  expectWithinUlps(actual.values, expected.values, ulps, context);
}

const sizeOf = (shape: readonly number[]): number =>
  shape.reduce((size, length) => size * length, 1);

/** Numbers of many sizes, one in ten of them special. */
function anyValues(seed: number, shape: number[]): Values {
  const next = numbers(seed);
  const values = Float32Array.from({ length: sizeOf(shape) }, (_, i) =>
    next() > 0.8 ? specialValues[(seed + i) % specialValues.length]! : next() * 2 ** (8 * next()),
  );
  return { values, shape };
}

/** Numbers from 1 to 3, whose sums and products lose nothing by cancellation. */
function tameValues(seed: number, shape: number[]): Values {
  const next = numbers(seed);
  return { values: Float32Array.from({ length: sizeOf(shape) }, () => 2 + next()), shape };
}

/** Few values, so that there are ties. */
function smallIntegers(seed: number, shape: number[]): Values {
  const next = numbers(seed);
  return {
    values: Float32Array.from({ length: sizeOf(shape) }, () => Math.round(3 * next())),
    shape,
  };
}

const lengths = fc.integer({ min: 1, max: 7 });
const shapes = (most: number) => fc.array(lengths, { minLength: 0, maxLength: most });
const runs = { numRuns: 25 };

describe("elementwise kernels", () => {
  // Those that round twice, or whose float64 values differ from JavaScript's in the last digits, are 1 ulp off at most.
  const unary: readonly [string, number, object?][] = [
    ["Abs", 0],
    ["Elu", 1],
    ["Exp", 1],
    ["LeakyRelu", 0, { alpha: 0.25 }],
    ["Log", 1],
    ["Neg", 0],
    ["Reciprocal", 0],
    ["Relu", 0],
    ["Relu6", 0],
    ["Rsqrt", 1],
    ["Sigmoid", 1],
    ["Softplus", 1],
    ["Sqrt", 0],
    ["Square", 0],
    ["Step", 0, { alpha: 0.5 }],
    ["Tanh", 1],
    ["ZerosLike", 0],
    ["OnesLike", 0],
  ];
  test.each(unary)("%s", async (kernel, ulps, attributes = {}) => {
    await fc.assert(
      fc.asyncProperty(shapes(4), fc.nat(), async (shape, seed) => {
        const x = anyValues(seed, [...shape, 3]);
        // The cpu backend's exp(x) - 1 cancels near zero; ours does not.
        if (kernel === "Elu")
          x.values.forEach((value, i) => Math.abs(value) < 1e-3 && (x.values[i] = 1));
        await compare(kernel, { x }, attributes, ulps);
      }),
      runs,
    );
  });

  test("Fill", async () => {
    await compare("Fill", {}, { shape: [3, 5], value: -2.5, dtype: "float32" }, 0);
  });

  const binary: readonly [string, number, string, string][] = [
    ["Add", 0, "a", "b"],
    ["Sub", 0, "a", "b"],
    ["Multiply", 0, "a", "b"],
    ["RealDiv", 0, "a", "b"],
    ["Maximum", 0, "a", "b"],
    ["Minimum", 0, "a", "b"],
    // Rounded after the difference too.
    ["SquaredDifference", 2, "a", "b"],
    ["Prelu", 0, "x", "alpha"],
  ];
  test.each(binary)("%s with broadcasting", async (kernel, ulps, first, second) => {
    await fc.assert(
      fc.asyncProperty(
        shapes(3),
        fc.tuple(lengths, lengths, lengths),
        fc.constantFrom("equal", "scalar", "trailing", "leading", "inner", "both"),
        fc.boolean(),
        fc.nat(),
        async (head, [p, q, r], kind, swapped, seed) => {
          const shape = [...head, p, q, r];
          const other = {
            equal: shape,
            scalar: [],
            trailing: [r],
            leading: [...head, p, 1, 1],
            inner: [...head, p, 1, r],
            both: [...head.map(() => 1), 1, q, 1],
          }[kind];
          const operands = [anyValues(seed, shape), anyValues(seed + 1, other)];
          const [a, b] = (swapped ? operands.toReversed() : operands) as [Values, Values];
          await compare(kernel, { [first]: a, [second]: b }, {}, ulps);
        },
      ),
      runs,
    );
  });

  test("ReluGradient is that of tf.relu", async () => {
    const x = anyValues(4, [6, 11]);
    const dy = tameValues(5, x.shape);
    const [actual] = (await runOn("simd", "ReluGradient", { dy, y: x }, {})) as [Result];
    expect(actual.onHeap).toBe(true);
    const expected = dy.values.map((value, i) => (x.values[i]! <= 0 ? 0 : value));
    expectWithinUlps(actual.values, expected, 0, "ReluGradient");
  });

  test("what the kernels do not cover is left to the cpu backend", async () => {
    const alternating = { a: anyValues(1, [2, 1, 3, 1, 2]), b: anyValues(2, [1, 2, 1, 3, 1]) };
    const [actual] = (await runOn("simd", "Add", alternating, {})) as [Result];
    const [expected] = (await runOn("cpu", "Add", alternating, {})) as [Result];
    expect(actual.onHeap).toBe(false);
    expect(actual.values).toEqual(expected.values);
    await tf.setBackend("simd");
    const integers = tf.add(tf.tensor1d([1, 2], "int32"), tf.tensor1d([3, 4], "int32"));
    expect(integers.dtype).toBe("int32");
    expect(Array.from(integers.dataSync())).toEqual([4, 6]);
    expect(Array.from(tf.add(tf.tensor2d([], [0, 3]), tf.ones([3])).shape)).toEqual([0, 3]);
  });

  test("AddN and EluGrad", async () => {
    await fc.assert(
      fc.asyncProperty(
        shapes(3),
        fc.integer({ min: 2, max: 5 }),
        fc.nat(),
        async (shape, count, seed) => {
          const terms = Array.from({ length: count }, (_, i) => anyValues(seed + i, shape));
          await compare("AddN", terms, {}, 0);
          // b + 1 is rounded to float32 too; where it cancels that shows.
          const y = { ...tameValues(seed, shape) };
          y.values.forEach((value, i) => (y.values[i] = i % 2 === 0 ? value : -value / 8));
          await compare("EluGrad", { dy: terms[0]!, y }, {}, 2);
        },
      ),
      runs,
    );
  });
});

describe("reductions", () => {
  const reductions: readonly [string, string, number][] = [
    // cpu rounds every quotient before it sums them.
    ["Mean", "axis", 200],
    ["Sum", "axis", 1],
    ["Prod", "axis", 1],
    ["Max", "reductionIndices", 0],
    ["Min", "axis", 0],
  ];
  test.each(reductions)("%s over any axes", async (kernel, attribute, ulps) => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(lengths, { minLength: 1, maxLength: 4 }).chain((shape) =>
          fc.tuple(
            fc.constant(shape),
            fc.subarray(
              shape.map((_, axis) => axis),
              { minLength: 1 },
            ),
          ),
        ),
        fc.boolean(),
        fc.boolean(),
        fc.nat(),
        async ([shape, axes], keepDims, fromEnd, seed) => {
          const axis = fromEnd ? axes.map((index) => index - shape.length) : axes;
          const x =
            kernel === "Max" || kernel === "Min" ? anyValues(seed, shape) : tameValues(seed, shape);
          if (kernel === "Prod") x.values.forEach((value, i) => (x.values[i] = value / 2));
          await compare(kernel, { x }, { [attribute]: axis, keepDims }, ulps);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe("kernels that move data", () => {
  const shapeAndOrder = fc.array(lengths, { minLength: 1, maxLength: 5 }).chain((shape) =>
    fc.tuple(
      fc.constant(shape),
      fc.shuffledSubarray(
        shape.map((_, axis) => axis),
        { minLength: shape.length },
      ),
    ),
  );
  test("Transpose", async () => {
    await fc.assert(
      fc.asyncProperty(shapeAndOrder, fc.nat(), async ([shape, perm], seed) => {
        // Where only axes of length 1 change places the values are shared, wherever they are.
        const long = perm.filter((axis) => shape[axis] !== 1);
        fc.pre(long.some((axis, position) => position > 0 && axis < long[position - 1]!));
        await compare("Transpose", { x: anyValues(seed, shape) }, { perm }, 0);
      }),
      { numRuns: 60 },
    );
  });

  test("PadV2", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(lengths, fc.nat(3), fc.nat(3)), { minLength: 1, maxLength: 4 }),
        fc.constantFrom(0, 1.5, -Infinity),
        fc.nat(),
        async (axes, constantValue, seed) => {
          const x = anyValues(
            seed,
            axes.map(([length]) => length),
          );
          await compare(
            "PadV2",
            { x },
            { paddings: axes.map(([, before, after]) => [before, after]), constantValue },
            0,
          );
        },
      ),
      { numRuns: 40 },
    );
  });

  test("Slice", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(fc.nat(3), lengths, fc.nat(3)), { minLength: 1, maxLength: 4 }),
        fc.nat(),
        async (axes, seed) => {
          const x = anyValues(
            seed,
            axes.map(([before, length, after]) => before + length + after),
          );
          const attributes = {
            begin: axes.map(([before]) => before),
            size: axes.map(([, length]) => length),
          };
          await compare("Slice", { x }, attributes, 0);
        },
      ),
      { numRuns: 40 },
    );
  });

  test("Tile", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.tuple(lengths, fc.integer({ min: 1, max: 3 })), { minLength: 1, maxLength: 2 }),
        fc.nat(),
        async (axes, seed) => {
          const x = anyValues(
            seed,
            axes.map(([length]) => length),
          );
          await compare("Tile", { x: anyValues(seed, [3, 1, 1, 5]) }, { reps: [1, 3, 4, 1] }, 0);
          const reps = axes.map(([, count]) => count);
          fc.pre(reps.some((count) => count > 1));
          await compare("Tile", { x }, { reps }, 0);
        },
      ),
      { numRuns: 60 },
    );
  });

  test("Concat", async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(lengths, { minLength: 1, maxLength: 4 }),
        fc.nat(3),
        fc.array(lengths, { minLength: 2, maxLength: 4 }),
        fc.nat(),
        async (shape, position, parts, seed) => {
          const axis = position % shape.length;
          const inputs = parts.map((length, i) => anyValues(seed + i, shape.with(axis, length)));
          await compare("Concat", inputs, { axis }, 0);
        },
      ),
      { numRuns: 40 },
    );
  });
});

describe("pooling", () => {
  const cases = fc.record({
    batch: fc.integer({ min: 1, max: 3 }),
    size: fc.tuple(fc.integer({ min: 4, max: 10 }), fc.integer({ min: 4, max: 10 })),
    channels: fc.integer({ min: 1, max: 20 }),
    filterSize: fc.tuple(fc.integer({ min: 1, max: 4 }), fc.integer({ min: 2, max: 4 })),
    strides: fc.tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 })),
    pad: fc.constantFrom<("same" | "valid" | number | [number, number][])[]>("same", "valid", 1, [
      [0, 0],
      [1, 0],
      [0, 1],
      [0, 0],
    ]),
    seed: fc.nat(),
  });
  const pools: readonly [string, string, number][] = [
    ["MaxPool", "MaxPoolGrad", 2],
    ["AvgPool", "AvgPoolGrad", 0],
  ];
  test.each(pools)("%s and %s", async (pool, gradient, ulps) => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ batch, size, channels, seed, ...attributes }) => {
        const x = smallIntegers(seed, [batch, ...size, channels]);
        await compare(pool, { x }, attributes, 0);
        const [output] = (await runOn("cpu", pool, { x }, attributes)) as [Result];
        // Sums of positive numbers: rounding each of a few of them is worth as many ulp.
        const dy = tameValues(seed + 1, output.shape);
        await compare(gradient, { dy, input: x, output }, attributes, ulps);
      }),
      { numRuns: 40 },
    );
  });

  test("MaxPoolGather is the transpose of MaxPoolGrad", async () => {
    await fc.assert(
      fc.asyncProperty(cases, async ({ batch, size, channels, seed, ...attributes }) => {
        const x = smallIntegers(seed, [batch, ...size, channels]);
        const v = tameValues(seed + 1, x.shape);
        const [gathered] = (await runOn("simd", "MaxPoolGather", { x, v }, attributes)) as [Result];
        const dy = tameValues(seed + 2, gathered.shape);
        const [scattered] = (await runOn(
          "cpu",
          "MaxPoolGrad",
          { dy, input: x, output: gathered },
          attributes,
        )) as [Result];
        const left = gathered.values.reduce((sum, value, i) => sum + value * dy.values[i]!, 0);
        const right = scattered.values.reduce((sum, value, i) => sum + value * v.values[i]!, 0);
        expect(Math.abs(left - right)).toBeLessThanOrEqual(1e-6 * left);
      }),
      runs,
    );
  });
});

describe("batch normalization", () => {
  test("FusedBatchNorm with and without scale and offset", async () => {
    await fc.assert(
      fc.asyncProperty(
        shapes(3),
        lengths,
        fc.boolean(),
        fc.boolean(),
        fc.nat(),
        async (head, channels, scaled, moved, seed) => {
          const vector = (shift: number) => tameValues(seed + shift, [channels]);
          const inputs = {
            x: tameValues(seed, [...head, channels]),
            mean: { ...vector(1), values: vector(1).values.map((value) => value - 2) },
            variance: vector(2),
            ...(scaled ? { scale: vector(3) } : {}),
            ...(moved ? { offset: vector(4) } : {}),
          };
          // Four roundings instead of one; mean and offset are such that nothing cancels.
          inputs.mean.values.forEach((value, i) => (inputs.mean.values[i] = -Math.abs(value)));
          await compare("FusedBatchNorm", inputs, { varianceEpsilon: 1e-3 }, 4);
        },
      ),
      runs,
    );
  });

  test("statistics of more axes than channels are left to the cpu backend", async () => {
    const x = tameValues(1, [2, 3, 4]);
    const [mean, variance] = [tameValues(2, x.shape), tameValues(3, x.shape)];
    const [actual] = (await runOn("simd", "FusedBatchNorm", { x, mean, variance }, {})) as [Result];
    const [expected] = (await runOn("cpu", "FusedBatchNorm", { x, mean, variance }, {})) as [
      Result,
    ];
    expect(actual.values).toEqual(expected.values);
  });

  test("the custom kernels have no fallback, and say what they take", async () => {
    await tf.setBackend("simd");
    const x = tf.ones([2, 3], "int32");
    const run = () =>
      tf
        .engine()
        .runKernel(
          "BatchNormalizationTraining",
          { x, scale: tf.ones([3]), offset: tf.ones([3]) },
          { epsilon: 1 },
        );
    expect(run).toThrow(
      "BatchNormalizationTraining takes only non-empty float32 tensors of matching shapes",
    );
  });
});

describe("optimizer steps", () => {
  test("SgdMomentumUpdate and AdamUpdate leave their operands as they are", async () => {
    const values = (seed: number) => tameValues(seed, [4, 5]);
    const inputs = { gradient: values(1), velocity: values(2), parameter: values(3) };
    const sgd = { learningRate: 0.1, momentum: 0.9, weightDecay: 0.01 };
    const [velocity, parameter] = await runOn("simd", "SgdMomentumUpdate", inputs, sgd);
    inputs.parameter.values.forEach((p, i) => {
      const v = 0.9 * inputs.velocity.values[i]! + inputs.gradient.values[i]! + 0.01 * p;
      expect(velocity!.values[i]).toBeCloseTo(v, 5);
      expect(parameter!.values[i]).toBeCloseTo(p - 0.1 * v, 5);
    });
    const adam = {
      learningRate: 0.1,
      beta1: 0.9,
      beta2: 0.999,
      epsilon: 1e-8,
      weightDecay: 0,
      step: 3,
    };
    const state = {
      gradient: values(1),
      first: values(2),
      second: values(3),
      parameter: values(4),
    };
    const [first, second, moved] = await runOn("simd", "AdamUpdate", state, adam);
    state.parameter.values.forEach((p, i) => {
      const m = 0.9 * state.first.values[i]! + 0.1 * state.gradient.values[i]!;
      const s = 0.999 * state.second.values[i]! + 0.001 * state.gradient.values[i]! ** 2;
      expect(first!.values[i]).toBeCloseTo(m, 5);
      expect(second!.values[i]).toBeCloseTo(s, 5);
      const change = ((0.1 / (1 - 0.9 ** 3)) * m) / (Math.sqrt(s / (1 - 0.999 ** 3)) + 1e-8);
      expect(moved!.values[i]).toBeCloseTo(p - change, 4);
    });
  });
});

test("no kernel leaves anything on the heap", async () => {
  await tf.setBackend("simd");
  const used = simd.backend.memory().numBytesOnHeap;
  tf.tidy(() => {
    const x = tf.ones([2, 8, 8, 5]) as tf.Tensor4D;
    const y = tf.maxPool(tf.relu(x), 3, 2, "same");
    tf.sum(tf.transpose(y, [3, 1, 0, 2]), [0, 2]);
    tf.mean(
      tf.concat(
        [
          x,
          tf.pad(tf.slice(x, [0, 1, 1, 0], [2, 4, 4, 5]), [
            [0, 0],
            [2, 2],
            [2, 2],
            [0, 0],
          ]),
        ],
        3,
      ),
      [0, 3],
    );
  });
  expect(simd.backend.memory().numBytesOnHeap).toBe(used);
});
